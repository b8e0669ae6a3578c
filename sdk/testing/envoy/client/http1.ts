/**
 * An HTTP/1.1 client for one request on a connection of its own. It writes exactly what it is told – order and case of
 * header lines, repeated names, chunks one by one – which Node's client does not allow.
 */
import type { Socket } from 'node:net'
import { toWire } from '../wire.ts'
import type { BodyKind, Exchange, ExchangeRequest, WireResponse } from './exchange.ts'
import { ResponseParser } from './http1-parser.ts'

export function openHttp1(socket: Socket, request: ExchangeRequest, body: BodyKind): Exchange {
  const { method, path, authority, headers } = request
  const given = (name: string) => headers.some(([key]) => key.toLowerCase() === name)
  const lines = [`${method} ${path} HTTP/1.1`]
  if (!given('host')) lines.push(`Host: ${authority}`)
  for (const [name, value] of headers) lines.push(`${name}: ${value}`)
  // Framing that the test gives is left as it is, right or wrong.
  const framed = given('content-length') || given('transfer-encoding')
  if (!framed && body === 'chunked') lines.push('Transfer-Encoding: chunked')
  if (!framed && typeof body === 'object') lines.push(`Content-Length: ${body.length}`)
  const chunked = body === 'chunked' && !given('content-length')

  const exchange = exchangeRaw(
    socket,
    Buffer.from(toWire(`${lines.join('\r\n')}\r\n\r\n`), 'latin1'),
    method === 'HEAD',
  )
  if (!chunked) return exchange
  return {
    ...exchange,
    write: (chunk) => exchange.write(frame(chunk)),
    end: (last = Buffer.alloc(0)) => exchange.write(Buffer.concat([frame(last), Buffer.from('0\r\n\r\n')])),
  }
}

/** An empty chunk would be the last one. */
function frame(chunk: Uint8Array): Buffer {
  if (chunk.length === 0) return Buffer.alloc(0)
  return Buffer.concat([Buffer.from(`${chunk.length.toString(16)}\r\n`), chunk, Buffer.from('\r\n')])
}

/** Sends these bytes, and reads one response. */
export function exchangeRaw(socket: Socket, head: Uint8Array, bodyless = false): Exchange {
  const parser = new ResponseParser(bodyless)
  const response = new Promise<WireResponse>((resolve) => {
    const settle = () => {
      resolve(parser.result())
      socket.destroy()
    }
    socket.on('data', (data: Buffer) => {
      parser.push(data)
      if (parser.complete) settle()
    })
    socket.on('end', () => {
      parser.end()
      settle()
    })
    socket.on('close', settle)
  })
  const write = (chunk: Uint8Array) =>
    new Promise<void>((resolve) => {
      // A write to a connection that Envoy has closed is no failure: the response says what happened.
      if (socket.destroyed) resolve()
      else socket.write(chunk, () => resolve())
    })
  void write(head)
  return {
    write,
    end: (last) => (last ? write(last) : Promise.resolve()),
    response,
    progress: () => parser.progress(),
    close: () => socket.destroy(),
  }
}
