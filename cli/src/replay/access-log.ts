/** Records of Istio's access log in JSON (`accessLogEncoding: JSON`): what the sidecar of the workload has written. */
import { emptyRequest } from '../requests/request.ts'
import { unknown, type Direction, type Skipped, type TrafficRecord } from './record.ts'

type Line = Record<string, unknown>

/** Headers that Istio's format has, by the field that they are in. */
const headerFields = { user_agent: 'user-agent', x_forwarded_for: 'x-forwarded-for', request_id: 'x-request-id' }

export function isAccessLog(line: Line): boolean {
  return 'response_code' in line || 'downstream_remote_address' in line || 'start_time' in line
}

export function fromAccessLog(line: Line, direction: Direction): TrafficRecord | Skipped {
  const method = text(line, 'method')
  const path = text(line, 'path')
  if (method === undefined || path === undefined) return { skip: 'not HTTP' }
  const other = direction === 'inbound' ? 'outbound' : 'inbound'
  if (text(line, 'upstream_cluster')?.startsWith(`${other}|`)) return { skip: other }
  const request = { ...emptyRequest(), method, path, host: text(line, 'authority') ?? '' }
  const kinds: Parameters<typeof unknown>[0][number][] = ['claims', 'metadata']
  const known: string[] = []
  for (const [field, name] of Object.entries(headerFields)) {
    if (!(field in line)) continue
    known.push(name)
    const value = text(line, field)
    if (value !== undefined) request.headers.push([name, value])
  }

  // With X-Forwarded-For the address is the one that it names, and has no port: then the direct peer is not known.
  const remote = address(text(line, 'downstream_remote_address'))
  if (remote && remote.port !== 0) request.sourceIp = remote.address
  else kinds.push('sourceIp')
  if (!remote && !known.includes('x-forwarded-for')) kinds.push('remoteIp')
  if (remote && !request.headers.some(([name]) => name === 'x-forwarded-for') && remote.port === 0) {
    request.headers.push(['x-forwarded-for', remote.address])
  }

  const local = address(text(line, 'downstream_local_address'))
  if (local) {
    request.destinationIp = local.address
    request.port = local.port
  } else kinds.push('destinationIp', 'port')
  if ('requested_server_name' in line) request.sni = text(line, 'requested_server_name')
  else kinds.push('sni')
  // Not in Istio's own format, but a common addition: %DOWNSTREAM_PEER_URI_SAN%.
  if ('downstream_peer_uri_san' in line) request.peer = text(line, 'downstream_peer_uri_san')?.split(',') ?? []
  else kinds.push('principal')
  return { request, unknown: unknown(kinds, false, known) }
}

/** Envoy writes `null` or `-` for what there is not. */
function text(line: Line, field: string): string | undefined {
  const value = line[field]
  return typeof value === 'string' && value !== '-' && value !== '' ? value : undefined
}

function address(value: string | undefined): { address: string; port: number } | undefined {
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:]+)):(\d+)$/.exec(value ?? '') ?? []
  const found = bracketed ?? plain
  return found === undefined ? undefined : { address: found, port: Number(port) }
}
