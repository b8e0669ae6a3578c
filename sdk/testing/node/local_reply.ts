/** A response that the proxy makes by itself. */
import type { LocalResponse } from './context.ts'
import { HeaderMap } from './header_map.ts'
import { HTTP_TO_GRPC } from './properties.ts'

/** As Envoy prepares it: a gRPC client gets status and message in the headers of a response with status 200. */
export function prepareLocalReply(
  { status, body, headers, grpcStatus }: LocalResponse,
  request: HeaderMap,
): { headers: HeaderMap; body: Buffer } {
  const map = new HeaderMap('response', [[':status', String(status)], ...headers])
  if (isGrpc(request)) {
    map.assign(':status', '200')
    map.assign('content-type', 'application/grpc')
    if (!map.has('grpc-status')) {
      const known = grpcStatus >= 0 && grpcStatus <= 16
      map.set('grpc-status', String(known ? grpcStatus : (HTTP_TO_GRPC[status] ?? 2)))
    }
    if (body.length > 0) map.set('grpc-message', percentEncode(body))
    map.remove('content-length')
    return { headers: map, body: Buffer.alloc(0) }
  }
  if (body.length > 0) {
    map.assign('content-length', String(body.length))
    if (!map.has('content-type')) map.set('content-type', 'text/plain')
  } else {
    map.remove('content-length')
    map.remove('content-type')
  }
  return { headers: map, body }
}

export function plainReply(status: number, text: string, details: string): LocalResponse {
  return { status, body: Buffer.from(text), details, headers: [], grpcStatus: -1 }
}

export function isGrpc(request: HeaderMap): boolean {
  return /^application\/grpc(\+|;|$)/.test(request.get('content-type') ?? '')
}

/** gRPC's own: printable ASCII but for the percent sign. */
function percentEncode(body: Buffer): string {
  return [...body]
    .map((byte) =>
      byte >= 0x20 && byte < 0x7f && byte !== 0x25
        ? String.fromCharCode(byte)
        : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`,
    )
    .join('')
}
