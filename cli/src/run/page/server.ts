/**
 * Serves the page of `meshscript run --open`, and what it shows, as server-sent events.
 *
 * Only this machine reaches it, and of its browsers only the page itself: the Host header has to be the page's own, so that no
 * other name can be bound to the address, and what sends requests has to come from the page.
 */

import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { FilterInfo, LogEvent, RequestEvent, RunEvent } from '../events.ts'

export interface PageOptions {
  /** Envoy's. */
  port: number
  tcp: boolean
  upstream: string
  filters: () => FilterInfo[]
}

export interface Page {
  url: string
  send: (event: RunEvent) => void
  close: () => Promise<void>
}

/** What a page that is opened later gets to see. */
const KEPT = 300
const LONGEST_BODY = 1 << 20
const SEND_TIMEOUT = 120_000

export async function startPage(options: PageOptions): Promise<Page> {
  const html = readFileSync(new URL('./page.html', import.meta.url), 'utf8')
  const clients = new Set<ServerResponse>()
  const past: string[] = []
  const lines = new RequestLogs()
  let hosts: string[] = []

  const push = (name: string, data: unknown): void => {
    const message = `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`
    past.push(message)
    if (past.length > KEPT) past.shift()
    for (const client of clients) client.write(message)
  }
  const state = () => ({ ...options, url: `http://127.0.0.1:${options.port}`, filters: options.filters() })

  const server = createServer((incoming, response) => {
    response.setHeader('x-content-type-options', 'nosniff')
    response.setHeader('cache-control', 'no-store')
    if (!hosts.includes(incoming.headers.host ?? '')) return answer(response, 421, 'this page is at another address')
    const { pathname } = new URL(incoming.url ?? '/', 'http://page')
    const route = `${incoming.method} ${pathname}`
    if (route === 'GET /') return servePage(response, html)
    if (route === 'GET /events') {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write(`retry: 1000\nevent: state\ndata: ${JSON.stringify(state())}\n\n${past.join('')}`)
      clients.add(response)
      response.on('close', () => clients.delete(response))
      return
    }
    if (route === 'POST /send') {
      const own = hosts.some((host) => incoming.headers.origin === `http://${host}`)
      if (!own || incoming.headers['content-type'] !== 'application/json')
        return answer(response, 403, 'not from the page')
      return void forward(incoming, response, options.port)
    }
    answer(response, 404, 'there is nothing here')
  })
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  hosts = [`127.0.0.1:${port}`, `localhost:${port}`]
  // Keeps the connection known to be alive.
  const heartbeat = setInterval(() => clients.forEach((client) => client.write(':\n\n')), 15_000)

  return {
    url: `http://127.0.0.1:${port}/`,
    send(event) {
      if (event.event === 'request') push('request', { ...event, logs: lines.of(event) })
      else if (event.event === 'log') push('log', { ...event, requests: lines.add(event) })
      else if (event.event !== 'progress' && event.event !== 'ready') push(event.event, event)
    },
    close: () =>
      new Promise((resolve) => {
        clearInterval(heartbeat)
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function answer(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-type': 'text/plain' }).end(`${text}\n`)
}

/** Nothing but what the file itself holds runs or is loaded, whatever gets into it. */
function servePage(response: ServerResponse, html: string): void {
  const nonce = randomBytes(16).toString('base64')
  const policy = [
    "default-src 'none'",
    `script-src 'nonce-${nonce}'`,
    `style-src 'nonce-${nonce}'`,
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ]
  response.writeHead(200, {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': policy.join('; '),
    'referrer-policy': 'no-referrer',
  })
  response.end(html.replaceAll('NONCE', nonce))
}

interface Wanted {
  method: string
  path: string
  headers: [string, string][]
  body: string
}

/** Sends the request of the form to Envoy, and only there; answers what came back. */
async function forward(incoming: IncomingMessage, response: ServerResponse, port: number): Promise<void> {
  const reply = (body: object): void => {
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  }
  try {
    const { method, path, headers, body } = readWanted(await readBody(incoming))
    const start = performance.now()
    const own = headers.some(([name]) => name.toLowerCase() === 'host') ? [] : [['host', `127.0.0.1:${port}`]]
    const sized = body && !headers.some(([name]) => /^(content-length|transfer-encoding)$/i.test(name))
    const length = sized ? [['content-length', String(Buffer.byteLength(body))]] : []
    const raw = [...own, ...headers, ...length].flat()
    const call = request({ host: '127.0.0.1', port, method, path, headers: raw, agent: false, timeout: SEND_TIMEOUT })
    call.on('timeout', () => call.destroy(new Error('no answer within two minutes')))
    call.on('error', (error) => reply({ error: error.message }))
    call.on('response', (result) => {
      const chunks: Buffer[] = []
      let size = 0
      result.on('data', (chunk: Buffer) => {
        if (size < LONGEST_BODY) chunks.push(chunk)
        size += chunk.length
      })
      result.on('error', (error) => reply({ error: error.message }))
      result.on('end', () =>
        reply({
          status: result.statusCode,
          body: Buffer.concat(chunks).toString('utf8'),
          milliseconds: performance.now() - start,
        }),
      )
    })
    call.end(body || undefined)
  } catch (error) {
    reply({ error: (error as Error).message })
  }
}

async function readBody(incoming: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of incoming) {
    size += (chunk as Buffer).length
    if (size > LONGEST_BODY) throw new Error('the request is too long')
    chunks.push(chunk as Buffer)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function readWanted(text: string): Wanted {
  const { method, path, headers, body } = JSON.parse(text) as Partial<Wanted>
  const lines = Array.isArray(headers)
    ? headers.map(([name, value]): [string, string] => [String(name), String(value)])
    : []
  return { method: String(method ?? 'GET'), path: String(path ?? '/'), headers: lines, body: String(body ?? '') }
}

/** A little of a request's last work may come after its end. */
const SLACK = 20

/** Which log line belongs to which request. Envoy does not say; the time does, as long as requests do not overlap. */
class RequestLogs {
  readonly #lines: LogEvent[] = []
  readonly #requests: { id: number; from: number; to: number }[] = []

  of({ id, time, milliseconds }: RequestEvent): LogEvent[] {
    const span = { id, from: time, to: time + milliseconds + SLACK }
    this.#requests.push(span)
    if (this.#requests.length > KEPT) this.#requests.shift()
    return this.#lines.filter((line) => line.time >= span.from && line.time <= span.to)
  }

  /** The requests that have ended and that the line may belong to. */
  add(line: LogEvent): number[] {
    this.#lines.push(line)
    if (this.#lines.length > KEPT) this.#lines.shift()
    return this.#requests.filter(({ from, to }) => line.time >= from && line.time <= to).map(({ id }) => id)
  }
}
