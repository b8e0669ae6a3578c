// @ts-ignore: decorator
@external('wasi_snapshot_preview1', 'random_get')
declare function random_get(data: usize, size: usize): u32

/** xorshift64*, begun with what the host has drawn: an import for each number would cost more than all the rest. */
@final
export class Random {
  private state: u64 = 0

  /** A number from 0 to before 1. */
  next(): f64 {
    return <f64>(this.bits() >> 11) * (1.0 / 9007199254740992.0)
  }

  /** 64 bits, never all 0. */
  bits(): u64 {
    let x = this.state
    if (!x) x = hostRandom()
    x ^= x >> 12
    x ^= x << 25
    x ^= x >> 27
    this.state = x
    return x * 0x2545f4914f6cdd1d
  }
}

let theRandom: Random | null = null

/** The random numbers of the VM. */
export function random(): Random {
  let known = theRandom
  if (!known) theRandom = known = new Random()
  return known
}

/** 64 bits of the host's own randomness, never 0: for seeds that nobody must guess. An import. */
export function hostRandom(): u64 {
  const bytes = new StaticArray<u64>(1)
  random_get(changetype<usize>(bytes), 8)
  // Zero would stay zero.
  return bytes[0] ? bytes[0] : 0x9e3779b97f4a7c15
}
