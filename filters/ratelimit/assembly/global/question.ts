import { currentTimeMillis } from '@meshscript/sdk'
import { Refusals } from './refusals'

/** Which descriptors the service was asked about by one request, while others ask too. */
@final
export class Question {
  private hashes: StaticArray<u64>
  private rules: StaticArray<i32>

  constructor(
    hashes: StaticArray<u64>,
    rules: StaticArray<i32>,
    readonly count: i32,
    private refusals: Refusals,
  ) {
    this.hashes = hashes.slice<StaticArray<u64>>(0, count)
    this.rules = rules.slice<StaticArray<i32>>(0, count)
  }

  /** The rule of a descriptor. */
  ruleAt(index: i32): i32 {
    return this.rules[index]
  }

  /** A descriptor is exhausted, for `reset` milliseconds: until then nobody needs to ask about it. */
  refuse(index: i32, reset: f64, limit: f64, per: f64): void {
    if (reset > 0) this.refusals.add(this.hashes[index], <f64>currentTimeMillis(), reset, limit, per)
  }
}
