import { Ints, sort } from './ints'
import { foldRange } from './unicode'

export const MAX_RUNE: i32 = 0x10ffff

/** Ranges of code points, built one class at a time at the end of a shared list. */
@final
export class CharClass {
  readonly ranges: Ints = new Ints(64)
  /** Where the class that is being built begins. */
  private start: i32 = 0

  /** Forgets all classes. */
  clear(): void {
    this.ranges.length = 0
  }

  begin(): void {
    this.start = this.ranges.length
  }

  add(lo: i32, hi: i32): void {
    this.ranges.push(lo)
    this.ranges.push(hi)
  }

  addOne(rune: i32): void {
    this.add(rune, rune)
  }

  /** Adds the ranges of `other`, or what is outside of them. */
  addAll(other: CharClass, negated: bool, fold: bool): void {
    other.finish(fold, negated)
    for (let i = other.start; i < other.ranges.length; i++) this.ranges.push(other.ranges.at(i))
  }

  /** Sorts and merges the ranges; answers their number. */
  finish(fold: bool, negated: bool): i32 {
    const ranges = this.ranges
    this.merge()
    if (fold) {
      // An orbit has four members at most.
      for (let round = 0; round < 3; round++) {
        const end = ranges.length
        for (let i = this.start; i < end; i += 2) foldRange(ranges, ranges.at(i), ranges.at(i + 1))
        this.merge()
      }
    }
    if (negated) this.negate()
    return (ranges.length - this.start) >> 1
  }

  get first(): i32 {
    return this.start
  }

  private merge(): void {
    const ranges = this.ranges
    sort(ranges.data, this.start, (ranges.length - this.start) >> 1, 2)
    let end = this.start
    for (let i = this.start; i < ranges.length; i += 2) {
      const lo = ranges.at(i)
      const hi = ranges.at(i + 1)
      if (end > this.start && lo <= ranges.at(end - 1) + 1) {
        if (hi > ranges.at(end - 1)) ranges.set(end - 1, hi)
        continue
      }
      ranges.set(end++, lo)
      ranges.set(end++, hi)
    }
    ranges.length = end
  }

  private negate(): void {
    const ranges = this.ranges
    const end = ranges.length
    let next = 0
    let out = this.start
    for (let i = this.start; i < end; i += 2) {
      const lo = ranges.at(i)
      const hi = ranges.at(i + 1)
      if (next < lo) {
        ranges.set(out++, next)
        ranges.set(out++, lo - 1)
      }
      next = hi + 1
    }
    ranges.length = out
    if (next <= MAX_RUNE) this.add(next, MAX_RUNE)
  }
}
