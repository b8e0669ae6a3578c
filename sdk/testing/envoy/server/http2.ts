/** Upstreams that speak HTTP/2 without TLS: plain ones, and gRPC services. */
import { constants, createServer, type OutgoingHttpHeaders, type ServerHttp2Stream } from 'node:http2'
import type { AddressInfo, Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { headerList } from '../../headers.ts'
import type { HeaderList, UpstreamRequest } from '../../types.ts'
import { rawPairs, toHttp2Headers } from '../wire.ts'
import { type Answer, CHUNK_GAP, toAnswer } from './answer.ts'
import type { HttpHandler } from '../../types.ts'
import type { ClusterServer, Recorder } from './record.ts'

type Responder = (request: UpstreamRequest, stream: ServerHttp2Stream) => Promise<void>

export function startHttp2(cluster: string, handler: HttpHandler, record: Recorder): Promise<ClusterServer> {
  return serveHttp2(cluster, record, async (request, stream) => respond(stream, await toAnswer(await handler(request))))
}

/** A server that hands complete requests to `responder`. */
export async function serveHttp2(cluster: string, record: Recorder, responder: Responder): Promise<ClusterServer> {
  const sockets = new Set<Socket>()
  const server = createServer({ maxHeaderListPairs: 2000, settings: { maxHeaderListSize: 1 << 20 } })
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  server.on('sessionError', () => {})
  server.on('stream', (stream: ServerHttp2Stream, _headers: unknown, _flags: unknown, raw: string[]) => {
    stream.on('error', () => {})
    void (async () => {
      const socket = stream.session!.socket
      const peer = `${socket.remoteAddress}:${socket.remotePort}`
      try {
        const request = await receive(cluster, stream, raw)
        record({ request, peer })
        await responder(request, stream)
      } catch (error) {
        if (stream.destroyed || stream.headersSent) return stream.close(constants.NGHTTP2_INTERNAL_ERROR)
        stream.respond({ ':status': 500 })
        stream.end(`handler failed: ${String(error)}`)
      }
    })()
  })
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    protocol: 'http2',
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      }),
  }
}

async function receive(cluster: string, stream: ServerHttp2Stream, raw: string[]): Promise<UpstreamRequest> {
  let trailers: HeaderList = headerList([])
  stream.on(
    'trailers',
    (_headers: unknown, _flags: unknown, rawTrailers: string[]) => (trailers = headerList(rawPairs(rawTrailers))),
  )
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk as Buffer)
  const headers = rawPairs(raw)
  const pseudo = (name: string) => headers.find(([key]) => key === name)?.[1] ?? ''
  return {
    cluster,
    method: pseudo(':method'),
    path: pseudo(':path'),
    authority: pseudo(':authority'),
    headers: headerList(headers),
    body: Buffer.concat(chunks),
    trailers,
  }
}

async function respond(stream: ServerHttp2Stream, answer: Answer): Promise<void> {
  if (answer.kind === 'hang') return
  if (answer.kind === 'reset') return stream.session?.destroy()
  if (answer.kind === 'reset-after-headers') {
    stream.respond({ ':status': 200 })
    await sleep(CHUNK_GAP)
    return stream.session?.destroy()
  }
  const { status, chunks, sized, trailers } = answer
  const headers: OutgoingHttpHeaders = { ':status': status, ...toHttp2Headers(answer.headers) }
  if (sized && trailers.length === 0 && chunks.length > 0) {
    headers['content-length'] ??= String(Buffer.concat(chunks).length)
  }
  send(stream, headers, toHttp2Headers(trailers), chunks.length === 0)
  for (const [index, chunk] of chunks.entries()) {
    if (index > 0) await sleep(CHUNK_GAP)
    stream.write(chunk)
  }
  stream.end()
}

/** Sends headers; trailers, if there are any, follow when the stream is ended. */
export function send(
  stream: ServerHttp2Stream,
  headers: OutgoingHttpHeaders,
  trailers: OutgoingHttpHeaders,
  empty: boolean,
): void {
  const waitForTrailers = Object.keys(trailers).length > 0
  if (waitForTrailers) stream.once('wantTrailers', () => stream.sendTrailers(trailers))
  // `sendDate` would add a header that the handler did not ask for.
  stream.respond(headers, { waitForTrailers, endStream: empty && !waitForTrailers, sendDate: false } as object)
}
