import { ByteString } from '@meshscript/sdk'
import { isHex, parseHex } from '../hex'
import { Span } from '../traces/span'

/** The trace that a request belongs to. */
@final
export class TraceId {
  high: u64 = 0
  /** 0: none. */
  low: u64 = 0

  /** Reads it from the request's span, or else from `traceparent`, `b3` or `x-b3-traceid`. */
  read(span: Span | null, header: ByteString | null): void {
    this.high = 0
    this.low = 0
    if (span) {
      this.high = span.traceHigh
      this.low = span.traceLow
    } else if (header) this.parse(header)
  }

  private parse(header: ByteString): void {
    // 00-ID-…, ID-…, or ID.
    const from = header.byteAt(2) == 0x2d ? 3 : 0
    const dash = header.indexOfByte(0x2d, from)
    const length = (dash < 0 ? header.length : dash) - from
    if (length != 32 && length != 16) return
    const high = length == 32 ? parseHex(header, from, 16) : 0
    const isValid = length == 16 || isHex
    const low = parseHex(header, from + length - 16, 16)
    if (!isValid || !isHex || !low) return
    this.high = high
    this.low = low
  }
}
