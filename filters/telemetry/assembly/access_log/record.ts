import { ByteString, HeaderMap, property, utf8 } from '@meshscript/sdk'
import { Attribute, Attributes } from '../attributes'
import { Exchange } from '../exchange'
import { responseFlagsText } from '../flags'

/** What lines need of every request. */
const NEEDED: Attribute[] = [
  Attribute.Code,
  Attribute.Flags,
  Attribute.Duration,
  Attribute.RequestSize,
  Attribute.BodySize,
  Attribute.Time,
  Attribute.Authority,
  Attribute.Method,
  Attribute.Path,
  Attribute.Protocol,
  Attribute.Details,
  Attribute.Source,
  Attribute.Destination,
  Attribute.Upstream,
  Attribute.UpstreamLocal,
  Attribute.UpstreamFailure,
]

const MILLISECOND: i64 = 1_000_000

/** What lines say of one request, by the names that Istio's JSON format has for it. Null where there is none. */
@final
export class RequestRecord {
  /** Milliseconds since 1970. */
  startTime: i64 = 0
  method: ByteString | null = null
  path: ByteString | null = null
  protocol: ByteString | null = null
  responseCode: i64 = 0
  responseFlags: ByteString = ByteString.empty
  responseCodeDetails: ByteString | null = null
  connectionTerminationDetails: ByteString | null = null
  upstreamTransportFailureReason: ByteString | null = null
  bytesReceived: i64 = 0
  bytesSent: i64 = 0
  /** Milliseconds; -1 where there is none. */
  duration: i64 = 0
  upstreamServiceTime: ByteString | null = null
  forwardedFor: ByteString | null = null
  userAgent: ByteString | null = null
  requestId: ByteString | null = null
  authority: ByteString | null = null
  upstreamHost: ByteString | null = null
  upstreamCluster: ByteString | null = null
  upstreamLocalAddress: ByteString | null = null
  downstreamLocalAddress: ByteString | null = null
  downstreamRemoteAddress: ByteString | null = null
  requestedServerName: ByteString | null = null
  routeName: ByteString | null = null

  private attributes: Attributes

  /** `isAll`: lines are written of all requests, so that what other parts ask for can be asked for together. */
  constructor(
    exchange: Exchange,
    private isAll: bool,
  ) {
    const attributes = isAll ? exchange.attributes : new Attributes()
    for (let i = 0; i < NEEDED.length; i++) attributes.expect(NEEDED[i])
    if (!isAll) attributes.prepare()
    this.attributes = attributes
  }

  /** Reads the request whose log callback runs. */
  read(request: HeaderMap, response: HeaderMap): void {
    const attributes = this.attributes
    if (!this.isAll) attributes.forget()
    attributes.read()
    this.startTime = attributes.number(Attribute.Time, 0) / MILLISECOND
    this.method = attributes.get(Attribute.Method)
    this.protocol = attributes.get(Attribute.Protocol)
    this.responseCode = attributes.number(Attribute.Code, 0)
    this.responseFlags = responseFlagsText(attributes.number(Attribute.Flags, 0))
    this.responseCodeDetails = attributes.get(Attribute.Details)
    this.connectionTerminationDetails = textOf(property.get(utf8('connection\0termination_details')))
    this.bytesReceived = this.readBytesReceived()
    this.bytesSent = attributes.number(Attribute.BodySize, 0)
    const duration = attributes.number(Attribute.Duration, -1)
    this.duration = duration < 0 ? -1 : duration / MILLISECOND
    this.authority = attributes.get(Attribute.Authority)
    this.downstreamLocalAddress = attributes.get(Attribute.Destination)
    this.downstreamRemoteAddress = attributes.get(Attribute.Source)
    this.requestedServerName = textOf(property.connectionRequestedServerName())
    this.routeName = textOf(property.routeName())
    this.upstreamCluster = property.clusterName()
    this.upstreamHost = attributes.get(Attribute.Upstream)
    this.upstreamLocalAddress = attributes.get(Attribute.UpstreamLocal)
    this.upstreamTransportFailureReason = textOf(attributes.get(Attribute.UpstreamFailure))
    this.readHeaders(request, response)
  }

  /** Of the body; `request.size` is what the client has promised. */
  private readBytesReceived(): i64 {
    const ofHeaders = this.attributes.number(Attribute.HeaderSize, -1)
    // Envoy 1.36 does not tell.
    if (ofHeaders < 0) return property.requestSize()
    return this.attributes.number(Attribute.RequestSize, 0) - ofHeaders
  }

  private readHeaders(request: HeaderMap, response: HeaderMap): void {
    const original = request.get(utf8('x-envoy-original-path'))
    this.path = original ? original : this.attributes.get(Attribute.Path)
    this.forwardedFor = request.get(utf8('x-forwarded-for'))
    this.userAgent = request.get(utf8('user-agent'))
    this.requestId = request.get(utf8('x-request-id'))
    this.upstreamServiceTime = response.get(utf8('x-envoy-upstream-service-time'))
  }
}

/** The host has an empty text where there is none. */
function textOf(value: ByteString | null): ByteString | null {
  return value && !value.isEmpty ? value : null
}
