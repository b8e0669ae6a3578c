// All patterns of a set as one nondeterministic automaton over bytes. It is made from the end of a pattern to its beginning, so that each
// instruction knows what comes next when it is made, and equal ones are shared. Which of several ways matches doesn't matter: only whether.

import { Ints, LongList } from './ints'
import { Parser } from './parser'
import { Assertion, Item, STRIDE } from './postfix_code'
import { Utf8Compiler } from './utf8'

/** What an instruction does: the low byte of its first integer. The other three are its operand, and the second integer is `out`. */
export enum Op {
  /** Goes on at `out`. */
  Jump,
  /** Goes on at `out` and at its operand. */
  Split,
  /** Takes a byte from its operand's first to its second byte, and goes on at `out`. */
  Bytes,
  /** As `Bytes`, with a byte of the set that its operand numbers. */
  Set,
  /** Goes on at `out` where the assertion of its operand holds. */
  Assert,
  /** The pattern of number `out` matches when the text ends here. */
  Match,
}

/** Integers of an instruction. */
export const INSTRUCTION: i32 = 2

/** Instructions that one pattern may need. */
export const MAX_PATTERN: i32 = 32768
/** Instructions that one set may need. */
export const MAX_PROGRAM: i32 = 1 << 20

const SHARED: i32 = 4096
const SHAPES: i32 = 256
const PIECES: i32 = 4096
/** Marks `Bytes` of the tree: those of pieces may be alike. */
const OF_TREE: i32 = 1 << 24

@final
export class Program {
  /** Sets of bytes, 256 bits each. */
  readonly sets: Ints = new Ints(64)
  /** Assertions that some pattern makes. */
  assertions: i32 = 0
  /** Set when there was no room for an instruction. */
  full: bool = false

  private code: LongList = new LongList()
  private limit: i32 = 0
  /** Instructions by hash: what is the same is made once. */
  private shared: StaticArray<i32> = new StaticArray<i32>(SHARED)
  private utf8: Utf8Compiler = new Utf8Compiler()
  /** The frames of what is being compiled: item, and what its kind needs. */
  private frames: Ints = new Ints(256)
  private pieces: Ints = new Ints(64)
  /** Steps of the tree that are no literals: for each its node, its shape, where it leads to, the one before it in its bucket. Counted from 1. */
  private pieceSteps: LongList = new LongList()
  private stepBuckets: StaticArray<i32> = new StaticArray<i32>(PIECES)
  /** What pieces are: for each hash, items, number of items, the shape before it in its bucket. Counted from 1. */
  private shapes: Ints = new Ints(64)
  private shapeItems: Ints = new Ints(256)
  private shapeBuckets: StaticArray<i32> = new StaticArray<i32>(SHAPES)

  constructor() {
    // Number 0 leads nowhere; number 1 is where all patterns begin.
    this.add(Op.Bytes | 0x100, 0)
    this.add(Op.Jump, 0)
  }

  /** Number of instructions so far. */
  get size(): i32 {
    return this.code.length / INSTRUCTION
  }

  /** All instructions. */
  toStaticArray(): StaticArray<i32> {
    return this.code.toStaticArray()
  }

  private op(at: i32): i32 {
    return this.code.at(at * INSTRUCTION) & 0xff
  }

  private operand(at: i32): i32 {
    return this.code.at(at * INSTRUCTION) >>> 8
  }

  private out(at: i32): i32 {
    return this.code.at(at * INSTRUCTION + 1)
  }

  private setOut(at: i32, out: i32): void {
    this.code.set(at * INSTRUCTION + 1, out)
  }

  /** Adds a pattern that was parsed. Answers false when it is too large. */
  addPattern(parser: Parser, number: i32): bool {
    this.full = false
    this.limit = min(this.size + MAX_PATTERN, MAX_PROGRAM)
    const match = this.add(Op.Match, number)
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
    if (this.full) {
      this.code.set(match * INSTRUCTION, Op.Bytes | 0x100)
      this.setOut(match, 0)
    }
    return !this.full
  }

  /** `first`: `Op` and operand. */
  private add(first: i32, out: i32): i32 {
    const at = this.size
    if (at >= this.limit && at > 1) {
      this.full = true
      return 0
    }
    this.code.push(first)
    this.code.push(out)
    return at
  }

  /** An instruction that will not be changed, made once. */
  private addShared(first: i32, out: i32): i32 {
    const hash = ((first * 31 + out) * 0x9e3779b1) >>> 20
    const known = unchecked(this.shared[hash])
    if (known && this.code.at(known * INSTRUCTION) == first && this.out(known) == out) return known
    return unchecked((this.shared[hash] = this.add(first, out)))
  }

