/** Envoy's attributes, by what was seen on 1.40: where one is missing in a phase, it is missing here. */
import { CelGroup, CelHeaders, CelList, CelMap, CelMessage, type CelValue } from './cel.ts'
import type { AttributeHeaders, Context } from './context.ts'
import type { HeaderMap } from './header_map.ts'
import { dynamicMetadata } from './metadata.ts'
import { encodeMessage } from './protobuf.ts'
import type { ConnectionInfo, FilterStateObject, HttpInfo, StreamInfo } from './stream_info.ts'

type Find = (name: string) => CelValue | undefined

const NODE = new CelMessage(
  encodeMessage([
    [1, 'meshscript'],
    [2, 'meshscript'],
    [6, 'envoy'],
  ]),
  {
    id: 'meshscript',
    cluster: 'meshscript',
    user_agent_name: 'envoy',
  },
)
const EMPTY_MESSAGE = new CelMessage(Buffer.alloc(0))
const NO_METADATA = dynamicMetadata({})

/** By segments with NULs between them. Undefined: not found. */
export function getProperty(context: Context, path: string): CelValue | undefined {
  if (path === '') return null
  const [first, ...rest] = path.endsWith('\0') ? path.slice(0, -1).split('\0') : path.split('\0')
  const { properties } = context.host
  if (properties.size > 0) {
    const given = properties.get([first, ...rest].join('.'))
    if (given !== undefined) return given
  }
  let value = findAttribute(context, first!)
  for (const part of rest) {
    if (value === undefined) return undefined
    value = step(value, part)
  }
  return value
}

/** An attribute or family by its first name; also what filters stored as `wasm.NAME`. */
export function findAttribute(context: Context, name: string): CelValue | undefined {
  const { properties } = context.host
  const found = attribute(context, name)
  if (properties.size === 0) return found
  const given = properties.get(name)
  if (given !== undefined) return given
  if (![...properties.keys()].some((key) => key.startsWith(`${name}.`))) return found
  return overridden(properties, name, found)
}

/** What a spec gives goes before what the host knows, at any depth. */
function overridden(given: ReadonlyMap<string, CelValue>, prefix: string, found: CelValue | undefined): CelGroup {
  return new CelGroup((part) => {
    const path = `${prefix}.${part}`
    const value = given.get(path)
    if (value !== undefined) return value
    const inner = found === undefined ? undefined : step(found, part)
    return [...given.keys()].some((key) => key.startsWith(`${path}.`)) ? overridden(given, path, inner) : inner
  })
}

function step(value: CelValue, part: string): CelValue | undefined {
  if (value instanceof CelMap || value instanceof CelMessage) return value.get(part)
  if (value instanceof CelList && /^\d+$/.test(part)) return value.items[Number(part)]
  return undefined
}

function attribute(context: Context, name: string): CelValue | undefined {
  const { info } = context
  switch (name) {
    case 'plugin_name':
      return context.plugin.nameBytes
    case 'plugin_root_id':
      return context.plugin.rootId
    case 'plugin_vm_id':
      return context.vm.options.vmId
    case 'xds':
      return new CelGroup((part) => xds(info, part))
  }
  if (!info) return undefined
  const family = FAMILIES[name]
  if (family) return family(info, context.attributeHeaders)
  if (name === 'connection_id') return BigInt(info.connection.id)
  const own = context.ownAttribute(name)
  if (own !== undefined) return own
  const state = info.filterState.get(`wasm.${name}`)
  return state && stateValue(state)
}

const FAMILIES: Record<string, (info: StreamInfo, headers: AttributeHeaders) => CelValue | undefined> = {
  request: ({ http }, { request }) => http && new CelGroup((name) => requestAttribute(http, request, name)),
  response: ({ http }, headers) => http && new CelGroup((name) => responseAttribute(http, headers, name)),
  source: (info) => address(info.http?.source ?? info.connection.source),
  destination: (info) => address(info.connection.destination),
  connection: (info) => new CelGroup((name) => connectionAttribute(info.connection, name)),
  upstream: (info) => new CelGroup((name) => upstreamAttribute(info, name)),
  metadata: ({ metadata }) => metadata ?? NO_METADATA,
  filter_state: ({ filterState }) =>
    new CelGroup((key) => {
      const state = filterState.get(key)
      return state && stateValue(state)
    }),
  upstream_filter_state: ({ http }) => (http?.upstream ? new CelGroup(() => undefined) : undefined),
}

/** Declared types: bytes 0, string 1, FlatBuffers 2, protobuf 3. All give their bytes. */
function stateValue({ value }: FilterStateObject): CelValue {
  return value
}

function requestAttribute(http: HttpInfo, headers: HeaderMap | undefined, name: string): CelValue | undefined {
  switch (name) {
    case 'headers':
      return new CelHeaders(headers)
    case 'headers_bytes':
      return BigInt(headers?.byteSize ?? 0)
    case 'time':
      return nanoseconds(http.start)
    case 'size':
      return contentLength(headers) ?? BigInt(http.requestSize)
    case 'total_size':
      return BigInt(http.requestSize + (headers?.byteSize ?? 0))
    case 'duration':
      return http.end === undefined ? undefined : nanoseconds(http.end - http.start)
    case 'protocol':
      return http.protocol
  }
  const path = headers?.get(':path')
  switch (name) {
    case 'path':
      return path
    case 'url_path':
      return path?.split('?')[0]
    case 'query':
      return path === undefined ? undefined : path.slice(path.includes('?') ? path.indexOf('?') + 1 : path.length)
    case 'host':
      return headers?.get(':authority')
    case 'scheme':
      return headers?.get(':scheme')
    case 'method':
      return headers?.get(':method')
    case 'referer':
      return headers?.get('referer')
    case 'useragent':
      return headers?.get('user-agent')
    case 'id':
      return headers?.get('x-request-id')
    default:
      return undefined
  }
}

