/** Virtual time, and work to be done soon. Nothing here waits for real time. */

interface Timer {
  at: number
  order: number
  run: () => void
  cancelled: boolean
}

const UPTIME = 3_600_000
/** So many that are done are kept before they are taken off the list. */
const DONE_LIMIT = 1024

export class Clock {
  /** Milliseconds since 1970. */
  now: number
  readonly start: number
  #timers: Timer[] = []
  #tasks: (() => void)[] = []
  #order = 0
  #draining = false

  constructor(start: number) {
    this.now = start
    this.start = start
  }

  get nanoseconds(): bigint {
    return BigInt(Math.round(this.now * 1000)) * 1000n
  }

  /** Nanoseconds since the machine started, an hour before the host: Go's runtime takes 0 for an error. */
  get monotonic(): bigint {
    return BigInt(Math.round((this.now - this.start + UPTIME) * 1000)) * 1000n
  }

  /** Runs after everything that is already under way, as another turn of an event loop would. */
  post(task: () => void): void {
    this.#tasks.push(task)
  }

  /** Answers what cancels it. */
  after(milliseconds: number, run: () => void): () => void {
    const timer: Timer = { at: this.now + Math.max(0, milliseconds), order: this.#order++, run, cancelled: false }
    // Few timers, mostly added at the end: a sorted list is enough.
    let at = this.#timers.length
    while (at > 0 && this.#timers[at - 1]!.at > timer.at) at--
    this.#timers.splice(at, 0, timer)
    return () => {
      if (timer.cancelled) return
      timer.cancelled = true
      const index = this.#timers.indexOf(timer)
      if (index >= 0) this.#timers.splice(index, 1)
    }
  }

  /** When the next timer is due. */
  get next(): number | undefined {
    return this.#timers[0]?.at
  }

  /** Runs all that is to be done now. */
  drain(): void {
    if (this.#draining) return
    this.#draining = true
    let next = 0
    try {
      while (next < this.#tasks.length) {
        this.#tasks[next++]!()
        if (next < DONE_LIMIT) continue
        this.#tasks.splice(0, next)
        next = 0
      }
    } finally {
      this.#tasks.splice(0, next)
      this.#draining = false
    }
  }

  /** Goes to the next timer's time if that is not later than `limit`, and runs it. Answers whether there was one. */
  step(limit: number): boolean {
    this.drain()
    const timer = this.#timers[0]
    if (!timer || timer.at > limit) return false
    this.#timers.shift()
    timer.cancelled = true
    this.now = Math.max(this.now, timer.at)
    timer.run()
    this.drain()
    return true
  }
}

/** `250`, or `'1.5s'`, `'200ms'`, `'1m'`, in milliseconds. */
export function milliseconds(time: number | string): number {
  if (typeof time === 'number') return time
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(time.trim())
  if (!match) throw new Error(`not a duration: '${time}'; write milliseconds or e.g. '1.5s'`)
  return Number(match[1]) * { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }[match[2] as 'ms' | 's' | 'm' | 'h']
}