  bytes(lo: i32, hi: i32, out: i32): i32 {
    return this.addShared(Op.Bytes | (lo << 8) | (hi << 16), out)
  }

  split(out: i32, other: i32): i32 {
    return this.addShared(Op.Split | (other << 8), out)
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
    return this.addShared(Op.Set | (known << 8), out)
  }

  /** Adds what is concatenated in `root` to the tree of beginnings, so that what many patterns begin with is there once. Its nodes are instructions. */
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
    const others = this.out(node)
    const out = others ? this.add(Op.Split | (others << 8), target) : target
    if (!this.full) this.setOut(node, out)
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
    const first = Op.Bytes | (byte << 8) | (byte << 16) | OF_TREE
    for (let at = this.out(node); at;) {
      let target = at
      at = 0
      if (this.op(target) == Op.Split) {
        at = this.operand(target)
        target = this.out(target)
      }
      if (this.code.at(target * INSTRUCTION) == first) return target
    }
    const child = this.add(first, 0)
    this.branch(node, child)
    return child
  }

  /** Where one gets from `node` of the tree by a piece that is no literal. */
  private stepPiece(node: i32, parser: Parser, item: i32): i32 {
    const steps = this.pieceSteps
    const shape = this.shape(parser, item)
    const bucket = ((node * 31 + shape) * 0x9e3779b1) >>> 20
    const last = unchecked(this.stepBuckets[bucket])
    for (let step = last; step; step = steps.at(step * 4 - 1)) {
      if (steps.at(step * 4 - 4) == node && steps.at(step * 4 - 3) == shape) return steps.at(step * 4 - 2)
    }
    const child = this.add(Op.Jump, 0)
    const start = this.compile(parser, item, child)
    if (this.full) return 0
    this.branch(node, start)
    steps.push(node)
    steps.push(shape)
    steps.push(child)
    steps.push(last)
    unchecked((this.stepBuckets[bucket] = steps.length / 4))
    return child
  }

  /** The number of what an item is; the same for the same. */
  private shape(parser: Parser, item: i32): i32 {
    const all = this.shapeItems
    const from = all.length
    this.write(parser, item, all)
    const count = all.length - from
    let hash: i32 = count
    for (let i = from; i < all.length; i++) hash = (hash ^ all.at(i)) * 0x01000193
    const shapes = this.shapes
    const bucket = hash & (SHAPES - 1)
    const last = unchecked(this.shapeBuckets[bucket])
    for (let shape = last; shape; shape = shapes.at(shape * 4 - 1)) {
      if (shapes.at(shape * 4 - 4) != hash || shapes.at(shape * 4 - 2) != count) continue
      if (!equal(all, shapes.at(shape * 4 - 3), from, count)) continue
      all.length = from
      return shape
    }
    shapes.push(hash)
    shapes.push(from)
    shapes.push(count)
    shapes.push(last)
    return unchecked((this.shapeBuckets[bucket] = shapes.length / 4))
  }

  /** Writes down what an item is. */
  private write(parser: Parser, item: i32, to: Ints): void {
    const items = parser.items
    const ranges = parser.classes.ranges
    for (let at = items.at(item + 3); at <= item; at += STRIDE) {
      to.push(items.at(at))
      if (items.at(at) == Item.Class) {
        to.push(items.at(at + 2))
        for (let i = 0; i < items.at(at + 2) * 2; i++) to.push(ranges.at(items.at(at + 1) + i))
      } else {
        to.push(items.at(at + 1))
        to.push(items.at(at + 2))
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
          start = this.addShared(Op.Assert | (a << 8), next)
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
          start = made ? this.split(start, made) : start
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
      frames.set(frame + 3, this.add(Op.Split | (frames.at(frame + 2) << 8), 0))
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
        this.setOut(split, start)
        // x* may be left out; x+ begins with x.
        frames.set(frame + 3, least ? start : split)
      } else frames.set(frame + 3, start)
      return round + 1 >= max(least, 1)
    }
    frames.set(frame + 3, round < most - least ? this.split(start, frames.at(frame + 2)) : start)
    return round + 1 == most
  }
}

function isAssertion(parser: Parser, item: i32, kinds: i32): bool {
  return parser.items.at(item) == Item.Assertion && (parser.items.at(item + 1) & kinds) != 0
}

function equal(list: Ints, one: i32, other: i32, count: i32): bool {
  for (let i = 0; i < count; i++) if (list.at(one + i) != list.at(other + i)) return false
  return true
}
