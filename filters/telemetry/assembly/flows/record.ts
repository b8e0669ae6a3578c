import { Bytes, ByteString, HeaderMap, JsonValue, utf8 } from '@meshscript/sdk'
import { writeTime } from '../access_log/time'
import { Attribute, Attributes } from '../attributes'
import { Exchange } from '../exchange'
import { Writer } from '../export/writer'
import { Span } from '../traces/span'
import { Address } from './address'
import { Decision, Verdict } from './decision'
import { Endpoints } from './endpoint'
import { ShownHeaders } from './headers'
import { nodeName, podName, quoted } from './node'
import { writePolicy } from './policy'
import { serviceHost, writeClientService, writeServerService } from './service'
import { TraceId } from './trace_id'
import { Url } from './url'
import { uuid } from '../uuid'

const MAX_TEXT: i32 = 256
const MILLISECOND: u64 = 1_000_000
/** The time of a record, which is there twice. */
const time = memory.data(32)
/** What every record needs. */
const NEEDED: Attribute[] = [
  Attribute.Time,
  Attribute.Duration,
  Attribute.Authority,
  Attribute.Method,
  Attribute.Path,
  Attribute.Scheme,
  Attribute.Protocol,
  Attribute.Source,
]

/**
 * Writes records as Hubble's `flow.Flow` is in JSON, its members in the order of Hubble's. A request that was answered is told by its response, from server to
 * client, and one that was refused by its request: Hubble has two flows of each.
 */
@final
export class FlowRecord {
  private attributes: Attributes
  private decision: Decision
  /** Where the other end of requests is: of what goes out, the one that Envoy has chosen. */
  private serverAddress: Attribute
  private url: Url
  private headers: ShownHeaders
  private own: Endpoints
  private others: Endpoints = new Endpoints(ByteString.empty.persist())
  /** `,"Type":"L7","node_name":"…"` */
  private type: Bytes
  /** `},"node_name":"…","time":"` */
  private end: Bytes
  private trace: TraceId = new TraceId()
  private client: Address = new Address()
  private server: Address = new Address()
  private latency: u64 = 0

  constructor(
    json: JsonValue,
    private exchange: Exchange,
    /** Requests have spans; those without are asked for their trace. */
    isTraced: bool,
  ) {
    const attributes = exchange.attributes
    this.attributes = attributes
    this.decision = new Decision(attributes)
    for (let i = 0; i < NEEDED.length; i++) attributes.expect(NEEDED[i])
    const serverAddress = exchange.isSource ? Attribute.Upstream : Attribute.Destination
    this.serverAddress = serverAddress
    attributes.expect(serverAddress)
    if (!isTraced) attributes.expect(Attribute.TraceHeader)
    this.headers = new ShownHeaders(json.get('headers'))
    this.url = new Url(json.get('query').bool(false))
    this.own = new Endpoints(json.get('pod').bytes(podName()))
    const node = quoted(json.get('node').bytes(nodeName()).view)
    this.type = utf8(',"Type":"L7","node_name":').concat(node).persist()
    this.end = utf8('},"node_name":').concat(node).concat(utf8(',"time":"')).persist()
  }

  /** Writes the record of a request, without a line feed. */
  write(line: Writer, span: Span | null, headers: HeaderMap): void {
    this.attributes.read()
    this.decision.read()
    const duration = this.attributes.number(Attribute.Duration, -1)
    this.latency = duration > 0 ? duration : 0
    const code = <u64>max<i64>(0, this.attributes.number(Attribute.Code, 0))
    const isReply = code != 0 && this.decision.verdict != Verdict.Dropped
    line.raw(utf8('{"flow":{"time":"'))
    const from = line.length
    this.writeTime(line)
    const timeLength = line.length - from
    memory.copy(time, line.bytes.ptr + from, timeLength)
    line.raw(utf8('","uuid":"')).raw(uuid())
    line.raw(utf8('","verdict":"')).raw(nameOf(this.decision.verdict)).byte(0x22)
    this.writeEnds(line, isReply)
    this.writeRequest(line, code, isReply, headers)
    this.writeServices(line, isReply)
    this.writeEvent(line, isReply, span)
    this.writeSummary(line, code, isReply)
    this.writePolicies(line)
    line.raw(this.end.view).raw(ByteString.at(time, timeLength)).raw(utf8('"}'))
  }

  private text(attribute: Attribute): ByteString {
    const value = this.attributes.get(attribute)
    return value ? value : ByteString.empty
  }

  /** When it was over. */
  private writeTime(line: Writer): void {
    const start = this.attributes.number(Attribute.Time, 0)
    const time = (start ? start : this.exchange.now) + <i64>this.latency
    writeTime(line, time / MILLISECOND)
    line.cut(line.length - 1)
    line.digits(time % MILLISECOND, 6).byte(0x5a)
  }

  private writeEnds(line: Writer, isReply: bool): void {
    const exchange = this.exchange
    const client = this.client
    const server = this.server
    client.read(this.attributes.get(Attribute.Source))
    server.read(this.attributes.get(this.serverAddress))
    // Nobody was asked.
    if (server.ip.isEmpty && exchange.isSource) server.read(this.attributes.get(Attribute.Destination))
    if (!client.ip.isEmpty && !server.ip.isEmpty) {
      writeAddresses(line, isReply ? server : client, isReply ? client : server)
    }
    const isOwnFirst = exchange.isSource != isReply
    this.writeEnd(line, utf8(',"source":'), isOwnFirst)
    this.writeEnd(line, utf8(',"destination":'), !isOwnFirst)
    line.raw(this.type.view)
    const host = serviceHost(exchange)
    if (!host.isEmpty) {
      line.raw(isReply ? utf8(',"source_names":[') : utf8(',"destination_names":['))
      line.string(host, MAX_TEXT).byte(0x5d)
    }
  }

