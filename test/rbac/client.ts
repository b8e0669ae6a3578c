/** A client that keeps its connection and sends what it is told, byte by byte where HTTP/1.1 allows it. */

import { authorityCertificate, issueCertificate } from '@meshscript/sdk/testing/envoy/index'
import { type ClientHttp2Session, connect as connectHttp2 } from 'node:http2'
import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { Connection, WireRequest } from './requests.ts'

export interface WireResponse {
  status: number
  /** The last value of each, by names in lower case. */
  headers: Record<string, string>
}

/** No answer came, or none that is HTTP. */
export class NoAnswer extends Error {
  override name = 'NoAnswer'
}

const TIMEOUT = 10_000

export class Client {
  readonly #port: number
  readonly #connection: Connection
  #socket: Promise<Socket> | undefined
  #session: ClientHttp2Session | undefined

  constructor(port: number, connection: Connection) {
    this.#port = port
    this.#connection = connection
  }

  /** One request at a time. Rejects with `NoAnswer` when the connection ends before the answer. */
  async request(request: WireRequest): Promise<WireResponse> {
    try {
      return await (this.#connection.http2 ? this.#http2(request) : this.raw(http1(request), request.method === 'HEAD'))
    } catch (error) {
      this.close()
      throw error
    }
  }

  /** These bytes. */
  async raw(bytes: string | Uint8Array, isHead = false): Promise<WireResponse> {
    const socket = await this.#open()
    const response = await new Promise<WireResponse>((resolve, reject) => {
      let text = ''
      const end = (error?: Error) => {
        clearTimeout(timer)
        socket.off('data', read).off('close', closed)
        if (error) reject(error)
      }
      const closed = () => {
        const response = parse(text, isHead, true)
        end(response ? undefined : new NoAnswer(`the connection was closed: ${text.slice(0, 200)}`))
        if (response) resolve(response)
      }
      const read = (data: Buffer) => {
        text += data.toString('latin1')
        const response = parse(text, isHead, false)
        if (!response) return
        end()
        resolve(response)
      }
      const timer = setTimeout(() => end(new NoAnswer('no answer in time')), TIMEOUT)
      socket.on('data', read).on('close', closed)
      socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes)
    })
    if (response.headers.connection === 'close' || socket.destroyed) this.close()
    return response
  }

  close(): void {
    this.#session?.destroy()
    this.#session = undefined
    void this.#socket?.then(
      (socket) => socket.destroy(),
      () => {},
    )
    this.#socket = undefined
  }

  async #http2({ method, path, authority, headers, body }: WireRequest): Promise<WireResponse> {
    if (!this.#session || this.#session.closed || this.#session.destroyed) {
      this.close()
      const socket = await this.#open()
      this.#session = connectHttp2('http://localhost', { createConnection: () => socket })
      this.#session.on('error', () => {})
    }
    const lines: Record<string, string | string[]> = {}
    for (const [name, value] of headers) {
      const key = name.toLowerCase()
      const before = lines[key]
      lines[key] = before === undefined ? value : [before, value].flat()
    }
    const stream = this.#session.request(
      {
        ':method': method,
        ':scheme': this.#connection.peer ? 'https' : 'http',
        ':authority': authority,
        ':path': path,
        ...lines,
      },
      { endStream: body === undefined },
    )
    return new Promise((resolve, reject) => {
      let response: WireResponse | undefined
      const timer = setTimeout(() => stream.destroy(), TIMEOUT)
      stream.on('error', () => {})
      stream.on('response', (answer) => {
        const entries = Object.entries(answer).map(([name, value]) => [name, String(value)])
        response = { status: Number(answer[':status']), headers: Object.fromEntries(entries) as Record<string, string> }
      })
      stream.on('close', () => {
        clearTimeout(timer)
        if (response) resolve(response)
        else reject(new NoAnswer('the stream was reset'))
      })
      stream.resume()
      if (body !== undefined) stream.end(body)
    })
  }

  #open(): Promise<Socket> {
    return (this.#socket ??= open(this.#port, this.#connection))
  }
}

async function open(port: number, { peer, sni, source, proxied, http2 }: Connection): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', localAddress: source })
  socket.setNoDelay(true)
  await opened(socket, 'connect')
  if (proxied) {
    const { from, to, port } = proxied
    socket.write(`PROXY ${from.includes(':') ? 'TCP6' : 'TCP4'} ${from} ${to} 40000 ${port}\r\n`)
  }
  if (!peer) return socket
  const { certificate, key } = await issueCertificate(...peer)
  const secure = connectTls({
    socket,
    ca: await authorityCertificate(),
    cert: certificate,
    key,
    ...(sni !== undefined && { servername: sni }),
    ALPNProtocols: [http2 ? 'h2' : 'http/1.1'],
    checkServerIdentity: () => undefined,
  })
  await opened(secure, 'secureConnect')
  return secure
}

function opened(socket: Socket, event: 'connect' | 'secureConnect'): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (error?: Error) => reject(new NoAnswer(`${event}: ${error?.message ?? 'closed'}`))
    const closed = () => fail()
    socket.once('error', fail).once('close', closed)
    socket.once(event, () => {
      socket.off('error', fail).off('close', closed)
      socket.on('error', () => {})
      resolve()
    })
  })
}

function http1({ method, path, authority, headers, body }: WireRequest): string {
  const lines = [
    `${method} ${path} HTTP/1.1`,
    `Host: ${authority}`,
    ...headers.map(([name, value]) => `${name}: ${value}`),
  ]
  if (body !== undefined) lines.push(`Content-Length: ${body.length}`)
  return `${lines.join('\r\n')}\r\n\r\n${body ?? ''}`
}

/** Undefined until it is complete. */
function parse(text: string, isHead: boolean, isEnd: boolean): WireResponse | undefined {
  const end = text.indexOf('\r\n\r\n')
  if (end < 0) return undefined
  const [first = '', ...lines] = text.slice(0, end).split('\r\n')
  const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(first)?.[1] ?? 0)
  if (status >= 100 && status < 200) return parse(text.slice(end + 4), isHead, isEnd)
  const headers = Object.fromEntries(
    lines.map((line) => {
      const colon = line.indexOf(':')
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()]
    }),
  )
  const length = isHead || status === 204 ? 0 : Number(headers['content-length'] ?? (isEnd ? 0 : Infinity))
  return text.length >= end + 4 + length || isEnd ? { status, headers } : undefined
}
