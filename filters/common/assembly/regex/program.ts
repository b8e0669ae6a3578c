// All patterns of a set as one nondeterministic automaton over bytes. It is made from the end of a pattern to its beginning, so that each
// instruction knows what comes next when it is made, and equal ones are shared. Which of several ways matches doesn't matter: only whether.

import { Ints, LongList } from './ints'
import { Assertion, Item, Parser, STRIDE } from './parser'
import { Utf8Compiler } from './utf8'

/** What an instruction does; in the low byte of its first integer. */
export enum Op {
  /** Goes on at `out`. */
  Jump,
  /** Goes on at `out` and at `other`. */
  Split,
  /** Takes a byte from the first integer's second to its third byte, and goes on at `out`. */
  Bytes,
  /** As `Bytes`, with a byte of the set whose number is in the first integer's upper bytes. */
  Set,
  /** Goes on at `out` where the assertion in `other` holds. */
  Assert,
  /** The pattern of number `out` matches when the text ends here. */
  Match,
}

/** Instructions that one pattern may need. */
export const MAX_PATTERN: i32 = 32768
/** Instructions that one set may need. */
export const MAX_PROGRAM: i32 = 1 << 20

const SHARED: i32 = 4096

/** The instructions: `Op` with bytes, out, other. */
@final
export class Program {
  readonly code: LongList = new LongList()
  /** Sets of bytes, 256 bits each. */
  readonly sets: Ints = new Ints(64)
  /** Assertions that some pattern makes. */
  assertions: i32 = 0
  /** Set when there was no room for an instruction. */
  full: bool = false

  private limit: i32 = 0
  /** Instructions by hash: what is the same is made once. */
  private shared: StaticArray<i32> = new StaticArray<i32>(SHARED)
  private utf8: Utf8Compiler = new Utf8Compiler()
  /** The frames of what is being compiled: item, and what its kind needs. */
  private frames: Ints = new Ints(256)
  private pieces: Ints = new Ints(64)
  /** Pieces that patterns begin with (not literals): for each its instruction, its items, the first of them, their number. */
  private kept: Ints = new Ints(64)
  private keptItems: LongList = new LongList()

  constructor() {
    // Number 0 leads nowhere; number 1 is where all patterns begin.
    this.add(Op.Bytes | 0x100, 0, 0)
    this.add(Op.Jump, 0, 0)
  }

  get size(): i32 {
    return this.code.length / 3
  }

  /** Adds a pattern that was parsed. Answers false when it is too large. */
  addPattern(parser: Parser, number: i32): bool {
    this.full = false
    this.limit = min(this.size + MAX_PATTERN, MAX_PROGRAM)
    const match = this.add(Op.Match, number, 0)
    const items = parser.items
    const root = items.length - STRIDE
    if (items.at(root) == Item.Alternation) {
      // The alternatives of a whole pattern are like patterns.
      let item = root
      for (let i = items.at(root + 1); i > 0 && !this.full; i--) {
        item -= STRIDE
        this.addPieces(parser, item, match)
        item = items.at(item + 3)
      }
    } else this.addPieces(parser, root, match)
    // What was made of a refused pattern must not match: the next one has its number.
    if (this.full) this.code.set(match * 3, Op.Bytes | 0x100)
    return !this.full
  }

  private add(op: i32, out: i32, other: i32): i32 {
    const code = this.code
    const at = code.length / 3
    if (at >= this.limit && at > 1) {
      this.full = true
      return 0
    }
    code.push(op)
    code.push(out)
    code.push(other)
    return at
  }

  /** An instruction that will not be changed, made once. */
  addShared(op: i32, out: i32, other: i32): i32 {
    const hash = (((op * 31 + out) * 31 + other) * 0x9e3779b1) >>> 20
    const known = unchecked(this.shared[hash])
    const code = this.code
    if (known && code.at(known * 3) == op && code.at(known * 3 + 1) == out && code.at(known * 3 + 2) == other)
      return known
    return unchecked((this.shared[hash] = this.add(op, out, other)))
  }

  bytes(lo: i32, hi: i32, out: i32): i32 {
    return this.addShared(Op.Bytes | (lo << 8) | (hi << 16), out, 0)
  }

  /** Takes one byte of a set. */
  set(ranges: Ints, first: i32, count: i32, out: i32): i32 {
    const sets = this.sets
    const start = sets.length
    for (let i = 0; i < 8; i++) sets.push(0)
    for (let i = 0; i < count; i++) {
      for (let byte = ranges.at(first + i * 2); byte <= ranges.at(first + i * 2 + 1); byte++) {
        sets.set(start + (byte >> 5), sets.at(start + (byte >> 5)) | (1 << (byte & 31)))
      }
    }
    const data = changetype<usize>(sets.data)
    let known = 0
    while (memory.compare(data + ((<usize>known) << 5), data + ((<usize>start) << 2), 32) != 0) known++
    if (known << 3 != start) sets.length = start
    return this.addShared(Op.Set | (known << 8), out, 0)
  }

