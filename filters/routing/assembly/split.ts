import { ByteString, JsonValue } from '@meshscript/sdk'
import { fraction, hash64, mix64 } from '../../common/assembly/hash'
import { Random, random } from '../../common/assembly/random'
import { CurrentRequest } from '../../common/assembly/request/request'
import { Destination } from './destination'
import { StickyKey } from './sticky_key'

/** The destinations of a route, of which each request gets one. */
@final
export class Split {
  readonly destinations: Destination[] = []
  private total: f64 = 0
  private key: StickyKey | null = null
  private random: Random = random()

  constructor(json: JsonValue, sticky: JsonValue) {
    const items = json.array()
    if (!items.length) json.fail('expected at least one destination')
    // Beside others, one without a weight gets nothing.
    const weight: f64 = items.length == 1 ? 1 : 0
    for (let i = 0; i < items.length; i++) {
      const destination = new Destination(items[i], weight)
      for (let n = 0; n < i; n++) {
        // Two of one cluster (their headers may differ) are two.
        if (this.destinations[n].cluster.equals(destination.cluster)) destination.seed = mix64(destination.seed + i)
      }
      this.destinations.push(destination)
      this.total += destination.weight
    }
    if (!(this.total > 0)) json.fail('expected a weight above 0')
    this.key = StickyKey.read(sticky)
  }

  /** The destination of a request. */
  choose(request: CurrentRequest): Destination {
    const destinations = this.destinations
    if (destinations.length == 1) return unchecked(destinations[0])
    const sticky = this.key
    const key = sticky ? sticky.of(request) : null
    return key ? this.chooseBy(key) : this.chooseAny()
  }

  private chooseAny(): Destination {
    const destinations = this.destinations
    let left = this.random.next() * this.total
    let last = 0
    for (let i = 0; i < destinations.length; i++) {
      const weight = unchecked(destinations[i]).weight
      if (!weight) continue
      last = i
      left -= weight
      if (left < 0) break
    }
    return unchecked(destinations[last])
  }

  /**
   * Weighted rendezvous hashing: each destination draws a number for the key, and the one with the best number for its weight gets it. A weight that
   * grows makes that number better and no other, so that keys move to that destination only.
   */
  chooseBy(key: ByteString): Destination {
    const destinations = this.destinations
    const hash = hash64(key)
    let best = -1
    let bestScore: f64 = 0
    for (let i = 0; i < destinations.length; i++) {
      const destination = unchecked(destinations[i])
      if (!destination.weight) continue
      const score = -destination.weight / NativeMath.log(fraction(mix64(hash ^ destination.seed)))
      if (best >= 0 && score <= bestScore) continue
      best = i
      bestScore = score
    }
    return unchecked(destinations[best])
  }
}
