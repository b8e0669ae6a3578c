import { Ints, sort } from '../regex/ints'

/** Integers of a condition: dimension, flags, where its patterns begin, their number, the next one of the bucket. */
const STRIDE: i32 = 5

/** None of the patterns may match. */
export const NEGATED: i32 = 1
/** It holds where the value can't be known. */
export const HOLDS_IF_UNKNOWN: i32 = 2

/** Sets of patterns of one dimension, one of which must match (or none). The same condition of many rules is kept once. */
@final
export class Conditions {
  private data: Ints = new Ints(16 * STRIDE)
  private sets: Ints = new Ints(64)
  private buckets: StaticArray<i32> = new StaticArray<i32>(16)

  /** Number of a condition. `patterns` are sorted by this. */
  add(dimension: i32, flags: i32, patterns: Ints): i32 {
    sort(patterns.data, 0, patterns.length, 1)
    let hash: u32 = dimension * 4 + flags
    for (let i = 0; i < patterns.length; i++) hash = (hash ^ patterns.at(i)) * 0x01000193
    const data = this.data
    for (let at = this.buckets[hash & (this.buckets.length - 1)] - 1; at >= 0; at = data.at(at + 4) - 1) {
      if (data.at(at) == dimension && data.at(at + 1) == flags && this.isSet(at, patterns)) return at / STRIDE
    }
    if (data.length == this.buckets.length * STRIDE) this.grow()
    const at = data.length
    const bucket = hash & (this.buckets.length - 1)
    data.push(dimension)
    data.push(flags)
    data.push(this.sets.length)
    data.push(patterns.length)
    data.push(this.buckets[bucket])
    this.buckets[bucket] = at + 1
    for (let i = 0; i < patterns.length; i++) this.sets.push(patterns.at(i))
    return at / STRIDE
  }

  // @ts-ignore: decorator
  @inline
  dimension(condition: i32): i32 {
    return this.data.at(condition * STRIDE)
  }

  // @ts-ignore: decorator
  @inline
  flags(condition: i32): i32 {
    return this.data.at(condition * STRIDE + 1)
  }

  /** Number of its patterns. */
  // @ts-ignore: decorator
  @inline
  size(condition: i32): i32 {
    return this.data.at(condition * STRIDE + 3)
  }

  // @ts-ignore: decorator
  @inline
  pattern(condition: i32, index: i32): i32 {
    return this.sets.at(this.data.at(condition * STRIDE + 2) + index)
  }

  /** True when the pattern is one of the condition's. */
  contains(condition: i32, pattern: i32): bool {
    let low = this.data.at(condition * STRIDE + 2)
    let high = low + this.size(condition)
    while (low < high) {
      const middle = (low + high) >> 1
      const found = this.sets.at(middle)
      if (found == pattern) return true
      if (found < pattern) low = middle + 1
      else high = middle
    }
    return false
  }

  private isSet(at: i32, patterns: Ints): bool {
    if (this.data.at(at + 3) != patterns.length) return false
    const start = this.data.at(at + 2)
    for (let i = 0; i < patterns.length; i++) if (this.sets.at(start + i) != patterns.at(i)) return false
    return true
  }

  private grow(): void {
    const data = this.data
    const buckets = new StaticArray<i32>(this.buckets.length * 4)
    for (let at = 0; at < data.length; at += STRIDE) {
      let hash: u32 = data.at(at) * 4 + data.at(at + 1)
      for (let i = 0; i < data.at(at + 3); i++) hash = (hash ^ this.sets.at(data.at(at + 2) + i)) * 0x01000193
      const bucket = hash & (buckets.length - 1)
      data.set(at + 4, buckets[bucket])
      buckets[bucket] = at + 1
    }
    this.buckets = buckets
  }

  /** What only `add` needs goes. */
  compile(): void {
    this.buckets = new StaticArray<i32>(0)
  }
}
