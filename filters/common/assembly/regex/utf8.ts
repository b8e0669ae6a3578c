import { Ints } from './ints'
import { Program } from './program'

/** Code points as sequences of byte ranges. */
@final
export class Utf8Compiler {
  /** For each sequence its lower bytes, its upper bytes and its length; the first byte is the lowest one. */
  private sequences: Ints = new Ints(3 * 64)

  /** Instructions that take one code point. */
  rune(program: Program, rune: i32, next: i32): i32 {
    const length = encodedLength(rune)
    const bytes = encode(rune, length)
    for (let i = length - 1; i >= 0; i--) {
      const byte = (bytes >> (i << 3)) & 0xff
      next = program.bytes(byte, byte, next)
    }
    return next
  }

  /** Instructions that take one code point of the `count` ranges from `first` on, which are sorted. */
  ranges(program: Program, ranges: Ints, first: i32, count: i32, next: i32): i32 {
    this.sequences.length = 0
    // Several ranges of ASCII are one instruction.
    let ascii = 0
    while (ascii < count && ranges.at(first + ascii * 2 + 1) < 0x80) ascii++
    if (ascii < 2) ascii = 0
    for (let i = ascii; i < count; i++) this.split(ranges.at(first + i * 2), ranges.at(first + i * 2 + 1))
    const others = this.tree(program, 0, this.sequences.length, 0, next)
    if (!ascii) return others
    const set = program.set(ranges, first, ascii, next)
    return others ? program.split(set, others) : set
  }

  /** Splits a range so that each part is one sequence of byte ranges. */
  private split(lo: i32, hi: i32): void {
    for (;;) {
      if (lo == 0x80 && hi == 0x10ffff) {
        // As RE2 does: fewer instructions, and overlong forms pass.
        this.sequence(0x80c2, 0xbfdf, 2)
        this.sequence(0x8080e0, 0xbfbfef, 3)
        this.sequence(0x808080f0, 0xbfbfbff4, 4)
        return
      }
      let end = hi
      const length = encodedLength(lo)
      const longest = length == 1 ? 0x7f : length == 2 ? 0x7ff : length == 3 ? 0xffff : 0x10ffff
      if (end > longest) end = longest
      // All bytes after one that has a range must be free.
      for (let i = 1; i < length; i++) {
        const mask = (1 << (6 * i)) - 1
        if ((lo & ~mask) == (end & ~mask)) continue
        if (lo & mask) {
          end = lo | mask
          break
        }
        if ((end & mask) != mask) end = (end & ~mask) - 1
      }
      this.sequence(encode(lo, length), encode(end, length), length)
      if (end == hi) return
      lo = end + 1
    }
  }

  private sequence(lower: i32, upper: i32, length: i32): void {
    this.sequences.push(lower)
    this.sequences.push(upper)
    this.sequences.push(length)
  }

  /** Sequences that begin with the same byte range go on from one instruction. At most four deep. */
  private tree(program: Program, from: i32, to: i32, depth: i32, next: i32): i32 {
    const sequences = this.sequences
    let start = 0
    while (to > from && !program.full) {
      let begin = to - 3
      const lo = (sequences.at(begin) >> (depth << 3)) & 0xff
      const hi = (sequences.at(begin + 1) >> (depth << 3)) & 0xff
      const last = sequences.at(begin + 2) == depth + 1
      while (
        !last &&
        begin > from &&
        ((sequences.at(begin - 3) >> (depth << 3)) & 0xff) == lo &&
        ((sequences.at(begin - 2) >> (depth << 3)) & 0xff) == hi
      ) {
        begin -= 3
      }
      const out = last ? next : this.tree(program, begin, to, depth + 1, next)
      const branch = program.bytes(lo, hi, out)
      start = start ? program.split(branch, start) : branch
      to = begin
    }
    return start
  }
}

function encodedLength(rune: i32): i32 {
  return rune < 0x80 ? 1 : rune < 0x800 ? 2 : rune < 0x10000 ? 3 : 4
}

/** The UTF-8 bytes of a code point, the first one lowest. */
function encode(rune: i32, length: i32): i32 {
  if (length == 1) return rune
  const last = 0x80 | (rune & 0x3f)
  const second = 0x80 | ((rune >> 6) & 0x3f)
  if (length == 2) return 0xc0 | (rune >> 6) | (last << 8)
  if (length == 3) return 0xe0 | (rune >> 12) | (second << 8) | (last << 16)
  return 0xf0 | (rune >> 18) | ((0x80 | ((rune >> 12) & 0x3f)) << 8) | (second << 16) | (last << 24)
}
