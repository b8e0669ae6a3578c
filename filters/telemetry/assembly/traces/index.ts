import { Bytes, ByteString, HeaderMap, JsonValue, utf8 } from '@meshscript/sdk'
import { random } from '../../../common/assembly/random'
import { Exchange } from '../exchange'
import { Exporter } from '../export/exporter'
import { ExportSchedule } from '../export/schedule'
import { writer } from '../export/writer'
import { B3MultiFormat, B3SingleFormat } from './b3'
import { DatadogFormat } from './datadog'
import { DatadogEncoder } from './datadog_encoder'
import { SpanEncoder } from './encoder'
import { OtlpEncoder } from './otlp_encoder'
import { Format, HeaderReader, TraceContext } from './propagation'
import { SpanRecord } from './record'
import { addRequestId, Sampler } from './sampler'
import { Span } from './span'
import { W3CFormat } from './w3c'
import { ZipkinEncoder } from './zipkin_encoder'

/** Takes requests' traces further, and sends a span of each request that is sampled. */
@final
export class Traces {
  /** Whether what follows is told of the span. */
  readonly injects: bool
  private formats: Format[]
  private reader: HeaderReader = new HeaderReader()
  private hasW3C: bool = false
  private sampler!: Sampler
  private context: TraceContext = new TraceContext()
  private record!: SpanRecord
  private encoder: SpanEncoder | null = null
  private exporter: Exporter | null = null

  constructor(json: JsonValue, exchange: Exchange, schedule: ExportSchedule) {
    this.formats = readFormats(json.get('propagation'))
    for (let i = 0; i < this.formats.length; i++) if (this.formats[i] instanceof W3CFormat) this.hasW3C = true
    this.injects = json.get('inject').bool(true)
    const percent = json.get('sampling')
    const sampling = percent.number(100)
    if (!(sampling >= 0 && sampling <= 100)) percent.fail('expected from 0 to 100')
    this.sampler = new Sampler(sampling, json.get('useRequestId').bool(true))
    const service = json.get('service').bytes(serviceOf(exchange))
    this.record = new SpanRecord(json, exchange)
    const target = json.get('exporter')
    const batch = json.get('batch')
    if (target.exists) {
      const type = target.get('type').oneOf(['otlp', 'zipkin', 'datadog'])
      let encoder: SpanEncoder
      if (type == 1) encoder = new ZipkinEncoder(service)
      else if (type == 2) encoder = new DatadogEncoder(service)
      else encoder = new OtlpEncoder(service, exchange.own)
      this.encoder = encoder
      this.exporter = new Exporter(target, batch, 'spans', encoder, schedule)
    } else if (batch.exists) batch.fail('nothing is sent without an exporter')
  }

  /** Begins the span of a request, and tells what follows of it. */
  begin(headers: HeaderMap, mayInject: bool): Span {
    const context = this.context
    context.clear()
    const formats = this.formats
    const reader = this.reader
    reader.begin(headers)
    for (let i = 0; i < formats.length; i++) if (unchecked(formats[i]).extract(reader, context)) break
    const span = new Span()
    const isInjected = mayInject && this.injects
    if (context.hasIds) {
      span.traceHigh = context.traceHigh
      span.traceLow = context.traceLow
      span.parentId = context.spanId
    } else {
      span.traceHigh = random().bits()
      span.traceLow = random().bits()
    }
    span.id = random().bits()
    span.priority = context.priority
    span.isForced = context.isForced
    span.isSampled = context.decision >= 0 ? context.decision == 1 : this.decide(span, reader, headers, isInjected)
    if (!isInjected) return span
    // It belongs to another trace, or to none.
    if (this.hasW3C && !context.isW3C && reader.get(utf8('tracestate'))) headers.remove(utf8('tracestate'))
    for (let i = 0; i < formats.length; i++) unchecked(formats[i]).inject(headers, span)
    return span
  }

  private decide(span: Span, reader: HeaderReader, headers: HeaderMap, isInjected: bool): bool {
    const sampler = this.sampler
    if (sampler.isForced(reader)) {
      span.isForced = true
      return true
    }
    let id: ByteString | null = null
    if (sampler.needsRequestId) {
      id = reader.get(utf8('x-request-id'))
      if (!id && isInjected) id = addRequestId(headers)
    }
    return sampler.decide(id)
  }

  /** Hands the span of a request that is over to the exporter. */
  end(span: Span, exchange: Exchange, headers: HeaderMap): void {
    const exporter = this.exporter
    if (!span.isSampled || !exporter) return
    const record = this.record
    record.read(span, exchange, headers)
    exporter.begin()
    this.encoder!.encode(writer(), record)
    exporter.end()
  }
}

function readFormats(json: JsonValue): Format[] {
  const formats: Format[] = []
  if (!json.exists) {
    formats.push(new W3CFormat())
    return formats
  }
  const items = json.array()
  const known: i32[] = []
  for (let i = 0; i < items.length; i++) {
    const item = items.at(i)
    const format = item.oneOf(['w3c', 'b3', 'b3multi', 'datadog'])
    if (known.includes(format)) item.fail('is there already')
    known.push(format)
    if (format == 0) formats.push(new W3CFormat())
    else if (format == 1) formats.push(new B3SingleFormat())
    else if (format == 2) formats.push(new B3MultiFormat())
    else formats.push(new DatadogFormat())
  }
  return formats
}

/** `reviews.default`, as Istio names it. */
function serviceOf(exchange: Exchange): ByteString {
  const own = exchange.own
  const name: Bytes = own.canonicalService.length ? own.canonicalService : own.name
  return name.view.concat(utf8('.')).concat(own.namespace.view)
}
