/** Opens requests towards a host's listener. */
import { headerPairs } from '../headers.ts'
import type { HostOptions, RequestInit } from '../types.ts'
import { ALPN, openConnection, TlsError } from './client/connection.ts'
import type { BodyKind, Exchange } from './client/exchange.ts'
import { exchangeRaw, openHttp1 } from './client/http1.ts'
import { openHttp2 } from './client/http2.ts'
import { bodyChunks } from './server/answer.ts'

/** Where to connect to. */
export interface Listener {
  port: number
  host: string | undefined
}

export interface OpenExchange {
  exchange: Exchange
  /** The client's `ip:port`. */
  address: string
}

/** The identities to show, or undefined for plaintext. */
export function clientIdentities(peer: RequestInit['peer'], tls: HostOptions['tls']): readonly string[] | undefined {
  if (peer === undefined) return undefined
  if (!tls) throw new Error('the request has a `peer`, but the host has no `tls`')
  return typeof peer === 'string' ? [peer] : peer
}

/** Connects and sends the headers. `streamed`: the body follows piece by piece. Undefined: TLS was refused. */
export async function openExchange(
  listener: Listener,
  init: RequestInit,
  tls: HostOptions['tls'],
  streamed: boolean,
): Promise<OpenExchange | undefined> {
  const peer = clientIdentities(init.peer, tls)
  const http2 = init.protocol === 'http2' || init.trailers !== undefined
  const { source, sni } = init
  const alpn = http2 ? ALPN.http2 : ALPN.http1
  const connection = await openConnection({ ...listener, alpn, source, peer, sni }).catch((error: Error) => {
    if (error instanceof TlsError) return undefined
    throw error
  })
  if (!connection) return undefined
  const { socket, address } = connection
  if (init.raw) return { exchange: exchangeRaw(socket, Buffer.from(init.raw as string)), address }

  const request = {
    method: init.method ?? 'GET',
    path: init.path ?? '/',
    authority: init.authority ?? 'localhost',
    scheme: init.scheme ?? (peer ? 'https' : 'http'),
    headers: headerPairs(init.headers),
  }
  const exchange = http2
    ? openHttp2(socket, request, {
        endWithHeaders: !streamed && init.body === undefined && init.trailers === undefined,
        trailers: streamed || init.trailers !== undefined,
      })
    : openHttp1(socket, request, streamed ? 'chunked' : bodyKind(init))
  return { exchange, address }
}

/** Sends the body and ends the request. `settle`: waits until Envoy has read a chunk, so that the next is not one with it. */
export async function sendBody(exchange: Exchange, init: RequestInit, settle: () => Promise<void>): Promise<void> {
  if (init.raw || (init.body === undefined && init.trailers === undefined)) return
  const chunks = bodyChunks(init.body)
  const last = chunks.pop()
  for (const chunk of chunks) {
    await exchange.write(chunk)
    await settle()
  }
  await exchange.end(last, init.trailers)
}

function bodyKind({ body }: RequestInit): BodyKind {
  if (body === undefined) return 'none'
  if (typeof body !== 'string' && !(body instanceof Uint8Array)) return 'chunked'
  return { length: Buffer.byteLength(body) }
}
