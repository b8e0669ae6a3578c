/** Receives flow records over HTTP: `POST /flows` with one in each line, as the telemetry filter sends them. */

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { type AddressInfo, isIP } from 'node:net'
import { UsageError, UserError } from '../errors.ts'
import { LineSplitter, readLine } from './lines.ts'
import { BadLine, type FlowRecord } from './record.ts'

/** Where it listens unless told otherwise. Hubble's own ports are 4244 and 4245. */
export const DEFAULT_PORT = 4246

/** The largest body, in bytes. */
export const MAX_BODY = 16 << 20

/** Of all bodies that are on their way. */
const MAX_PENDING = 64 << 20

/** After so many bad lines the rest of a body is not read. */
const MAX_BAD = 1000

/** How many bad lines an answer names. */
const MAX_NAMED = 20

/** How long answers may take at the end, in milliseconds. */
const GRACE = 500

/** What it hands on. */
export interface Handlers {
  record: (record: FlowRecord, text: string) => void
  /** `sender` is an address. */
  badLine: (sender: string, line: number, reason: string) => void
}

/** A receiver that listens. */
export interface Receiver {
  /** Where to send flows. */
  url: string
  close(): Promise<void>
}

/** Reads `PORT`, `HOST:PORT` or `[ADDRESS]:PORT`. */
export function parseAddress(text: string): { host: string; port: number } {
  const [, host = '127.0.0.1', digits] = /^(?:(\[[^\]]*\]|[^:[\]]+):)?(\d{1,5})$/.exec(text) ?? []
  const port = Number(digits)
  const name = host.replace(/^\[|\]$/g, '')
  const wrong = digits === undefined || port > 65_535 || (host.startsWith('[') && isIP(name) !== 6)
  if (wrong)
    throw new UsageError(`--listen ${JSON.stringify(text)}: expected PORT, HOST:PORT or [ADDRESS]:PORT`, 'OBS001')
  return { host: name, port }
}

class Refusal extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly headers: Record<string, string> = {},
  ) {
    super(message)
  }
}

/** Listens, and hands on what comes. */
export async function receive(address: { host: string; port: number }, handlers: Handlers): Promise<Receiver> {
  let pending = 0
  let isClosing = false

  /** The body in pieces, which are counted until all has been read. */
  async function bodyOf(request: IncomingMessage): Promise<Buffer[]> {
    const tooLarge = () => new Refusal(413, `a body has at most ${MAX_BODY} bytes; send smaller batches`)
    if (Number(request.headers['content-length'] ?? 0) > MAX_BODY) throw tooLarge()
    const pieces: Buffer[] = []
    let length = 0
    try {
      for await (const piece of request as AsyncIterable<Buffer>) {
        length += piece.length
        pending += piece.length
        if (length > MAX_BODY) throw tooLarge()
        if (pending > MAX_PENDING) throw new Refusal(503, 'too much comes at once; try again', { 'retry-after': '1' })
        pieces.push(piece)
      }
      return pieces
    } finally {
      pending -= length
    }
  }

  async function answer(request: IncomingMessage): Promise<{ status: number; body: unknown }> {
    check(request)
    const pieces = await bodyOf(request)
    const sender = request.socket.remoteAddress ?? 'a sender'
    const bad: { line: number; message: string }[] = []
    let number = 0
    for (const line of linesOf(pieces)) {
      number++
      try {
        take(line, handlers)
      } catch (error) {
        if (!(error instanceof BadLine)) throw error
        handlers.badLine(sender, number, error.message)
        if (bad.push({ line: number, message: error.message }) >= MAX_BAD) break
      }
    }
    if (!bad.length) return { status: 200, body: {} }
    const rest = bad.length < MAX_BAD ? 'the others were taken' : 'the rest was not read'
    const message = `${bad.length} of ${number} lines are no flow records; ${rest}`
    return { status: 400, body: { error: { message, lines: bad.slice(0, MAX_NAMED) } } }
  }

  const server = createServer((request, response) => {
    answer(request)
      .then(({ status, body }) => send(response, status, body, isClosing ? { connection: 'close' } : {}))
      .catch((error: unknown) => refuse(request, response, error))
  })
  // Nobody may hold a connection without using it.
  server.headersTimeout = 10_000
  server.requestTimeout = 60_000
  server.maxConnections = 1024
  // A proxy that keeps connections for long must not find one closed when it uses it.
  server.keepAliveTimeout = 3_600_000

  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(listenError(error, address)))
    server.listen(address.port, address.host, resolve)
  })
  const { port } = server.address() as AddressInfo
  const host = address.host.includes(':') ? `[${address.host}]` : address.host
  return {
    url: `http://${host}:${port}/flows`,
    close: () =>
      new Promise((resolve) => {
        isClosing = true
        // Senders get the answers to what was taken.
        const timer = setTimeout(() => server.closeAllConnections(), GRACE)
        server.close(() => {
          clearTimeout(timer)
          resolve()
        })
        server.closeIdleConnections()
      }),
  }
}

/** Not all at once: of a body there may be as many as it has bytes. */
function* linesOf(pieces: readonly Buffer[]): Generator<Buffer | undefined> {
  const splitter = new LineSplitter()
  for (const piece of pieces) yield* splitter.push(piece)
  yield* splitter.end()
}

function take(line: Buffer | undefined, handlers: Handlers): void {
  const found = readLine(line)
  if (found) handlers.record(found.record, found.text)
  else if (/^\s*[^\s{]/.test(line!.toString())) throw new BadLine('no flow record')
}

function check({ method, url = '', headers }: IncomingMessage): void {
  if (url.split('?')[0] !== '/flows') throw new Refusal(404, 'flow records are taken at POST /flows')
  if (method !== 'POST') throw new Refusal(405, 'send flow records by POST', { allow: 'POST' })
  // No page in a browser can send this type to another origin without asking first.
  const type = headers['content-type']?.split(';')[0]?.trim().toLowerCase()
  if (type !== 'application/x-ndjson') {
    throw new Refusal(415, 'expected content-type application/x-ndjson: one JSON object in each line')
  }
  const encoding = headers['content-encoding'] ?? 'identity'
  if (encoding !== 'identity') throw new Refusal(415, `content-encoding ${encoding} is not taken; send it as it is`)
}

function send(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers })
  response.end(JSON.stringify(body))
}

function refuse(request: IncomingMessage, response: ServerResponse, error: unknown): void {
  // A sender that has gone needs no answer.
  if (!(error instanceof Refusal)) return void request.destroy()
  const isRead = request.complete
  send(
    response,
    error.status,
    { error: { message: error.message } },
    {
      ...error.headers,
      ...(!isRead && { connection: 'close' }),
    },
  )
  if (isRead) return
  // The answer reaches senders that still write only if what they write is taken, for a while.
  request.resume()
  setTimeout(() => request.destroy(), 1000).unref()
}

function listenError(error: NodeJS.ErrnoException, { host, port }: { host: string; port: number }): UserError {
  const reasons: Record<string, string> = {
    EADDRINUSE: 'the port is in use',
    EACCES: 'this port needs more rights',
    EADDRNOTAVAIL: 'this machine has no such address',
    ENOTFOUND: 'there is no such host',
  }
  const reason = reasons[error.code ?? ''] ?? error.message
  return new UserError(`cannot listen at ${host}:${port}: ${reason}; name another by --listen [HOST:]PORT`, 'OBS005')
}
