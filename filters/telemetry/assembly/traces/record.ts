import { ByteString, HeaderMap, JsonValue, Pairs, property, utf8 } from '@meshscript/sdk'
import { Attribute, Attributes } from '../attributes'
import { Exchange } from '../exchange'
import { responseFlagsText } from '../flags'
import { Workload } from '../workload'
import { decimal } from '../../../common/assembly/decimal'
import { SpanEncoder } from './encoder'
import { CustomTag, readTags } from './custom_tag'
import { Span } from './span'

/** What spans need of every request. */
const NEEDED: Attribute[] = [
  Attribute.Time,
  Attribute.Duration,
  Attribute.Method,
  Attribute.Path,
  Attribute.Scheme,
  Attribute.Protocol,
  Attribute.Authority,
  Attribute.Code,
  Attribute.Flags,
]

/** What a span says of a request: names and values by OpenTelemetry's semantic conventions for HTTP, version 1.37. */
@final
export class SpanRecord {
  span: Span = new Span()
  readonly isServer: bool
  /** Nanoseconds since 1970. */
  start: u64 = 0
  end: u64 = 0
  /** The method, where it is one of those that are known; `HTTP` else. */
  name: ByteString = ByteString.empty
  /** HTTP status; 0 where there is no response. */
  status: i64 = 0
  /** Empty where all is well. */
  error: ByteString = ByteString.empty
  /** Who is at the other end; null where that is not known. */
  peer: Workload | null = null
  private attributes: Attributes = new Attributes()
  private headers: usize = 0
  private grpcStatus: i64 = 0
  private tags: CustomTag[]
  private hasIstioTags: bool

  constructor(
    json: JsonValue,
    private exchange: Exchange,
  ) {
    this.isServer = !exchange.isSource
    this.tags = readTags(json.get('tags'))
    this.hasIstioTags = json.get('istioTags').bool(true)
    for (let i = 0; i < NEEDED.length; i++) this.attributes.expect(NEEDED[i])
    this.attributes.prepare()
  }

  /** Reads a request whose log callback runs. */
  read(span: Span, exchange: Exchange, headers: HeaderMap): void {
    this.span = span
    const attributes = this.attributes
    attributes.forget()
    attributes.read()
    this.headers = changetype<usize>(headers.all())
    this.start = attributes.number(Attribute.Time, 0)
    // It has none where the request was cut off.
    const duration = attributes.number(Attribute.Duration, -1)
    this.end = duration >= 0 ? this.start + duration : max<u64>(this.start, exchange.now)
    this.status = attributes.number(Attribute.Code, 0)
    this.grpcStatus = exchange.grpcStatus
    this.name = isKnownMethod(this.method) ? this.method : utf8('HTTP')
    this.error = this.findError()
    this.peer = exchange.peer
  }

  private text(attribute: Attribute): ByteString {
    const value = this.attributes.get(attribute)
    return value ? value : ByteString.empty
  }

  /** The request's method, where it is one of those that are known; `_OTHER` else. */
  get knownMethod(): ByteString {
    return isKnownMethod(this.method) ? this.method : utf8('_OTHER')
  }

  /** The request's method, as it came. */
  get method(): ByteString {
    return this.text(Attribute.Method)
  }

  /** `tracestate` of the trace; null where there is none. */
  get traceState(): ByteString | null {
    return this.header(utf8('tracestate'))
  }

  private header(name: ByteString): ByteString | null {
    return changetype<Pairs>(this.headers).get(name)
  }

  private findError(): ByteString {
    const status = this.status
    if (!status) return responseFlagsText(this.attributes.number(Attribute.Flags, 0))
    if (status >= (this.isServer ? 500 : 400)) return decimal(status)
    const grpc = this.grpcStatus
    if (grpc > 0 && (!this.isServer || isServersFault(grpc))) return decimal(grpc)
    return ByteString.empty
  }

  /** Writes the attributes. */
  write(to: SpanEncoder): void {
    to.text(utf8('http.request.method'), this.knownMethod)
    if (!isKnownMethod(this.method)) put(to, utf8('http.request.method_original'), this.method)
    this.writeUrl(to)
    if (this.status) to.number(utf8('http.response.status_code'), this.status)
    this.writeProtocol(to)
    const agent = this.header(utf8('user-agent'))
    if (agent) to.text(utf8('user_agent.original'), agent)
    if (this.isServer) writeAddress(to, utf8('client.address'), null, property.getOrEmpty(utf8('source\0address')))
    else
      writeAddress(
        to,
        utf8('network.peer.address'),
        utf8('network.peer.port'),
        property.getOrEmpty(utf8('upstream\0address')),
      )
    if (this.grpcStatus != -1) {
      to.text(utf8('rpc.system'), utf8('grpc'))
      if (this.grpcStatus >= 0) to.number(utf8('rpc.grpc.status_code'), this.grpcStatus)
    }
    if (!this.error.isEmpty) to.text(utf8('error.type'), this.error)
    const peer = this.peer
    if (peer && !this.isServer) to.text(utf8('peer.service'), peer.name.view)
    if (this.hasIstioTags) this.writeIstioTags(to)
    for (let i = 0; i < this.tags.length; i++) {
      const tag = unchecked(this.tags[i])
      const value = tag.value(changetype<Pairs>(this.headers))
      if (value) to.text(tag.name.view, value)
    }
  }

