// Datadog's agent, PUT /v0.4/traces: an array of traces in MessagePack, each an array of spans. The agent joins what belongs to one trace.

import { Bytes, ByteString, Headers, utf8 } from '@meshscript/sdk'
import { decimal } from '../../../common/assembly/decimal'
import { Writer } from '../export/writer'
import { SpanEncoder } from './encoder'
import { hex } from '../hex'
import { SpanRecord } from './record'

const ARRAY_1: u8 = 0x91
const ARRAY_32: u8 = 0xdd
const MAP_16: u8 = 0xde
const MAP_2: u8 = 0x82
const MAP_12: u8 = 0x8c
const STRING_16: u8 = 0xda
const UINT_64: u8 = 0xcf
const INT_64: u8 = 0xd3
const FLOAT_64: u8 = 0xcb
const MAX_TEXT: i32 = 4096

/** Datadog's own form. */
@final
export class DatadogEncoder extends SpanEncoder {
  private writer: Writer = new Writer()
  private head: Writer = new Writer()
  private count: u16 = 0

  constructor(service: Bytes) {
    super('/v0.4/traces', 'application/msgpack', 0, service)
  }

  before(count: i32): ByteString {
    return this.head.begin().byte(ARRAY_32).big32(count).bytes
  }

  addHeaders(headers: Headers, count: i32): void {
    headers.add('x-datadog-trace-count', decimal(count)).add('datadog-meta-lang', 'meshscript')
  }

  encode(writer: Writer, record: SpanRecord): void {
    const span = record.span
    this.writer = writer
    writer.byte(ARRAY_1).byte(MAP_12)
    this.pair(utf8('service'), this.service.view)
    this.pair(utf8('name'), record.isServer ? utf8('http.server.request') : utf8('http.client.request'))
    this.pair(utf8('resource'), record.name)
    this.pair(utf8('type'), record.isServer ? utf8('web') : utf8('http'))
    this.id(utf8('trace_id'), span.traceLow)
    this.id(utf8('span_id'), span.id)
    this.id(utf8('parent_id'), span.parentId)
    this.long(utf8('start'), record.start)
    this.long(utf8('duration'), record.end - record.start)
    this.long(utf8('error'), record.error.isEmpty ? 0 : 1)
    this.string(utf8('meta'))
    writer.byte(MAP_16)
    const size = writer.length
    writer.big16(0)
    this.count = 0
    this.text(utf8('span.kind'), record.isServer ? utf8('server') : utf8('client'))
    // Receivers take the two names for one.
    this.text(utf8('http.method'), record.knownMethod)
    if (record.status) this.text(utf8('http.status_code'), decimal(record.status))
    if (span.traceHigh) this.text(utf8('_dd.p.tid'), hex(span.traceHigh))
    record.write(this)
    writer.patch16(size, this.count)
    this.string(utf8('metrics'))
    writer.byte(MAP_2)
    this.double(utf8('_sampling_priority_v1'), span.isForced ? 2 : 1)
    this.double(utf8('_dd.top_level'), 1)
  }

  text(name: ByteString, value: ByteString): void {
    this.count++
    this.pair(name, value)
  }

  number(name: ByteString, value: i64): void {
    this.text(name, decimal(value))
  }

  private pair(name: ByteString, value: ByteString): void {
    this.string(name)
    this.string(value)
  }

  private id(name: ByteString, value: u64): void {
    this.string(name)
    this.writer.byte(UINT_64).big64(value)
  }

  private long(name: ByteString, value: i64): void {
    this.string(name)
    this.writer.byte(INT_64).big64(value)
  }

  private double(name: ByteString, value: f64): void {
    this.string(name)
    this.writer.byte(FLOAT_64).big64(reinterpret<u64>(value))
  }

  private string(text: ByteString): void {
    const part = text.slice(0, MAX_TEXT)
    this.writer
      .byte(STRING_16)
      .big16(<u16>part.length)
      .raw(part)
  }
}
