/** What Datadog calls the sampling priority, where nobody has said one. */
export const NO_PRIORITY: i32 = i32.MIN_VALUE

/** A request's part of a trace, from its headers to its log. */
@final
export class Span {
  traceHigh: u64 = 0
  /** Never 0. */
  traceLow: u64 = 0
  id: u64 = 0
  /** 0: the trace begins here. */
  parentId: u64 = 0
  isSampled: bool = false
  /** Whoever began the trace wants it whatever the sampling says. */
  isForced: bool = false
  /** Datadog's, as it came. */
  priority: i32 = NO_PRIORITY
}
