/** An HTTP/2 client for one request on a connection of its own. */
import { type ClientHttp2Stream, connect, constants } from 'node:http2'
import type { Socket } from 'node:net'
import { headerPairs } from '../../headers.ts'
import { rawPairs, toHttp2Headers } from '../wire.ts'
import type { Exchange, ExchangeRequest, WireResponse } from './exchange.ts'

/** What HTTP/2 has no place for: it frames bodies by itself, and has one connection for many requests. */
const HOP_BY_HOP = new Set(['host', 'connection', 'transfer-encoding', 'keep-alive', 'upgrade', 'proxy-connection'])

export interface Http2Options {
  /** No body and no trailers: the headers end the request. */
  endWithHeaders: boolean
  /** Trailers may follow. */
  trailers: boolean
}

export function openHttp2(socket: Socket, request: ExchangeRequest, options: Http2Options): Exchange {
  const session = connect(`${request.scheme}://${request.authority || 'localhost'}`, {
    createConnection: () => socket,
    settings: { enablePush: false, maxHeaderListSize: 1 << 20 },
  })
  session.on('error', () => {})
  const headers = request.headers.filter(([name]) => !HOP_BY_HOP.has(name.toLowerCase()))
  const stream = session.request(
    {
      ':method': request.method,
      ':scheme': request.scheme,
      ':authority': request.authority,
      ':path': request.path,
      ...toHttp2Headers(headers),
    },
    { endStream: options.endWithHeaders, waitForTrailers: options.trailers },
  )

  const response: WireResponse = { status: 0, headers: [], body: Buffer.alloc(0), trailers: [], reset: true }
  const chunks: Buffer[] = []
  let trailers: [string, string][] = []
  // None after all: Node then ends the stream with an empty DATA frame.
  stream.on('wantTrailers', () => stream.sendTrailers(toHttp2Headers(trailers)))
  stream.on('error', () => {})
  stream.on('response', (_headers, _flags, raw?: string[]) => {
    response.headers = rawPairs(raw ?? [])
    response.status = Number(response.headers.find(([name]) => name === ':status')?.[1] ?? 0)
  })
  stream.on('trailers', (_headers, _flags, raw?: string[]) => (response.trailers = rawPairs(raw ?? [])))
  stream.on('data', (chunk: Buffer) => chunks.push(chunk))
  stream.on('end', () => (response.reset = response.status === 0 || isFailure(stream)))

  return {
    write: (chunk) => writeTo(stream, chunk),
    end: async (last, init) => {
      trailers = headerPairs(init)
      if (!stream.destroyed && !stream.writableEnded) stream.end(last)
    },
    response: new Promise((resolve) => {
      stream.on('close', () => {
        if (isFailure(stream)) response.reset = true
        resolve({ ...response, body: Buffer.concat(chunks) })
        session.destroy()
      })
    }),
    progress: () => (response.status === 0 ? 'no response headers came' : `status ${response.status} came`),
    close: () => {
      stream.close(constants.NGHTTP2_CANCEL)
      session.destroy()
    },
  }
}

/** An error code; NO_ERROR after a complete response only says that the rest of the request is not wanted. */
function isFailure(stream: ClientHttp2Stream): boolean {
  return stream.rstCode !== undefined && stream.rstCode !== constants.NGHTTP2_NO_ERROR
}

function writeTo(stream: ClientHttp2Stream, chunk: Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    if (stream.destroyed || stream.writableEnded) resolve()
    else stream.write(chunk, () => resolve())
  })
}
