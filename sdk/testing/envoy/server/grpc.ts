/** gRPC upstreams: messages in HTTP/2 DATA frames, each behind a flag byte and its length. */
import type { ServerHttp2Stream } from 'node:http2'
import { setTimeout as sleep } from 'node:timers/promises'
import { grpcFrame, grpcMessages } from '../../grpc_frames.ts'
import { headerPairs } from '../../headers.ts'
import type { GrpcHandler, GrpcResult } from '../../types.ts'
import { toHttp2Headers } from '../wire.ts'
import { send, serveHttp2 } from './http2.ts'
import type { ClusterServer, Recorder } from './record.ts'

const UNIMPLEMENTED = 12

export function startGrpc(
  cluster: string,
  methods: Record<string, GrpcHandler>,
  record: Recorder,
): Promise<ClusterServer> {
  return serveHttp2(cluster, record, async (request, stream) => {
    const handler = methods[request.path.slice(1)]
    const result: GrpcResult = handler
      ? await handler(grpcMessages(request.body), request.headers)
      : { status: UNIMPLEMENTED, message: `no method ${request.path}` }
    if (result.delay) await sleep(result.delay)
    respond(stream, result)
  })
}

function respond(stream: ServerHttp2Stream, result: GrpcResult): void {
  const { messages = [], status = 0, message, initialMetadata, trailingMetadata } = result
  const trailersOnly = result.trailersOnly ?? (messages.length === 0 && status !== 0)
  const headers = {
    ':status': 200,
    'content-type': 'application/grpc',
    ...toHttp2Headers(headerPairs(initialMetadata)),
  }
  const trailers = {
    'grpc-status': String(status),
    // Percent-encoded, as the protocol wants it.
    ...(message !== undefined && { 'grpc-message': encodeURIComponent(message) }),
    ...toHttp2Headers(headerPairs(trailingMetadata)),
  }
  if (trailersOnly) return send(stream, { ...headers, ...trailers }, {}, true)
  send(stream, headers, trailers, false)
  for (const bytes of messages) stream.write(grpcFrame(bytes))
  stream.end()
}
