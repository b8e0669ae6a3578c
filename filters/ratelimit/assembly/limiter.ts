import { JsonValue, REQUIRED } from '@meshscript/sdk'
import { readDuration } from '../../common/assembly/duration'

/** Bytes of a counter. Zeros are one that was never used. */
// @ts-ignore: decorator
@inline export const STATE_SIZE: usize = 16

const NANOSECONDS: f64 = 1_000_000

/** How much is let pass in which time. It keeps nothing itself: the counters are where a store has put them. */
export abstract class Limiter {
  /** Of the counter that was asked last: what is left of it now. */
  left: f64 = 0
  /** Of the counter that was asked last: nanoseconds until a request that was refused would pass, or until all of the quota is there. */
  wait: f64 = 0

  constructor(
    /** Requests that `per` lets pass. */
    readonly requests: f64,
    /** Nanoseconds. */
    readonly per: f64,
  ) {}

  /** The most that can pass at once. */
  abstract get capacity(): f64

  /** Takes `cost` out of the counter at `state`; false, and the counter as it was, where there is not enough. `now`: nanoseconds since 1970. */
  abstract take(state: usize, now: u64, cost: f64): bool

  /** Undoes a `take` of the same moment. */
  abstract giveBack(state: usize, cost: f64): void

  /** How little a counter says, from 0 (nothing may pass) to 1 (the same as one that was never used). */
  abstract fullness(state: usize, now: u64): f64
}

/** Holds up to `burst` tokens, and gets new ones evenly. State: tokens (f64), when they were counted (u64). */
@final
export class TokenBucket extends Limiter {
  /** Tokens per nanosecond. */
  private rate: f64

  constructor(
    requests: f64,
    per: f64,
    private burst: f64,
  ) {
    super(requests, per)
    this.rate = requests / per
  }

  get capacity(): f64 {
    return this.burst
  }

  take(state: usize, now: u64, cost: f64): bool {
    const tokens = this.tokensAt(state, now)
    if (tokens < cost) {
      this.left = tokens
      this.wait = (cost - tokens) / this.rate
      return false
    }
    const left = tokens - cost
    store<f64>(state, left)
    // Where the clock was set back, what has passed must not count twice.
    if (now > load<u64>(state, 8)) store<u64>(state, now, 8)
    this.left = left
    this.wait = (this.burst - left) / this.rate
    return true
  }

  giveBack(state: usize, cost: f64): void {
    store<f64>(state, min(load<f64>(state) + cost, this.burst))
  }

  fullness(state: usize, now: u64): f64 {
    return this.tokensAt(state, now) / this.burst
  }

  private tokensAt(state: usize, now: u64): f64 {
    const counted = load<u64>(state, 8)
    const tokens = load<f64>(state)
    return now > counted ? min(tokens + <f64>(now - counted) * this.rate, this.burst) : tokens
  }
}

/**
 * Counts the requests of this window and of the one before, of which those are taken to be within the last `per` that are in proportion, as if they had
 * come evenly. State: number of the window (u64), requests in the one before (u32), requests in it (u32).
 */
@final
export class SlidingWindow extends Limiter {
  get capacity(): f64 {
    return this.requests
  }

  take(state: usize, now: u64, cost: f64): bool {
    const length = <u64>this.per
    const number = load<u64>(state)
    const current = max(now / length, number)
    let before = load<u32>(state, 8)
    let count = load<u32>(state, 12)
    if (current != number) {
      before = current == number + 1 ? count : 0
      count = 0
    }
    const elapsed = this.elapsed(now, current)
    const used = <f64>before * (1 - elapsed) + <f64>count
    this.left = max<f64>(this.requests - used, 0)
    if (used + cost > this.requests) {
      this.wait = this.waitFor(cost, elapsed, <f64>before, <f64>count)
      return false
    }
    this.left -= cost
    this.wait = (1 - elapsed) * this.per
    store<u64>(state, current)
    store<u32>(state, before, 8)
    store<u32>(state, count + <u32>cost, 12)
    return true
  }

  giveBack(state: usize, cost: f64): void {
    const count = load<u32>(state, 12)
    store<u32>(state, count - min(count, <u32>cost), 12)
  }

  fullness(state: usize, now: u64): f64 {
    const number = load<u64>(state)
    const current = max(now / <u64>this.per, number)
    if (current > number + 1) return 1
    const share = 1 - this.elapsed(now, current)
    const count = load<u32>(state, 12)
    const used = current == number ? <f64>load<u32>(state, 8) * share + <f64>count : <f64>count * share
    return max<f64>(1 - used / this.requests, 0)
  }

  /** What of a window is over, from 0 to 1; of one that has not begun, since the clock was set back, nothing. */
  private elapsed(now: u64, current: u64): f64 {
    const length = <u64>this.per
    return now / length == current ? <f64>(now % length) / this.per : 0
  }

  /** Until requests of the window before, or else of this one, have gone that are as many as are wanted. */
  private waitFor(cost: f64, elapsed: f64, before: f64, count: f64): f64 {
    const room = this.requests - cost - count
    // Within this window, as the one before loses weight.
    if (room >= 0 && before > 0) return max<f64>(1 - room / before - elapsed, 0) * this.per
    // Within the next, where this one is the one before.
    return (1 - elapsed + (count > 0 ? max<f64>(1 - (this.requests - cost) / count, 0) : 0)) * this.per
  }
}

/** Reads `limit`. */
export function readLimiter(json: JsonValue): Limiter {
  json.object()
  const requests = <f64>json.get('requests').integer(REQUIRED, 1, 4_000_000_000)
  const perJson = json.get('per')
  const per = readDuration(perJson) * NANOSECONDS
  if (per < 1_000_000 || per > 31_536_000_000_000_000) perJson.fail('expected a duration from 1ms to 8760h')
  const burst = json.get('burst')
  const isWindow = json.get('algorithm').oneOf(['token-bucket', 'sliding-window'], 0) == 1
  if (isWindow && burst.exists) burst.fail('a sliding window has no burst: leave it out, or take the token bucket')
  if (isWindow) return new SlidingWindow(requests, per)
  return new TokenBucket(requests, per, <f64>burst.integer(<i64>requests, 1, 4_000_000_000))
}
