// https://www.w3.org/TR/trace-context/: traceparent: VERSION-TRACE-PARENT-FLAGS

import { ByteString, HeaderMap, utf8 } from '@meshscript/sdk'
import { isHex, parseHex, storeHex } from '../hex'
import { Format, HeaderReader, TraceContext } from './propagation'
import { Span } from './span'

const LENGTH: i32 = 55
const text = memory.data(55)

/** `traceparent`, and `tracestate` as it came. */
@final
export class W3CFormat extends Format {
  extract(headers: HeaderReader, context: TraceContext): bool {
    const parent = headers.get(utf8('traceparent'))
    if (!parent || !isWellFormed(parent)) return false
    context.traceHigh = parseHex(parent, 3, 16)
    context.traceLow = parseHex(parent, 19, 16)
    context.spanId = parseHex(parent, 36, 16)
    if (!context.hasIds) {
      context.clearIds()
      return false
    }
    context.decision = i32(parseHex(parent, 53, 2) & 1)
    context.isW3C = true
    return true
  }

  inject(headers: HeaderMap, span: Span): void {
    store<u32>(text, 0x2d3030)
    let at = storeHex(text + 3, span.traceHigh)
    at = storeHex(at, span.traceLow)
    store<u8>(at, 0x2d)
    at = storeHex(at + 1, span.id)
    store<u16>(at, 0x302d)
    store<u8>(at, span.isSampled ? 0x31 : 0x30, 2)
    headers.set(utf8('traceparent'), ByteString.at(text, LENGTH))
  }
}

function isWellFormed(parent: ByteString): bool {
  if (parent.length < LENGTH) return false
  for (let i = 0; i < LENGTH; i++) {
    const byte = parent.byteAt(i)
    if (i == 2 || i == 35 || i == 52) {
      if (byte != 0x2d) return false
    } else if (<u32>(byte - 0x30) > 9 && <u32>(byte - 0x61) > 5) return false
  }
  const version = parseHex(parent, 0, 2)
  if (!isHex || version == 0xff) return false
  // Later versions may have more behind a dash.
  return parent.length == LENGTH || (version != 0 && parent.byteAt(LENGTH) == 0x2d)
}
