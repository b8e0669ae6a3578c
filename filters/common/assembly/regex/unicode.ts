// Unicode classes and case folding, from tables of runs. Reading one costs a few thousand steps, when a pattern is compiled.

import { CharClass } from './char_class'
import { Ints } from './ints'
import { CATEGORIES, CATEGORY_RUNS, FOLDS, SCRIPT_NAMES, SCRIPT_RUNS } from './unicode_tables'

const CATEGORY_COUNT: i32 = 29
/** A run of upper and lower case letters in turn. */
const ALTERNATING: i32 = 31
/** A run of code points of which each two stand for each other. */
const NEIGHBOURS: i32 = 1 << 20

/** Adds the code points of a general category (`L`, `Lu`) or of a script (`Greek`); false when there is none of that name. */
export function addUnicodeClass(into: CharClass, name: usize, length: i32): bool {
  if (length <= 2) {
    const categories = findCategories(name, length)
    if (categories) return addCategories(into, categories)
  }
  return addScript(into, name, length)
}

/** Whether a code point (not ASCII) may be in the name of a group: L, Mn, Mc, Nd, Nl, Pc. */
export function isNameRune(rune: i32): bool {
  const scratch = new CharClass()
  addCategories(scratch, 0b101101111111)
  for (let i = 0; i < scratch.ranges.length; i += 2) {
    if (rune >= scratch.ranges.at(i) && rune <= scratch.ranges.at(i + 1)) return true
  }
  return false
}

let cursor: usize = 0

function varint(): i32 {
  let value = 0
  for (let shift = 0; ; shift += 7) {
    const byte = <i32>load<u8>(cursor++)
    value |= (byte & 0x7f) << shift
    if (byte < 0x80) break
  }
  return value
}

/** The categories of that name, as bits. */
function findCategories(name: usize, length: i32): u32 {
  let found: u32 = 0
  for (let i = 0; i < CATEGORY_COUNT; i++) {
    if (length && memory.compare(CATEGORIES + i * 2, name, length) == 0) found |= 1 << i
  }
  return found
}

function addCategories(into: CharClass, categories: u32): bool {
  cursor = CATEGORY_RUNS
  for (let at = 0; at <= 0x10ffff;) {
    const byte = <i32>load<u8>(cursor++)
    let length = (byte >> 5) + 1
    if (length == 8) length += varint()
    const kind = byte & 31
    if (kind == ALTERNATING) {
      if ((categories & 3) == 3) into.add(at, at + 2 * length - 1)
      else if (categories & 3) for (let i = 0; i < length; i++) into.addOne(at + 2 * i + (categories & 1 ? 0 : 1))
      length *= 2
    } else if (kind && (categories >> (kind - 1)) & 1) into.add(at, at + length - 1)
    at += length
  }
  return true
}

function addScript(into: CharClass, name: usize, length: i32): bool {
  let script = 1
  let at = SCRIPT_NAMES
  while (<i32>load<u8>(at) != length || memory.compare(at + 1, name, length) != 0) {
    at += 1 + <usize>load<u8>(at)
    if (!load<u8>(at)) return false
    script++
  }
  if (!length) return false
  cursor = SCRIPT_RUNS
  for (let rune = 0; rune <= 0x10ffff;) {
    const kind = <i32>load<u8>(cursor++)
    const count = varint() + 1
    if (kind == script) into.add(rune, rune + count - 1)
    rune += count
  }
  return true
}

/** Adds to `ranges` what the code points from `lo` to `hi` stand for when case doesn't matter: the next one in their circle. */
export function foldRange(ranges: Ints, lo: i32, hi: i32): void {
  if (hi < 0x80) {
    foldASCII(ranges, lo, hi)
    return
  }
  cursor = FOLDS
  for (let at = 0; ;) {
    at += varint()
    const bits = varint()
    const code = varintOfFold(bits)
    if (!bits || at > hi) return
    const count = bits >> 1
    const step = (bits & 1) + 1
    if (code == NEIGHBOURS) foldNeighbours(ranges, max(lo, at), min(hi, at + 2 * count - 1), at)
    else if (step == 1) addShifted(ranges, max(lo, at), min(hi, at + count - 1), code)
    else {
      for (let i = 0; i < count; i++) {
        const rune = at + 2 * i
        if (rune >= lo && rune <= hi) addShifted(ranges, rune, rune, code)
      }
    }
  }
}

/** The difference of an entry; none follows the last one. */
function varintOfFold(bits: i32): i32 {
  if (!bits) return 0
  const code = varint()
  return code & 1 ? -(code >> 1) : code >> 1
}

function foldASCII(ranges: Ints, lo: i32, hi: i32): void {
  addShifted(ranges, max(lo, 0x41), min(hi, 0x5a), 32)
  addShifted(ranges, max(lo, 0x61), min(hi, 0x7a), -32)
  // The Kelvin sign and the long s.
  if (contains(lo, hi, 0x4b) || contains(lo, hi, 0x6b)) addShifted(ranges, 0x212a, 0x212a, 0)
  if (contains(lo, hi, 0x53) || contains(lo, hi, 0x73)) addShifted(ranges, 0x17f, 0x17f, 0)
}

function contains(lo: i32, hi: i32, rune: i32): bool {
  return lo <= rune && rune <= hi
}

/** From `lo` to `hi`, both in the run that begins at `at`: whole pairs. */
function foldNeighbours(ranges: Ints, lo: i32, hi: i32, at: i32): void {
  if (lo > hi) return
  addShifted(ranges, lo - ((lo - at) & 1), hi + (((hi - at) & 1) ^ 1), 0)
}

function addShifted(ranges: Ints, lo: i32, hi: i32, delta: i32): void {
  if (lo > hi) return
  ranges.push(lo + delta)
  ranges.push(hi + delta)
}