  /** Adds what is concatenated in `root` to the tree of beginnings, so that what many patterns begin with is there once. */
  private addPieces(parser: Parser, root: i32, match: i32): void {
    const items = parser.items
    const pieces = this.pieces
    const frames = this.frames
    pieces.length = 0
    frames.length = 0
    frames.push(root)
    while (frames.length) {
      const item = frames.pop()
      if (items.at(item) != Item.Concatenation) {
        if (items.at(item) != Item.Empty) pieces.push(item)
        continue
      }
      let operand = item
      for (let i = items.at(item + 1); i > 0; i--) {
        frames.push(operand - STRIDE)
        operand = items.at(operand - STRIDE + 3)
      }
    }
    let from = 0
    let to = pieces.length
    // A pattern begins where the text does, and ends where it ends.
    while (from < to && isAssertion(parser, pieces.at(from), Assertion.BeginText | Assertion.BeginLine)) from++
    while (to > from && isAssertion(parser, pieces.at(to - 1), Assertion.EndText | Assertion.EndLine)) to--
    let node = 1
    for (let i = from; i < to && !this.full; i++) {
      const item = pieces.at(i)
      node = items.at(item) == Item.Rune ? this.stepRune(node, items.at(item + 1)) : this.stepPiece(node, parser, item)
    }
    if (!this.full) this.branch(node, match)
  }

  /** Lets `node` go on at `target`, too. */
  private branch(node: i32, target: i32): void {
    const code = this.code
    const others = code.at(node * 3 + 1)
    if (!others) {
      code.set(node * 3 + 1, target)
      return
    }
    const split = this.add(Op.Split, target, others)
    if (!this.full) code.set(node * 3 + 1, split)
  }

  private stepRune(node: i32, rune: i32): i32 {
    if (rune < 0x80) return this.stepByte(node, rune)
    if (rune < 0x800) return this.stepByte(this.stepByte(node, 0xc0 | (rune >> 6)), 0x80 | (rune & 0x3f))
    if (rune < 0x10000) node = this.stepByte(node, 0xe0 | (rune >> 12))
    else node = this.stepByte(this.stepByte(node, 0xf0 | (rune >> 18)), 0x80 | ((rune >> 12) & 0x3f))
    return this.stepByte(this.stepByte(node, 0x80 | ((rune >> 6) & 0x3f)), 0x80 | (rune & 0x3f))
  }

  /** Where one gets from `node` of the tree by a byte. */
  private stepByte(node: i32, byte: i32): i32 {
    const code = this.code
    const op = Op.Bytes | (byte << 8) | (byte << 16)
    for (let at = code.at(node * 3 + 1); at;) {
      let target = at
      at = 0
      if (code.at(target * 3) == Op.Split) {
        at = code.at(target * 3 + 2)
        target = code.at(target * 3 + 1)
      }
      // `other` of such an instruction of the tree is 1: those of pieces may be alike.
      if (code.at(target * 3) == op && code.at(target * 3 + 2) == 1) return code.at(target * 3 + 1)
    }
    const child = this.add(Op.Jump, 0, 0)
    this.branch(node, this.add(op, child, 1))
    return child
  }

  /** Where one gets from `node` of the tree by a piece that is no literal. */
  private stepPiece(node: i32, parser: Parser, item: i32): i32 {
    const kept = this.kept
    const keptItems = this.keptItems
    const from = this.keptItems.length
    this.keep(parser, item)
    const count = keptItems.length - from
    // The pieces of a node are linked, the last one first.
    const last = this.code.at(node * 3 + 2)
    for (let at = last; at; at = kept.at(at - 1)) {
      if (kept.at(at - 2) == count && equal(keptItems, kept.at(at - 3), from, count)) {
        keptItems.truncate(from)
        return kept.at(at - 4)
      }
    }
    const child = this.add(Op.Jump, 0, 0)
    const start = this.compile(parser, item, child)
    if (this.full) return 0
    this.branch(node, start)
    kept.push(child)
    kept.push(from)
    kept.push(count)
    kept.push(last)
    this.code.set(node * 3 + 2, kept.length)
    return child
  }

