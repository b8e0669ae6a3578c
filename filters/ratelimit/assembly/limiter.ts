import { JsonValue, REQUIRED } from '@meshscript/sdk'
import { readDuration } from '../../common/assembly/duration'
import { SlidingWindow } from './sliding_window'
import { TokenBucket } from './token_bucket'

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
    /** Bytes of a counter. Zeros are one that was never used. */
    readonly stateSize: i32,
  ) {}

  /** The most that can pass at once. */
  abstract get capacity(): f64

  /** Takes `cost` out of the counter at `state`; false where there is not enough. `now`: nanoseconds by the monotonic clock. */
  abstract take(state: usize, now: u64, cost: f64): bool

  /** Undoes a `take` of the same moment. */
  abstract giveBack(state: usize, cost: f64): void

  /** How little a counter says, from 0 (nothing may pass) to 1 (the same as one that was never used). */
  abstract fullness(state: usize, now: u64): f64
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
  const most = <f64>burst.integer(<i64>requests, 1, 4_000_000_000)
  // What is wrong may be any number.
  if (json.hasError) return new TokenBucket(1, NANOSECONDS, 1)
  return isWindow ? new SlidingWindow(requests, per) : new TokenBucket(requests, per, most)
}