/** As Envoy, which believes the header while the body is on its way. */
function contentLength(headers: HeaderMap | undefined): bigint | undefined {
  const text = headers?.get('content-length')
  return text !== undefined && /^\d{1,18}$/.test(text) ? BigInt(text) : undefined
}

function responseAttribute(http: HttpInfo, headers: AttributeHeaders, name: string): CelValue | undefined {
  switch (name) {
    case 'code':
      return http.responseCode === undefined ? undefined : BigInt(http.responseCode)
    case 'code_details':
      return http.details === '' ? undefined : http.details
    case 'flags':
      return BigInt(http.flags)
    case 'grpc_status':
      return grpcStatus(http, headers)
    case 'headers':
      return new CelHeaders(headers.response)
    case 'headers_bytes':
      return BigInt(headers.response?.byteSize ?? 0)
    case 'trailers':
      return new CelHeaders(headers.responseTrailers)
    case 'size':
      return BigInt(http.responseSize)
    case 'total_size':
      return BigInt(http.responseSize + (headers.response?.byteSize ?? 0) + (headers.responseTrailers?.byteSize ?? 0))
    case 'backend_latency': {
      const reply = http.upstream?.reply
      return reply === undefined || http.end === undefined ? undefined : nanoseconds(reply - http.upstream!.connected)
    }
    default:
      return undefined
  }
}

/** From trailers or headers, else what the HTTP status stands for. */
function grpcStatus(http: HttpInfo, headers: AttributeHeaders): bigint | undefined {
  const text = headers.responseTrailers?.get('grpc-status') ?? headers.response?.get('grpc-status')
  if (text !== undefined && /^\d+$/.test(text)) return BigInt(text)
  if (http.responseCode === undefined) return undefined
  return BigInt(HTTP_TO_GRPC[http.responseCode] ?? 2)
}

/** gRPC status for a response that has none. */
export const HTTP_TO_GRPC: Record<number, number> = {
  400: 13,
  401: 16,
  403: 7,
  404: 12,
  429: 14,
  502: 14,
  503: 14,
  504: 14,
}

function connectionAttribute(connection: ConnectionInfo, name: string): CelValue | undefined {
  const { tls } = connection
  switch (name) {
    case 'id':
      return BigInt(connection.id)
    case 'mtls':
      return tls !== undefined
    case 'requested_server_name':
      return connection.sni
    case 'tls_version':
      return tls?.version
    case 'subject_local_certificate':
    case 'subject_peer_certificate':
      return tls && ''
    case 'uri_san_peer_certificate':
      return tls?.peerUris[0]
    case 'dns_san_peer_certificate':
      return tls?.peerDns[0]
    case 'uri_san_local_certificate':
      return tls?.localUris[0]
    case 'sha256_peer_certificate_digest':
      return tls?.peerDigest
    case 'peer_certificate':
      return tls?.peerPem
    default:
      return undefined
  }
}

function upstreamAttribute({ http }: StreamInfo, name: string): CelValue | undefined {
  const upstream = http?.upstream
  if (name === 'num_endpoints') return http?.route?.cluster === undefined ? undefined : 1n
  if (name === 'request_attempt_count') return http && BigInt(http.attempts)
  if (!upstream) return undefined
  switch (name) {
    case 'address':
      return `${upstream.address}:${upstream.port}`
    case 'port':
      return BigInt(upstream.port)
    case 'local_address':
      return upstream.localAddress
    case 'cx_pool_ready_duration':
      return nanoseconds(upstream.connected - http.start)
    case 'transport_failure_reason':
    case 'locality':
      return ''
    default:
      return undefined
  }
}

function xds(info: StreamInfo | undefined, name: string): CelValue | undefined {
  if (name === 'node') return NODE
  if (!info) return undefined
  const route = info.http?.route
  switch (name) {
    case 'listener_direction':
      return 0n
    case 'listener_metadata':
      return EMPTY_MESSAGE
    case 'filter_chain_name':
      return info.connection.filterChain
    case 'virtual_host_name':
      return info.http && 'default'
    case 'virtual_host_metadata':
      return info.http && EMPTY_MESSAGE
    case 'route_name':
      return route?.name
    case 'route_metadata':
      return route && EMPTY_MESSAGE
    case 'cluster_name':
      return route?.cluster
    case 'cluster_metadata':
      return route?.cluster === undefined ? undefined : EMPTY_MESSAGE
    case 'upstream_host_metadata':
    case 'upstream_host_locality_metadata':
      return info.http?.upstream ? null : undefined
    default:
      return undefined
  }
}

function address({ address, port }: { address: string; port: number }): CelGroup {
  const find: Find = (name) => {
    if (name === 'address') return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
    return name === 'port' ? BigInt(port) : undefined
  }
  return new CelGroup(find)
}

function nanoseconds(milliseconds: number): bigint {
  return BigInt(Math.round(milliseconds * 1000)) * 1000n
}
