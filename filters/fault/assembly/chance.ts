import { ByteString, JsonValue } from '@meshscript/sdk'
import { fraction, hash64 } from '../../common/assembly/hash'
import { random } from '../../common/assembly/random'

/** How many of a hundred requests it hits. */
@final
export class Chance {
  /** `seed`: makes chances that go by the same key independent of each other. */
  constructor(
    private percentage: f64,
    private seed: u64,
  ) {}

  /** Reads the member `percentage`. */
  static of(json: JsonValue, seed: u64): Chance {
    const member = json.get('percentage')
    const percentage = member.number()
    if (!(percentage >= 0 && percentage <= 100)) member.fail('expected a number from 0 to 100')
    return new Chance(percentage, seed)
  }

  /** Whether it hits a request. With a key it depends on that alone, and a higher percentage hits the same keys and more; without one it is random. */
  hits(key: ByteString | null): bool {
    const percentage = this.percentage
    if (percentage >= 100) return true
    if (percentage <= 0) return false
    return (key ? fraction(hash64(key, this.seed)) : random().next()) * 100 < percentage
  }
}
