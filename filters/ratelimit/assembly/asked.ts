import { ResponseHeaders } from '../../common/assembly/response_headers'
import { RateLimits } from './configuration'
import { Rule } from './rule'

/** What a request has to know that asks the global service. */
@final
export class Asked {
  /** What the service wants added to the response. */
  added: ResponseHeaders | null = null
  private rules: Rule[] = []
  private keys: u64[] = []

  constructor(
    /** The configuration by which it was asked: another may have come meanwhile. */
    readonly limits: RateLimits,
    private now: u64,
  ) {}

  /** Keeps what the first `count` rules have taken, by their keys: 0 for nothing. */
  keep(rules: Rule[], keys: StaticArray<u64>, count: i32): void {
    for (let i = 0; i < count; i++) {
      const key = unchecked(keys[i])
      if (!key) continue
      this.rules.push(unchecked(rules[i]))
      this.keys.push(key)
    }
  }

  /** Gives it back: the request does not pass. */
  giveBack(): void {
    for (let i = 0; i < this.rules.length; i++) this.rules[i].giveBack(this.keys[i], this.now)
  }
}
