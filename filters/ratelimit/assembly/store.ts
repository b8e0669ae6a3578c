import { Bytes, ByteString, sharedData, Status, utf8 } from '@meshscript/sdk'
import { Limiter } from './limiter'

// Counters are in sets of a few ways; a key has its set, and in it any way. A way is the key's hash (u64), which is never 0, and the counter. Where all
// ways of a set are taken, the one goes that says least: so memory is bounded, and who is over a limit is not forgotten because others come with new keys.

/** Ways of a set. */
const WAYS: i32 = 4
/** No host gives a value this version: with it, only a key that is not there yet is set. */
const ABSENT: u32 = 0xffffffff
/** How often other workers may be faster. */
const ATTEMPTS: i32 = 50

/** How a request fared. */
export enum Outcome {
  Taken,
  Exhausted,
  /** Other workers were faster each time. */
  Contended,
}

/** Where the counters of a rule are. */
export abstract class Store {
  /** Takes `cost` out of the counter of a key. */
  abstract take(limiter: Limiter, key: u64, now: u64, cost: f64): Outcome

  /** Undoes a `take` of the same moment. */
  abstract giveBack(limiter: Limiter, key: u64, now: u64, cost: f64): void
}

/** The counters of one worker, in its own memory. */
@final
export class WorkerStore extends Store {
  private memory: StaticArray<u8>
  private sets: u64
  private waySize: usize

  /** `isSingle`: there is one key only. */
  constructor(limiter: Limiter, maxKeys: u32, isSingle: bool) {
    super()
    const sets = setsFor(maxKeys, isSingle)
    this.sets = sets
    const waySize = waySizeOf(limiter)
    this.waySize = waySize
    this.memory = new StaticArray<u8>(<i32>sets * WAYS * <i32>waySize)
  }

  take(limiter: Limiter, key: u64, now: u64, cost: f64): Outcome {
    return limiter.take(findWay(this.setOf(key), this.waySize, key, limiter, now), now, cost)
      ? Outcome.Taken
      : Outcome.Exhausted
  }

  giveBack(limiter: Limiter, key: u64, now: u64, cost: f64): void {
    limiter.giveBack(findWay(this.setOf(key), this.waySize, key, limiter, now), cost)
  }

  private setOf(key: u64): usize {
    return changetype<usize>(this.memory) + <usize>(key % this.sets) * WAYS * this.waySize
  }
}

/** The counters that all workers of a proxy share, in the host's shared data. */
@final
export class ProxyStore extends Store {
  /** The rule's name for the host, and where there are several sets the number of one. */
  private name: Bytes
  private sets: u64
  private waySize: usize
  /** Bytes of what is under a name. */
  private size: i32
  private blank: StaticArray<u8>

  constructor(
    limiter: Limiter,
    prefix: ByteString,
    maxKeys: u32,
    private isSingle: bool,
  ) {
    super()
    this.sets = setsFor(maxKeys, isSingle)
    const waySize = waySizeOf(limiter)
    const size = <i32>waySize * (isSingle ? 1 : WAYS)
    this.waySize = waySize
    this.size = size
    this.blank = new StaticArray<u8>(size)
    this.name = (isSingle ? prefix : prefix.concat(utf8('\0\0\0\0'))).persist()
  }

  take(limiter: Limiter, key: u64, now: u64, cost: f64): Outcome {
    const name = this.nameOf(key)
    for (let i = 0; i < ATTEMPTS; i++) {
      const found = sharedData.get(name)
      const set = this.setIn(found ? found.value : null)
      if (!limiter.take(this.wayIn(set, key, limiter, now), now, cost)) return Outcome.Exhausted
      const status = sharedData.compareAndSwap(name, ByteString.at(set, this.size), found ? found.cas : ABSENT)
      if (status == Status.Ok) return Outcome.Taken
      if (status != Status.CasMismatch) break
    }
    return Outcome.Contended
  }

  giveBack(limiter: Limiter, key: u64, now: u64, cost: f64): void {
    const name = this.nameOf(key)
    for (let i = 0; i < ATTEMPTS; i++) {
      const found = sharedData.get(name)
      if (!found) return
      const set = this.setIn(found.value)
      limiter.giveBack(this.wayIn(set, key, limiter, now), cost)
      if (sharedData.compareAndSwap(name, ByteString.at(set, this.size), found.cas) != Status.CasMismatch) return
    }
  }

  private nameOf(key: u64): ByteString {
    const name = this.name.view
    if (!this.isSingle) store<u32>(name.ptr + name.length - 4, <u32>(key % this.sets))
    return name
  }

  /** A set to be changed: that of the host, or one of zeros. What another configuration has left under this name is taken over if it has the same form. */
  private setIn(value: ByteString | null): usize {
    if (value && value.length == this.size) return value.ptr
    const blank = changetype<usize>(this.blank)
    memory.fill(blank, 0, this.size)
    return blank
  }

  private wayIn(set: usize, key: u64, limiter: Limiter, now: u64): usize {
    if (!this.isSingle) return findWay(set, this.waySize, key, limiter, now)
    // Of another rule or limit.
    if (load<u64>(set) != key) claim(set, this.waySize, key)
    return set + 8
  }
}

function waySizeOf(limiter: Limiter): usize {
  return 8 + <usize>limiter.stateSize
}

function setsFor(maxKeys: u32, isSingle: bool): u64 {
  return isSingle ? 1 : max<u64>((<u64>maxKeys + WAYS - 1) / WAYS, 1)
}

/** The counter of a key in a set: its own, or that of a way which it takes over. */
function findWay(set: usize, waySize: usize, key: u64, limiter: Limiter, now: u64): usize {
  let free: usize = 0
  for (let i = 0; i < WAYS; i++) {
    const way = set + <usize>i * waySize
    const owner = load<u64>(way)
    if (owner == key) return way + 8
    if (!owner && !free) free = way
  }
  if (!free) {
    let fullest: f64 = -1
    for (let i = 0; i < WAYS; i++) {
      const way = set + <usize>i * waySize
      const fullness = limiter.fullness(way + 8, now)
      if (!(fullness > fullest)) continue
      fullest = fullness
      free = way
    }
    // Not a number, in what another program has left there.
    if (!free) free = set
  }
  claim(free, waySize, key)
  return free + 8
}

function claim(way: usize, waySize: usize, key: u64): void {
  memory.fill(way, 0, waySize)
  store<u64>(way, key)
}
