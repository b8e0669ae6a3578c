// Datadog's headers. Ids are decimal numbers of 64 bits; the upper half of a trace's id is a tag, `_dd.p.tid`.

import { ByteString, HeaderMap, utf8 } from '@meshscript/sdk'
import { decimal } from '../../../common/assembly/decimal'
import { hex, isHex, parseHex } from '../hex'
import { Format, HeaderReader, TraceContext } from './propagation'
import { NO_PRIORITY, Span } from './span'

/** What `x-datadog-tags` may be long; Datadog's own tracers drop what is longer. */
const MAX_TAGS: i32 = 512
const UPPER_HALF: string = '_dd.p.tid='

/** `x-datadog-trace-id` and its kin. */
@final
export class DatadogFormat extends Format {
  extract(headers: HeaderReader, context: TraceContext): bool {
    const priority = headers.get(utf8('x-datadog-sampling-priority'))
    if (priority) {
      const value = priority.parseInt(i64.MIN_VALUE)
      if (value >= -1 && value <= 2) {
        context.priority = <i32>value
        context.decision = i32(value > 0)
        context.isForced = value == 2
      }
    }
    const trace = headers.get(utf8('x-datadog-trace-id'))
    const parent = headers.get(utf8('x-datadog-parent-id'))
    if (!trace || !parent) return false
    context.traceLow = parseU64(trace)
    context.spanId = parseU64(parent)
    if (!context.traceLow || !context.spanId) {
      context.clearIds()
      return false
    }
    const tags = headers.get(utf8('x-datadog-tags'))
    const at = tags ? tags.indexOf(utf8('_dd.p.tid=')) : -1
    if (at >= 0) {
      const high = parseHex(tags!, at + UPPER_HALF.length, 16)
      if (isHex) context.traceHigh = high
    }
    return true
  }

  inject(headers: HeaderMap, span: Span): void {
    headers.set(utf8('x-datadog-trace-id'), decimal(span.traceLow))
    headers.set(utf8('x-datadog-parent-id'), decimal(span.id))
    headers.set(utf8('x-datadog-sampling-priority'), priorityOf(span))
    if (span.traceHigh) this.injectUpperHalf(headers, span.traceHigh)
  }

  private injectUpperHalf(headers: HeaderMap, high: u64): void {
    const tag = utf8('_dd.p.tid=').concat(hex(high))
    const tags = headers.get(utf8('x-datadog-tags'))
    if (!tags || tags.isEmpty) headers.set(utf8('x-datadog-tags'), tag)
    else if (!tags.includes(utf8('_dd.p.tid=')) && tags.length + 1 + tag.length <= MAX_TAGS)
      headers.set(utf8('x-datadog-tags'), tags.concat(utf8(',')).concat(tag))
  }
}

function priorityOf(span: Span): ByteString {
  const priority = span.priority
  // One that says the same.
  if (priority != NO_PRIORITY && priority > 0 == span.isSampled) {
    if (priority == 2) return utf8('2')
    if (priority == -1) return utf8('-1')
  }
  if (span.isSampled && span.isForced) return utf8('2')
  return span.isSampled ? utf8('1') : utf8('0')
}

/** 0 where the text is no number of 64 bits. */
function parseU64(text: ByteString): u64 {
  if (!text.length || text.length > 20) return 0
  let value: u64 = 0
  for (let i = 0; i < text.length; i++) {
    const digit = <u64>(text.byteAt(i) - 0x30)
    if (digit > 9) return 0
    if (value > (u64.MAX_VALUE - digit) / 10) return 0
    value = value * 10 + digit
  }
  return value
}
