// https://github.com/openzipkin/b3-propagation

import { ByteString, HeaderMap, utf8 } from '@meshscript/sdk'
import { hex, isHex, parseHex, traceId } from '../hex'
import { Format, HeaderReader, TraceContext } from './propagation'
import { Span } from './span'

/** `b3: TRACE-SPAN[-SAMPLED[-PARENT]]`, or SAMPLED alone. */
@final
export class B3SingleFormat extends Format {
  extract(headers: HeaderReader, context: TraceContext): bool {
    const value = headers.get(utf8('b3'))
    if (!value) return false
    if (value.length == 1) {
      readDecision(value.byteAt(0), context)
      return false
    }
    const dash = value.indexOfByte(0x2d)
    if (!readTraceId(value.slice(0, dash), context) || dash < 0) return forget(context)
    context.spanId = parseHex(value, dash + 1, 16)
    if (!isHex || !context.spanId) return forget(context)
    const rest = value.slice(dash + 17)
    if (rest.isEmpty) return true
    const isComplete = rest.length == 2 || (rest.length == 19 && rest.byteAt(2) == 0x2d)
    if (!isComplete || rest.byteAt(0) != 0x2d || !readDecision(rest.byteAt(1), context)) return forget(context)
    if (rest.length == 2) return true
    parseHex(rest, 3, 16)
    return isHex || forget(context)
  }

  inject(headers: HeaderMap, span: Span): void {
    let value = ByteString.empty
      .concat(traceId(span.traceHigh, span.traceLow, true))
      .concat(utf8('-'))
      .concat(hex(span.id))
      .concat(span.isForced && span.isSampled ? utf8('-d') : span.isSampled ? utf8('-1') : utf8('-0'))
    if (span.parentId) value = value.concat(utf8('-')).concat(hex(span.parentId))
    headers.set(utf8('b3'), value)
  }
}

/** `x-b3-traceid` and its kin. */
@final
export class B3MultiFormat extends Format {
  extract(headers: HeaderReader, context: TraceContext): bool {
    const sampled = headers.get(utf8('x-b3-sampled'))
    if (sampled) {
      if (sampled.equals('true')) context.decision = 1
      else if (sampled.equals('false')) context.decision = 0
      else if (sampled.length == 1 && sampled.byteAt(0) != 0x64) readDecision(sampled.byteAt(0), context)
    }
    const flags = headers.get(utf8('x-b3-flags'))
    if (flags && flags.equals('1')) readDecision(0x64, context)
    const trace = headers.get(utf8('x-b3-traceid'))
    const span = headers.get(utf8('x-b3-spanid'))
    if (!trace || !span || span.length != 16 || !readTraceId(trace, context)) return forgetIds(context)
    context.spanId = parseHex(span, 0, 16)
    return (isHex && context.spanId != 0) || forgetIds(context)
  }

  inject(headers: HeaderMap, span: Span): void {
    headers.set(utf8('x-b3-traceid'), traceId(span.traceHigh, span.traceLow, true))
    headers.set(utf8('x-b3-spanid'), hex(span.id))
    if (span.parentId) headers.set(utf8('x-b3-parentspanid'), hex(span.parentId))
    else headers.remove(utf8('x-b3-parentspanid'))
    headers.set(utf8('x-b3-sampled'), span.isSampled ? utf8('1') : utf8('0'))
    if (span.isForced && span.isSampled) headers.set(utf8('x-b3-flags'), utf8('1'))
  }
}

/** `0`, `1` or `d`, which is 1 by force. */
function readDecision(byte: i32, context: TraceContext): bool {
  if (byte != 0x30 && byte != 0x31 && byte != 0x64) return false
  context.decision = i32(byte != 0x30)
  if (byte == 0x64) context.isForced = true
  return true
}

function readTraceId(text: ByteString, context: TraceContext): bool {
  if (text.length == 16) {
    context.traceLow = parseHex(text, 0, 16)
    return isHex && context.traceLow != 0
  }
  if (text.length != 32) return false
  context.traceHigh = parseHex(text, 0, 16)
  if (!isHex) return false
  context.traceLow = parseHex(text, 16, 16)
  return isHex && (context.traceHigh | context.traceLow) != 0
}

function forget(context: TraceContext): bool {
  context.decision = -1
  context.isForced = false
  return forgetIds(context)
}

function forgetIds(context: TraceContext): bool {
  context.clearIds()
  return false
}
