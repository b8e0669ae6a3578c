/**
 * The embedded upstream: it answers with what it got, so that what filters did to a request can be read off.
 *
 * Any path answers JSON. `/status/503` answers with that status, `/delay/250` after so many milliseconds, `/lines/5` in so many
 * pieces, `/stream` with the body as it comes. The headers `x-echo-status`, `x-echo-delay` and `x-echo-header: NAME: VALUE` do the
 * same on every path. HTTP/1.1 and HTTP/2 without TLS, on one port.
 */

import { createServer as createHttp1, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createHttp2, type Http2ServerRequest, type Http2ServerResponse } from 'node:http2'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

export interface EchoService {
  port: number
  close: () => Promise<void>
}

type Request = IncomingMessage | Http2ServerRequest
type Response = ServerResponse | Http2ServerResponse

/** Bodies are shown as far as this; more is read and left out. */
const BODY_SHOWN = 64 * 1024
const LINE_GAP = 100
const LONGEST_DELAY = 60_000

export async function startEcho(tcp: boolean): Promise<EchoService> {
  const sockets = new Set<Socket>()
  const server = tcp ? createServer((socket) => socket.pipe(socket)) : httpServer()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => socket.destroy())
    socket.on('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      }),
  }
}

/** How an HTTP/2 connection begins. */
const PREFACE = 'PRI * HTTP/2'

/** Hands each connection to the server whose protocol its first bytes speak. */
function httpServer(): Server {
  const answer = (request: Request, response: Response): void => {
    response.on('error', () => {})
    serve(request, response).catch(() => response.destroy())
  }
  const http1 = createHttp1({ insecureHTTPParser: true, maxHeaderSize: 1 << 20 }, answer)
  // Envoy keeps its connections; a server that closes idle ones would make some requests fail by chance.
  http1.keepAliveTimeout = 0
  http1.requestTimeout = 0
  const http2 = createHttp2({ settings: { maxHeaderListSize: 1 << 20 } }, answer)
  http2.on('sessionError', () => {})
  return createServer((socket) => {
    socket.once('readable', () => {
      const first = socket.read() as Buffer | null
      if (!first) return
      socket.unshift(first)
      const isHttp2 = PREFACE.startsWith(first.toString('latin1', 0, PREFACE.length))
      ;(isHttp2 ? http2 : http1).emit('connection', socket)
    })
  })
}

async function serve(request: Request, response: Response): Promise<void> {
  const { pathname } = new URL(request.url ?? '/', 'http://echo')
  const [, action = '', argument = ''] = pathname.split('/')
  const number = /^\d{1,5}$/.test(argument) ? Number(argument) : undefined
  const header = (name: string): string | undefined => [request.headers[name] ?? []].flat()[0]
  const delay = (action === 'delay' ? number : undefined) ?? Number(header('x-echo-delay'))
  const status = (action === 'status' ? number : undefined) ?? Number(header('x-echo-status'))
  for (const line of [request.headers['x-echo-header'] ?? []].flat()) setHeader(response, line)
  response.statusCode = status >= 200 && status <= 599 ? status : 200
  if (delay > 0) await sleep(Math.min(delay, LONGEST_DELAY))

  if (action === 'stream') {
    response.setHeader('content-type', header('content-type') ?? 'application/octet-stream')
    for await (const chunk of request) write(response, chunk as Buffer)
    response.end()
    return
  }
  const body = await receive(request)
  response.setHeader('content-type', 'application/json')
  if (action === 'lines' && number !== undefined) {
    for (let line = 1; line <= number && !response.destroyed; line++) {
      if (line > 1) await sleep(LINE_GAP)
      write(response, `${JSON.stringify({ line, of: number })}\n`)
    }
    response.end()
    return
  }
  response.end(
    `${JSON.stringify({ method: request.method, path: request.url, headers: headersOf(request), ...body }, null, 2)}\n`,
  )
}

/** Both kinds of response have it, with types that no one call fits. */
function write(response: Response, chunk: Buffer | string): void {
  ;(response as ServerResponse).write(chunk)
}

function setHeader(response: Response, line: string): void {
  const [, name, value = ''] = /^\s*([^:\s]+)\s*:\s*(.*)$/.exec(line) ?? []
  try {
    if (name) response.setHeader(name, value)
  } catch {
    // What cannot be sent is not sent.
  }
}

async function receive(request: Request): Promise<{ body?: string; bodySize?: number }> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request) {
    if (size < BODY_SHOWN) chunks.push(chunk as Buffer)
    size += (chunk as Buffer).length
  }
  if (!size) return {}
  const shown = Buffer.concat(chunks).subarray(0, BODY_SHOWN)
  return { body: shown.toString('utf8'), ...(size > shown.length && { bodySize: size }) }
}

/** Header lines as they came, several of a name as a list. */
function headersOf(request: Request): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = Object.create(null) as Record<string, string | string[]>
  for (let i = 0; i + 1 < request.rawHeaders.length; i += 2) {
    const name = request.rawHeaders[i]!.toLowerCase()
    const value = Buffer.from(request.rawHeaders[i + 1]!, 'latin1').toString('utf8')
    const old = headers[name]
    headers[name] = old === undefined ? value : [old, value].flat()
  }
  return headers
}
