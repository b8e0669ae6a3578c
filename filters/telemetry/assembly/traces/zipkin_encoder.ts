// https://zipkin.io/zipkin-api/ (v2)

import { Bytes, ByteString, utf8 } from '@meshscript/sdk'
import { Writer } from '../export/writer'
import { SpanEncoder } from './encoder'
import { hex, traceId } from '../hex'
import { SpanRecord } from './record'

/** Nanoseconds. */
const MICROSECOND: u64 = 1000

/** Zipkin's JSON, version 2. */
@final
export class ZipkinEncoder extends SpanEncoder {
  private writer!: Writer
  private isFirst: bool = true

  constructor(service: Bytes) {
    super('/api/v2/spans', 'application/json', 1, service)
    this.writer = new Writer()
  }

  before(count: i32): ByteString {
    return utf8('[')
  }

  after(): ByteString {
    return utf8(']')
  }

  encode(writer: Writer, record: SpanRecord): void {
    const span = record.span
    this.writer = writer
    this.isFirst = true
    writer
      .raw(utf8('{"traceId":"'))
      .raw(traceId(span.traceHigh, span.traceLow, true))
      .raw(utf8('","id":"'))
      .raw(hex(span.id))
    if (span.parentId) writer.raw(utf8('","parentId":"')).raw(hex(span.parentId))
    writer
      .raw(utf8('","name":'))
      .string(record.name)
      .raw(record.isServer ? utf8(',"kind":"SERVER","timestamp":') : utf8(',"kind":"CLIENT","timestamp":'))
      .uint(record.start / MICROSECOND)
      .raw(utf8(',"duration":'))
      // 0 is not allowed.
      .uint(max<u64>(1, (record.end - record.start) / MICROSECOND))
    if (span.isForced) writer.raw(utf8(',"debug":true'))
    writer.raw(utf8(',"localEndpoint":{"serviceName":')).string(this.service.view)
    const peer = record.peer
    if (peer) writer.raw(utf8('},"remoteEndpoint":{"serviceName":')).string(peer.name.view)
    writer.raw(utf8('},"tags":{'))
    record.write(this)
    // What Zipkin paints red.
    if (!record.error.isEmpty) this.text(utf8('error'), record.error)
    writer.raw(utf8('}},'))
  }

  private begin(name: ByteString): Writer {
    const writer = this.writer
    if (!this.isFirst) writer.byte(0x2c)
    this.isFirst = false
    return writer.string(name).byte(0x3a)
  }

  text(name: ByteString, value: ByteString): void {
    this.begin(name).string(value)
  }

  number(name: ByteString, value: i64): void {
    this.begin(name).byte(0x22).int(value).byte(0x22)
  }
}
