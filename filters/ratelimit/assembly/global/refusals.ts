import { JsonValue } from '@meshscript/sdk'
import { readDuration } from '../../../common/assembly/duration'

// Sets of a few places each, as of the local counters; a place is a question's hash (u64), until when it is refused (f64, milliseconds since 1970), the
// limit (f64) and its time (f64, milliseconds).

const PLACE: usize = 32
const PLACES: i32 = 4

/** Descriptors that the service has refused, until they may pass again: they need not be asked about. Bounded: the next to run out makes room. */
@final
export class Refusals {
  private memory: StaticArray<u8> | null = null
  private sets: u64
  /** Milliseconds that one is kept at most. */
  private maxAge: f64
  /** When the last of them runs out. */
  private last: f64 = 0
  /** Of the one that was found last. */
  limit: f64 = 0
  per: f64 = 0
  until: f64 = 0

  /** Reads `cache`. */
  constructor(json: JsonValue) {
    if (json.exists) json.object()
    this.sets = (<u64>json.get('maxKeys').integer(10_000, 0, 1_000_000) + PLACES - 1) / PLACES
    this.maxAge = readDuration(json.get('maxAge'), 60_000)
  }

  /** Nothing is there: without a look at the time. */
  get isEmpty(): bool {
    return this.last == 0
  }

  /** Whether a question is refused. What is known of it is in `limit`, `per` and `until`. */
  find(hash: u64, now: f64): bool {
    const memory = this.memory
    if (!memory || now >= this.last) {
      this.last = 0
      return false
    }
    let place = this.setOf(memory, hash)
    for (let i = 0; i < PLACES; i++, place += PLACE) {
      // A clock that was set back makes none of them last longer.
      const rest = load<f64>(place, 8) - now
      if (load<u64>(place) != hash || rest <= 0 || rest > this.maxAge) continue
      this.until = load<f64>(place, 8)
      this.limit = load<f64>(place, 16)
      this.per = load<f64>(place, 24)
      return true
    }
    return false
  }

  /** A question is refused from now on, for `age` milliseconds. */
  add(hash: u64, now: f64, age: f64, limit: f64, per: f64): void {
    if (!this.sets) return
    let memory = this.memory
    if (!memory) this.memory = memory = new StaticArray<u8>(<i32>(this.sets * PLACES * PLACE))
    let place = this.setOf(memory, hash)
    let taken = place
    for (let i = 0; i < PLACES; i++, place += PLACE) {
      if (load<u64>(place) == hash) {
        taken = place
        break
      }
      if (load<f64>(place, 8) < load<f64>(taken, 8)) taken = place
    }
    const until = now + min(age, this.maxAge)
    store<u64>(taken, hash)
    store<f64>(taken, until, 8)
    store<f64>(taken, limit, 16)
    store<f64>(taken, per, 24)
    this.last = max(this.last, until)
  }

  private setOf(memory: StaticArray<u8>, hash: u64): usize {
    return changetype<usize>(memory) + <usize>(hash % this.sets) * (PLACE * <usize>PLACES)
  }
}