  /** Without the query: it may hold secrets. */
  private writeUrl(to: SpanEncoder): void {
    const authority = this.text(Attribute.Authority)
    const target = this.text(Attribute.Path)
    const path = target.slice(0, queryStart(target))
    const scheme = this.text(Attribute.Scheme)
    if (this.isServer) {
      put(to, utf8('url.path'), path)
      put(to, utf8('url.scheme'), scheme)
    } else to.text(utf8('url.full'), scheme.concat(utf8('://')).concat(authority).concat(path))
    writeAddress(to, utf8('server.address'), utf8('server.port'), authority)
  }

  private writeProtocol(to: SpanEncoder): void {
    const protocol = this.text(Attribute.Protocol)
    const slash = protocol.indexOfByte(0x2f)
    if (slash >= 0) to.text(utf8('network.protocol.version'), protocol.slice(slash + 1))
  }

  /** As istiod has Envoy's own tracers write them, and what tools for Istio look for among Envoy's. */
  private writeIstioTags(to: SpanEncoder): void {
    const own = this.exchange.own
    to.text(utf8('component'), utf8('proxy'))
    to.text(utf8('istio.canonical_service'), own.canonicalService.length ? own.canonicalService.view : own.name.view)
    to.text(
      utf8('istio.canonical_revision'),
      own.canonicalRevision.length ? own.canonicalRevision.view : utf8('latest'),
    )
    to.text(utf8('istio.namespace'), own.namespace.view)
    if (own.cluster.length) to.text(utf8('istio.cluster_id'), own.cluster.view)
    const cluster = property.get(utf8('xds\0cluster_name'))
    if (cluster && !cluster.isEmpty) to.text(utf8('upstream_cluster'), cluster)
    to.text(utf8('response_flags'), responseFlagsText(this.attributes.number(Attribute.Flags, 0)))
    const id = this.header(utf8('x-request-id'))
    if (id) to.text(utf8('guid:x-request-id'), id)
  }
}

/** Of what Envoy could not read there is nothing to say. */
function put(to: SpanEncoder, name: ByteString, value: ByteString): void {
  if (!value.isEmpty) to.text(name, value)
}

/** Where the query or a fragment begins. */
function queryStart(target: ByteString): i32 {
  for (let i = 0; i < target.length; i++) {
    const byte = load<u8>(target.ptr + i)
    if (byte == 0x3f || byte == 0x23) return i
  }
  return target.length
}

/** `HOST:PORT`, `[ADDRESS]:PORT`, or without a port. */
function writeAddress(to: SpanEncoder, host: ByteString, port: ByteString | null, address: ByteString): void {
  if (address.isEmpty) return
  const colon = address.lastIndexOfByte(0x3a)
  const isBracketed = address.byteAt(0) == 0x5b
  const end = address.indexOfByte(0x5d)
  const hasPort = colon > 0 && (isBracketed ? colon == end + 1 : address.indexOfByte(0x3a) == colon)
  const name = hasPort ? address.slice(0, colon) : address
  to.text(host, isBracketed && end > 0 ? address.slice(1, end) : name)
  const number = hasPort ? address.slice(colon + 1).parseInt(0) : 0
  if (port && number > 0 && number < 65_536) to.number(port, number)
}

/** Those that the conventions know. */
function isKnownMethod(method: ByteString): bool {
  switch (method.length) {
    case 3:
      return method.equals(utf8('GET')) || method.equals(utf8('PUT'))
    case 4:
      return method.equals(utf8('POST')) || method.equals(utf8('HEAD'))
    case 5:
      return method.equals(utf8('PATCH')) || method.equals(utf8('TRACE'))
    case 6:
      return method.equals(utf8('DELETE'))
    case 7:
      return method.equals(utf8('OPTIONS')) || method.equals(utf8('CONNECT'))
    default:
      return false
  }
}

/** Statuses of gRPC that are errors of a server: UNKNOWN, DEADLINE_EXCEEDED, UNIMPLEMENTED, INTERNAL, UNAVAILABLE, DATA_LOSS. */
function isServersFault(status: i64): bool {
  return status == 2 || status == 4 || (status >= 12 && status <= 15)
}
