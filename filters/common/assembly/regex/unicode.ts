import { Ints } from './ints'

/** Adds to `ranges` what the code points from `lo` to `hi` fold to in one step. */
export function foldRange(ranges: Ints, lo: i32, hi: i32): void {
  addShifted(ranges, max(lo, 0x41), min(hi, 0x5a), 32)
  addShifted(ranges, max(lo, 0x61), min(hi, 0x7a), -32)
}

function addShifted(ranges: Ints, lo: i32, hi: i32, delta: i32): void {
  if (lo > hi) return
  ranges.push(lo + delta)
  ranges.push(hi + delta)
}
