// https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding: ids in hexadecimal, numbers of 64 bits as strings.

import { Bytes, ByteString, utf8 } from '@meshscript/sdk'
import { Writer } from '../export/writer'
import { Workload } from '../workload'
import { SpanEncoder } from './encoder'
import { hex, traceId } from '../hex'
import { SpanRecord } from './record'

const SERVER: u64 = 2
const CLIENT: u64 = 3
/** The lowest byte is that of `traceparent`; 0x100: it is known whether the parent is remote, 0x200: it is. */
const REMOTE: u64 = 0x300

/** OTLP over HTTP, in JSON. */
@final
export class OtlpEncoder extends SpanEncoder {
  private prefix!: Bytes
  private writer!: Writer
  private isFirst: bool = true

  constructor(service: Bytes, own: Workload) {
    super('/v1/traces', 'application/json', 1, service)
    const writer = new Writer().raw(utf8('{"resourceSpans":[{"resource":{"attributes":['))
    this.writer = writer
    this.text(utf8('service.name'), service.view)
    this.text(utf8('service.namespace'), own.namespace.view)
    if (own.version.length) this.text(utf8('service.version'), own.version.view)
    this.text(utf8('k8s.namespace.name'), own.namespace.view)
    writer.raw(utf8(']},"scopeSpans":[{"scope":{"name":"meshscript"},"spans":['))
    this.prefix = writer.bytes.persist()
  }

  before(count: i32): ByteString {
    return this.prefix.view
  }

  after(): ByteString {
    return utf8(']}]}]}')
  }

  encode(writer: Writer, record: SpanRecord): void {
    const span = record.span
    this.writer = writer
    this.isFirst = true
    writer
      .raw(utf8('{"traceId":"'))
      .raw(traceId(span.traceHigh, span.traceLow, false))
      .raw(utf8('","spanId":"'))
      .raw(hex(span.id))
    if (span.parentId) writer.raw(utf8('","parentSpanId":"')).raw(hex(span.parentId))
    writer.byte(0x22)
    const state = record.traceState
    if (state) writer.raw(utf8(',"traceState":')).string(state)
    writer
      .raw(utf8(',"flags":'))
      .uint((span.parentId ? REMOTE : 0) | 1)
      .raw(utf8(',"name":'))
      .string(record.name)
      .raw(utf8(',"kind":'))
      .uint(record.isServer ? SERVER : CLIENT)
      .raw(utf8(',"startTimeUnixNano":"'))
      .uint(record.start)
      .raw(utf8('","endTimeUnixNano":"'))
      .uint(record.end)
      .raw(utf8('","attributes":['))
    record.write(this)
    writer.raw(record.error.isEmpty ? utf8('],"status":{}},') : utf8('],"status":{"code":2}},'))
  }

  private begin(name: ByteString): Writer {
    const writer = this.writer
    if (!this.isFirst) writer.byte(0x2c)
    this.isFirst = false
    return writer.raw(utf8('{"key":')).string(name)
  }

  text(name: ByteString, value: ByteString): void {
    this.begin(name).raw(utf8(',"value":{"stringValue":')).string(value).raw(utf8('}}'))
  }

  number(name: ByteString, value: i64): void {
    this.begin(name).raw(utf8(',"value":{"intValue":"')).int(value).raw(utf8('"}}'))
  }
}
