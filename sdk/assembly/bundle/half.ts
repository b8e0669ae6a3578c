/** What waits of one half of a stream. Positions are those in the order in which the half runs through the filters. */
@final
export class Half {
  /** Where the headers wait; the number of parts when they have passed all. */
  headersAt: i32
  /** That filter wants nothing else of this half before the headers. */
  holdsAll: bool = false
  headersEnd: bool = false
  /** A filter has answered or reset the stream: nothing of this half goes on. */
  isOver: bool = false
  /** The first position where the body waits, or -1. */
  bodyAt: i32 = -1
  bodyEnd: bool = false
  trailersAt: i32 = -1
  /** Bytes that the host holds. */
  held: u32 = 0
  /** Of these, how many at the beginning each position has passed on, so that it is not shown them again. */
  readonly passed: StaticArray<u32>

  constructor(count: i32) {
    this.headersAt = count
    this.passed = new StaticArray<u32>(count)
  }

  /** Where the headers wait, nothing else is shown. */
  get holdsRest(): bool {
    return this.holdsAll || this.isOver
  }

  get isWaiting(): bool {
    return this.headersAt < this.passed.length || this.bodyAt >= 0 || this.trailersAt >= 0
  }
}
