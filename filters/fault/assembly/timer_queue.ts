import { HttpContext, RootContext, Status } from '@meshscript/sdk'
import { monotonicTime } from './clock'

/** Not in the queue. */
const NOWHERE: i32 = -1
/** Most streams that one tick lets go, so that what else the worker has to do gets its turn. */
const BATCH: i32 = 256
/** Milliseconds between looks for streams that are gone; each looks at a part of them. */
const LOOK_PERIOD: f64 = 100
const LOOK_PARTS: i32 = 8

/** A stream that can wait in a `TimerQueue`. */
export abstract class WaitingContext extends HttpContext {
  /** Set by the queue. */
  dueAt: f64 = 0
  place: i32 = NOWHERE

  /** True while it is in the queue. */
  // @ts-ignore: decorator
  @inline
  get isWaiting(): bool {
    return this.place != NOWHERE
  }

  /** It has waited long enough. Hostcalls act on it. */
  abstract onDue(): void
}

/**
 * Streams that wait, the one that is due first on top: a binary heap, in which each stream knows its place. While nobody waits there are no ticks;
 * else the next tick comes when the first stream is due, and not later than the next look for streams that were reset.
 */
@final
export class TimerQueue {
  private heap: StaticArray<WaitingContext | null> = new StaticArray<WaitingContext | null>(64)
  private count: i32 = 0
  /** What the host's timer is set to, and when it will run out. */
  private period: u32 = 0
  private tickAt: f64 = 0
  private lookAt: f64 = 0
  /** Where the next look begins. */
  private cursor: i32 = 0

  constructor(private root: RootContext) {}

  /** How many wait. */
  get size(): i32 {
    return this.count
  }

  /** Calls `onDue` of the stream after so many milliseconds. False, and nothing comes, when the host has no timer. */
  add(stream: WaitingContext, milliseconds: f64): bool {
    if (stream.isWaiting) this.remove(stream)
    const now = monotonicTime()
    if (!this.count) this.lookAt = now + LOOK_PERIOD
    stream.dueAt = now + milliseconds
    if (this.count == this.heap.length) this.grow()
    this.rise(stream, this.count++)
    if (!this.period || this.waitFrom(now) + now < this.tickAt) this.setPeriod(this.waitFrom(now), now)
    if (this.period) return true
    this.remove(stream)
    return false
  }

  /** Takes out a stream that is in the queue. */
  remove(stream: WaitingContext): void {
    const place = stream.place
    stream.place = NOWHERE
    const last = --this.count
    const moved = unchecked(this.heap[last])!
    unchecked((this.heap[last] = null))
    if (last == place) return
    this.rise(moved, place)
    if (moved.place == place) this.sink(moved, place)
  }

  /** Call it in the root context's `onTick`. */
  onTick(): void {
    const now = monotonicTime()
    for (let i = 0; i < BATCH && this.count; i++) {
      const stream = unchecked(this.heap[0])!
      if (stream.dueAt > now) break
      this.remove(stream)
      // Else it was reset.
      if (stream.becomeEffective()) stream.onDue()
    }
    if (now >= this.lookAt) {
      this.lookAt = now + LOOK_PERIOD
      this.look()
    }
    const wait = this.count ? this.waitFrom(now) : 0
    // The host begins the same period again by itself.
    if (wait == this.period) this.tickAt = now + wait
    else this.setPeriod(wait, now)
  }

  /** Takes out streams that the host no longer has. To be told of each stream's end would cost every request an entry. */
  private look(): void {
    for (let i = (this.count + LOOK_PARTS - 1) / LOOK_PARTS; i > 0 && this.count; i--) {
      if (this.cursor >= this.count) this.cursor = 0
      const stream = unchecked(this.heap[this.cursor])!
      if (stream.becomeEffective()) this.cursor++
      else this.remove(stream)
    }
  }

  /** Milliseconds to the next tick. */
  private waitFrom(now: f64): u32 {
    const wait = Math.ceil(unchecked(this.heap[0])!.dueAt - now)
    return <u32>max<f64>(1, min<f64>(wait, LOOK_PERIOD))
  }

  private setPeriod(period: u32, now: f64): void {
    this.period = this.root.setTickPeriod(period) == Status.Ok ? period : 0
    this.tickAt = now + period
  }

  /** Puts a stream at a place, or at one above where it is due earlier. */
  private rise(stream: WaitingContext, place: i32): void {
    const heap = this.heap
    while (place > 0) {
      const above = (place - 1) >> 1
      const other = unchecked(heap[above])!
      if (other.dueAt <= stream.dueAt) break
      unchecked((heap[place] = other))
      other.place = place
      place = above
    }
    unchecked((heap[place] = stream))
    stream.place = place
  }

  /** Puts a stream at a place, or at one below where it is due later. */
  private sink(stream: WaitingContext, place: i32): void {
    const heap = this.heap
    const count = this.count
    for (;;) {
      let below = 2 * place + 1
      if (below >= count) break
      if (below + 1 < count && unchecked(heap[below + 1])!.dueAt < unchecked(heap[below])!.dueAt) below++
      const other = unchecked(heap[below])!
      if (other.dueAt >= stream.dueAt) break
      unchecked((heap[place] = other))
      other.place = place
      place = below
    }
    unchecked((heap[place] = stream))
    stream.place = place
  }

  private grow(): void {
    const old = this.heap
    const heap = new StaticArray<WaitingContext | null>(old.length * 2)
    for (let i = 0; i < old.length; i++) unchecked((heap[i] = old[i]))
    this.heap = heap
  }
}