  private writeEnd(line: Writer, before: ByteString, isOwn: bool): void {
    const exchange = this.exchange
    if (isOwn) this.own.write(line, before, exchange.own, exchange.ownPrincipal)
    else this.others.write(line, before, exchange.peer, exchange.peerPrincipal)
  }

  private writeRequest(line: Writer, code: u64, isReply: bool, headers: HeaderMap): void {
    line.raw(isReply ? utf8(',"l7":{"type":"RESPONSE"') : utf8(',"l7":{"type":"REQUEST"'))
    if (this.latency) line.raw(utf8(',"latency_ns":"')).uint(this.latency).byte(0x22)
    line.raw(utf8(',"http":{'))
    if (code) line.raw(utf8('"code":')).uint(code).byte(0x2c)
    line.raw(utf8('"method":')).string(this.text(Attribute.Method), MAX_TEXT)
    this.url.read(this.text(Attribute.Scheme), this.text(Attribute.Authority), this.text(Attribute.Path))
    line.raw(utf8(',"url":"'))
    this.url.write(line)
    line.raw(utf8('","protocol":')).string(this.text(Attribute.Protocol), MAX_TEXT)
    this.headers.write(line, headers)
    // 129: an access log's. Hubble has no types below it; 1 says that there is no other record of the request.
    line.raw(utf8('}},"event_type":{"type":129,"sub_type":1}'))
  }

  private writeServices(line: Writer, isReply: bool): void {
    const exchange = this.exchange
    if (isReply) {
      writeServerService(line, utf8(',"source_service":'), exchange)
      writeClientService(line, utf8(',"destination_service":'), exchange)
    } else {
      writeClientService(line, utf8(',"source_service":'), exchange)
      writeServerService(line, utf8(',"destination_service":'), exchange)
    }
    line.raw(exchange.isSource ? utf8(',"traffic_direction":"EGRESS"') : utf8(',"traffic_direction":"INGRESS"'))
  }

  private writeEvent(line: Writer, isReply: bool, span: Span | null): void {
    const decision = this.decision
    if (decision.verdict == Verdict.Dropped) {
      line.raw(utf8(',"drop_reason_desc":'))
      line.raw(decision.isRateLimited ? utf8('"DROP_RATE_LIMITED"') : utf8('"POLICY_DENIED"'))
    }
    line.raw(isReply ? utf8(',"is_reply":true') : utf8(',"is_reply":false'))
    const trace = this.trace
    trace.read(span, span ? null : this.attributes.get(Attribute.TraceHeader))
    if (!trace.low) return
    line.raw(utf8(',"trace_context":{"parent":{"trace_id":"')).hex64(trace.high).hex64(trace.low).raw(utf8('"}}'))
  }

  /** `HTTP/1.1 GET http://cart/`, `HTTP/1.1 200 3ms (GET http://cart/)`. */
  private writeSummary(line: Writer, code: u64, isReply: bool): void {
    line.raw(utf8(',"Summary":"')).escaped(this.text(Attribute.Protocol), MAX_TEXT).byte(0x20)
    if (isReply)
      line
        .uint(code)
        .byte(0x20)
        .uint(this.latency / MILLISECOND)
        .raw(utf8('ms ('))
    line.escaped(this.text(Attribute.Method), MAX_TEXT).byte(0x20)
    this.url.write(line)
    line.raw(isReply ? utf8(')"') : utf8('"'))
  }

  private writePolicies(line: Writer): void {
    const decision = this.decision
    const id = decision.policy
    if (id.isEmpty) return
    const isSource = this.exchange.isSource
    if (decision.verdict == Verdict.Forwarded)
      line.raw(isSource ? utf8(',"egress_allowed_by":') : utf8(',"ingress_allowed_by":'))
    else line.raw(isSource ? utf8(',"egress_denied_by":') : utf8(',"ingress_denied_by":'))
    writePolicy(line, id, decision.isRateLimited)
    line.raw(utf8(',"policy_log":[')).string(id, MAX_TEXT).byte(0x5d)
  }
}

function nameOf(verdict: Verdict): ByteString {
  switch (verdict) {
    case Verdict.Forwarded:
      return utf8('FORWARDED')
    case Verdict.Dropped:
      return utf8('DROPPED')
    case Verdict.Audited:
      return utf8('AUDIT')
    default:
      return utf8('ERROR')
  }
}

function writeAddresses(line: Writer, source: Address, destination: Address): void {
  line.raw(utf8(',"IP":{"source":')).string(source.ip, MAX_TEXT)
  line.raw(utf8(',"destination":')).string(destination.ip, MAX_TEXT)
  line.raw(source.isV6 ? utf8(',"ipVersion":"IPv6"}') : utf8(',"ipVersion":"IPv4"}'))
  line.raw(utf8(',"l4":{"TCP":{"source_port":')).raw(source.port)
  line.raw(utf8(',"destination_port":')).raw(destination.port).raw(utf8('}}'))
}
