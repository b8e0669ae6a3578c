import { ByteString, HeaderMap } from '@meshscript/sdk'
import { NO_PRIORITY, Span } from './span'

/** What a request says of the trace that it belongs to. */
@final
export class TraceContext {
  traceHigh: u64 = 0
  /** 0: the request belongs to no trace. */
  traceLow: u64 = 0
  spanId: u64 = 0
  /** 1: sampled; 0: not; -1: not said. */
  decision: i32 = -1
  isForced: bool = false
  priority: i32 = NO_PRIORITY
  /** There is a `tracestate` that belongs to the trace. */
  isW3C: bool = false

  /** Forgets the request before. */
  clear(): void {
    this.clearIds()
    this.decision = -1
    this.isForced = false
    this.priority = NO_PRIORITY
    this.isW3C = false
  }

  /** Forgets ids that turned out to be wrong. */
  clearIds(): void {
    this.traceHigh = 0
    this.traceLow = 0
    this.spanId = 0
  }

  /** Whether it names a trace and a span in it. */
  get hasIds(): bool {
    return (this.traceLow | this.traceHigh) != 0 && this.spanId != 0
  }
}

/** Reads headers of a request: the first by itself, since it is often the only one, and then all at once. */
@final
export class HeaderReader {
  private map: HeaderMap = changetype<HeaderMap>(0)
  private reads: i32 = 0

  /** Begins with a request. */
  begin(map: HeaderMap): void {
    this.map = map
    this.reads = 0
  }

  /** The first value of a header; null where there is none. */
  get(name: ByteString): ByteString | null {
    return this.reads++ ? this.map.all().get(name) : this.map.get(name)
  }
}

/** A form of headers in which traces are handed on. */
export abstract class Format {
  /** Reads what the request says; true where it names a trace. */
  abstract extract(headers: HeaderReader, context: TraceContext): bool

  /** Writes the span as the one that what follows belongs to. */
  abstract inject(headers: HeaderMap, span: Span): void
}
