import { Ints, LongList } from './ints'
import { ItemCompiler } from './item_compiler'
import { Parser } from './parser'
import { Assertion, Item, STRIDE } from './postfix_code'
import { Op, Program } from './program'

const SHAPES: i32 = 256
const PIECES: i32 = 4096
/** Marks `Bytes` of the tree: those of pieces may be alike. */
const OF_TREE: i32 = 1 << 24

/** The patterns of a set as a tree, so that what many begin with is there once. Its nodes are instructions. */
@final
export class PatternTree {
  readonly program: Program
  private compiler: ItemCompiler
  private pieces: Ints = new Ints(64)
  /** Items whose pieces are still to be found. */
  private frames: Ints = new Ints(64)
  /** Steps of the tree that are no literals: for each its node, its shape, where it leads to, the one before it in its bucket. Counted from 1. */
  private pieceSteps: LongList = new LongList()
  private stepBuckets: StaticArray<i32> = new StaticArray<i32>(PIECES)
  /** What pieces are: for each hash, items, number of items, the shape before it in its bucket. Counted from 1. */
  private shapes: Ints = new Ints(64)
  private shapeItems: Ints = new Ints(256)
  private shapeBuckets: StaticArray<i32> = new StaticArray<i32>(SHAPES)

  constructor() {
    const program = new Program()
    this.program = program
    this.compiler = new ItemCompiler(program)
  }

  /** Adds a pattern that was parsed. Answers false when it is too large. */
  addPattern(parser: Parser, number: i32): bool {
    const program = this.program
    program.beginPattern()
    const match = program.add(Op.Match, number)
    const items = parser.items
    const root = items.length - STRIDE
    if (items.at(root) == Item.Alternation) {
      // The alternatives of a whole pattern are like patterns.
      let item = root
      for (let i = items.at(root + 1); i > 0 && !program.full; i--) {
        item -= STRIDE
        this.addPieces(parser, item, match)
        item = items.at(item + 3)
      }
    } else this.addPieces(parser, root, match)
    // What was made of a refused pattern must not match: the next one has its number.
    if (program.full) program.block(match)
    return !program.full
  }

  /** Adds what is concatenated in `root` to the tree. */
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
    for (let i = from; i < to && !this.program.full; i++) {
      const item = pieces.at(i)
      node = items.at(item) == Item.Rune ? this.stepRune(node, items.at(item + 1)) : this.stepPiece(node, parser, item)
    }
    if (!this.program.full) this.branch(node, match)
  }

  /** Lets `node` go on at `target`, too. */
  private branch(node: i32, target: i32): void {
    const others = this.program.out(node)
    const out = others ? this.program.add(Op.Split | (others << 8), target) : target
    if (!this.program.full) this.program.setOut(node, out)
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
    for (let at = this.program.out(node); at;) {
      let target = at
      at = 0
      if (this.program.op(target) == Op.Split) {
        at = this.program.operand(target)
        target = this.program.out(target)
      }
      if (this.program.is(target, first)) return target
    }
    const child = this.program.add(first, 0)
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
    const child = this.program.add(Op.Jump, 0)
    const start = this.compiler.compile(parser, item, child)
    if (this.program.full) return 0
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
}

function isAssertion(parser: Parser, item: i32, kinds: i32): bool {
  return parser.items.at(item) == Item.Assertion && (parser.items.at(item + 1) & kinds) != 0
}

function equal(list: Ints, one: i32, other: i32, count: i32): bool {
  for (let i = 0; i < count; i++) if (list.at(one + i) != list.at(other + i)) return false
  return true
}