  /** Writes down what an item is. */
  private keep(parser: Parser, item: i32): void {
    const items = parser.items
    const ranges = parser.classes.ranges
    for (let at = items.at(item + 3); at <= item; at += STRIDE) {
      this.keptItems.push(items.at(at))
      if (items.at(at) == Item.Class) {
        this.keptItems.push(items.at(at + 2))
        for (let i = 0; i < items.at(at + 2) * 2; i++) this.keptItems.push(ranges.at(items.at(at + 1) + i))
      } else {
        this.keptItems.push(items.at(at + 1))
        this.keptItems.push(items.at(at + 2))
      }
    }
  }

  /** Compiles an item that is followed by `next`; answers where it begins. */
  private compile(parser: Parser, item: i32, next: i32): i32 {
    const items = parser.items
    const frames = this.frames
    frames.length = 0
    let at = item
    while (!this.full) {
      let start = next
      const a = items.at(at + 1)
      const b = items.at(at + 2)
      switch (items.at(at)) {
        case Item.Empty:
          break
        case Item.Rune:
          start = this.utf8.rune(this, a, next)
          break
        case Item.Class:
          start = this.utf8.ranges(this, parser.classes.ranges, a, b, next)
          break
        case Item.AnyByte:
          start = this.bytes(0, 0xff, next)
          break
        case Item.Assertion:
          this.assertions |= a
          start = this.addShared(Op.Assert, next, a)
          break
        case Item.Repetition:
          if (b == 0) break
          this.pushFrame(at, 0, next, next)
          at -= STRIDE
          next = this.beginRound(items)
          continue
        default:
          // Operands that are left, what comes next, what was made so far.
          this.pushFrame(at, a, next, 0)
          at -= STRIDE
          continue
      }
      // `start` is where `at` begins: tell what it is part of.
      for (;;) {
        if (!frames.length) return start
        const frame = frames.length - 4
        const parent = frames.at(frame)
        const kind = items.at(parent)
        if (kind == Item.Repetition) {
          if (!this.endRound(items, frame, start)) {
            at = parent - STRIDE
            next = this.beginRound(items)
            break
          }
          start = frames.at(frame + 3)
          frames.length = frame
          at = parent
          continue
        }
        const left = frames.at(frame + 1) - 1
        if (kind == Item.Alternation) {
          const made = frames.at(frame + 3)
          start = made ? this.addShared(Op.Split, start, made) : start
        }
        if (left) {
          frames.set(frame + 1, left)
          next = kind == Item.Alternation ? frames.at(frame + 2) : start
          frames.set(frame + 3, start)
          at = items.at(at + 3) - STRIDE
          break
        }
        frames.length = frame
        at = parent
      }
    }
    return 0
  }

  private pushFrame(item: i32, count: i32, next: i32, made: i32): void {
    this.frames.push(item)
    this.frames.push(count)
    this.frames.push(next)
    this.frames.push(made)
  }

  /** Begins one more copy of what is repeated; answers what comes after it. x{2,4} is x x (x (x)?)?, and x{2,} is x x+. */
  private beginRound(items: Ints): i32 {
    const frames = this.frames
    const frame = frames.length - 4
    const parent = frames.at(frame)
    // The last copy of an endless one comes back to a branch that is made first.
    if (items.at(parent + 2) < 0 && frames.at(frame + 1) == 0) {
      frames.set(frame + 3, this.add(Op.Split, 0, frames.at(frame + 2)))
    }
    return frames.at(frame + 3)
  }

  /** Takes the copy that begins at `start`. Answers whether it was the last. */
  private endRound(items: Ints, frame: i32, start: i32): bool {
    const frames = this.frames
    const parent = frames.at(frame)
    const least = items.at(parent + 1)
    const most = items.at(parent + 2)
    const round = frames.at(frame + 1)
    frames.set(frame + 1, round + 1)
    if (most < 0) {
      if (round == 0) {
        const split = frames.at(frame + 3)
        this.code.set(split * 3 + 1, start)
        // x* may be left out; x+ begins with x.
        frames.set(frame + 3, least ? start : split)
      } else frames.set(frame + 3, start)
      return round + 1 >= max(least, 1)
    }
    frames.set(frame + 3, round < most - least ? this.addShared(Op.Split, start, frames.at(frame + 2)) : start)
    return round + 1 == most
  }
}

function isAssertion(parser: Parser, item: i32, kinds: i32): bool {
  return parser.items.at(item) == Item.Assertion && (parser.items.at(item + 1) & kinds) != 0
}

function equal(list: LongList, one: i32, other: i32, count: i32): bool {
  for (let i = 0; i < count; i++) if (list.at(one + i) != list.at(other + i)) return false
  return true
}
