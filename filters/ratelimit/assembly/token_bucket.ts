import { Limiter } from './limiter'

/** The largest debt: with what a moment adds it stays far from the end of 64 bits. */
const MAX_DEBT: u64 = 1 << 62
/** Nanoseconds of a step. */
const STEPS: StaticArray<u64> = [1, 1_000, 1_000_000, 1_000_000_000]

/**
 * Holds up to `burst` tokens, and gets new ones evenly. Kept is what was taken and has not come back: a debt, in such parts of a token that a step of time pays a
 * whole number of them. So nothing is ever rounded, and a request passes at the nanosecond at which its token is there. State: debt (u64), when it was reckoned (u64, in steps).
 */
@final
export class TokenBucket extends Limiter {
  /** Nanoseconds of a step: 1, or more where numbers would get too large. */
  private step: u64 = 0
  /** Parts of a token. */
  private token: u64 = 1
  /** Parts that a step pays. */
  private rate: u64 = 1
  /** Parts of all tokens. */
  private most: u64 = 0
  /** Steps that pay all. */
  private whole: u64 = 0

  constructor(
    requests: f64,
    per: f64,
    private burst: f64,
  ) {
    super(requests, per, 16)
    for (let i = 0; i < STEPS.length; i++) {
      // Rounded up, if at all: rather a billionth less than more.
      const steps = (<u64>per + STEPS[i] - 1) / STEPS[i]
      const common = greatestCommonDivisor(steps, <u64>requests)
      const token = steps / common
      if (token > MAX_DEBT / <u64>burst) continue
      this.step = STEPS[i]
      this.token = token
      this.rate = <u64>requests / common
      break
    }
    this.most = this.token * <u64>burst
    this.whole = (this.most + this.rate - 1) / this.rate
  }

  get capacity(): f64 {
    return this.burst
  }

  take(state: usize, now: u64, cost: f64): bool {
    const time = this.step == 1 ? now : now / this.step
    const debt = this.debtAt(state, time)
    const after = debt + <u64>cost * this.token
    if (after > this.most) {
      this.left = this.tokens(this.most - debt)
      this.wait = this.timeOf(after - this.most)
      return false
    }
    store<u64>(state, after)
    // Workers' clocks are the same, but one may have read it before another and come behind it.
    if (time > load<u64>(state, 8)) store<u64>(state, time, 8)
    this.left = this.tokens(this.most - after)
    this.wait = this.timeOf(after)
    return true
  }

  giveBack(state: usize, cost: f64): void {
    const debt = load<u64>(state)
    store<u64>(state, debt - min(debt, <u64>cost * this.token))
  }

  fullness(state: usize, now: u64): f64 {
    return 1 - <f64>min(this.debtAt(state, now / this.step), this.most) / <f64>this.most
  }

  private debtAt(state: usize, time: u64): u64 {
    const debt = load<u64>(state)
    const reckoned = load<u64>(state, 8)
    if (time <= reckoned) return min(debt, this.most)
    const steps = time - reckoned
    if (steps >= this.whole) return 0
    return debt - min(debt, steps * this.rate)
  }

  /** Whole tokens. */
  private tokens(parts: u64): f64 {
    return Math.floor(<f64>parts / <f64>this.token)
  }

  /** Nanoseconds that pay so much. */
  private timeOf(parts: u64): f64 {
    return Math.ceil(<f64>parts / <f64>this.rate) * <f64>this.step
  }
}

function greatestCommonDivisor(a: u64, b: u64): u64 {
  while (b) {
    const rest = a % b
    a = b
    b = rest
  }
  return a
}
