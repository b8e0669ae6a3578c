import { Ints } from './ints'
import { Parser } from './parser'
import { Item, STRIDE } from './postfix_code'

/** What an instruction does, with `a` and `b`. */
export enum Op {
  /** Takes the code point `a`. */
  Rune,
  /** Takes a code point of the `b` ranges from `a` on. */
  Class,
  Byte,
  /** Goes on where the assertion `a` holds. */
  Assert,
  /** Notes the place in slot `a`. */
  Save,
  Jump,
  /** Goes on at `a`, or else at `b`. */
  Split,
  Match,
}

/** Integers of an instruction. */
export const SIZE: i32 = 3
/** Instructions that an expression may need. */
const MAX_CODE: i32 = 1 << 14
/** How deeply its parts may be nested. */
const MAX_DEPTH: i32 = 200

/** Makes the instructions for an expression whose groups are asked for. */
@final
export class CaptureCompiler {
  /** Instructions: `Op`, a, b. */
  readonly code: Ints = new Ints(64 * SIZE)
  private items: Ints
  private isTooLarge: bool = false

  /** Of what was parsed with `keepsGroups`. */
  constructor(parser: Parser) {
    this.items = parser.items
  }

  /** False when the expression is too large. */
  compile(): bool {
    this.emit(Op.Save, 0, 0)
    this.emitItem(this.items.length - STRIDE, 0)
    this.emit(Op.Save, 1, 0)
    this.emit(Op.Match, 0, 0)
    return !this.isTooLarge
  }

  private emit(op: Op, a: i32, b: i32): i32 {
    const at = this.code.length / SIZE
    if (at >= MAX_CODE) {
      this.isTooLarge = true
      return 0
    }
    this.code.push(op)
    this.code.push(a)
    this.code.push(b)
    return at
  }

  private emitItem(item: i32, depth: i32): void {
    if (depth > MAX_DEPTH) this.isTooLarge = true
    if (this.isTooLarge) return
    const items = this.items
    const a = items.at(item + 1)
    const b = items.at(item + 2)
    switch (items.at(item)) {
      case Item.Empty:
        return
      case Item.Rune:
        this.emit(Op.Rune, a, 0)
        return
      case Item.Class:
        this.emit(Op.Class, a, b)
        return
      case Item.AnyByte:
        this.emit(Op.Byte, 0, 0)
        return
      case Item.Assertion:
        this.emit(Op.Assert, a, 0)
        return
      case Item.Group:
        this.emit(Op.Save, a * 2, 0)
        this.emitItem(item - STRIDE, depth + 1)
        this.emit(Op.Save, a * 2 + 1, 0)
        return
      case Item.Repetition:
      case Item.LazyRepetition:
        return this.emitRepetition(item, depth)
      default: {
        const operands = operandsOf(items, item)
        if (items.at(item) == Item.Alternation) return this.emitAlternation(operands, depth)
        for (let i = 0; i < operands.length; i++) this.emitItem(unchecked(operands[i]), depth + 1)
      }
    }
  }

  private emitAlternation(operands: StaticArray<i32>, depth: i32): void {
    const jumps = new Ints(operands.length)
    for (let i = 0; i < operands.length; i++) {
      const isLast = i + 1 == operands.length
      const split = isLast ? -1 : this.emit(Op.Split, 0, 0)
      if (!isLast) this.code.set(split * SIZE + 1, split + 1)
      this.emitItem(unchecked(operands[i]), depth + 1)
      if (this.isTooLarge) return
      if (isLast) break
      jumps.push(this.emit(Op.Jump, 0, 0))
      this.code.set(split * SIZE + 2, this.code.length / SIZE)
    }
    for (let i = 0; i < jumps.length; i++) this.code.set(jumps.at(i) * SIZE + 1, this.code.length / SIZE)
  }

  /** x{2,4} is x x (x (x)?)?, and x{2,} is x x x*. */
  private emitRepetition(item: i32, depth: i32): void {
    const least = this.items.at(item + 1)
    const most = this.items.at(item + 2)
    const isLazy = this.items.at(item) == Item.LazyRepetition
    const operand = item - STRIDE
    for (let i = 0; i < least && !this.isTooLarge; i++) this.emitItem(operand, depth + 1)
    const splits = new Ints(max(most - least, 1))
    const rounds = most < 0 ? 1 : most - least
    for (let i = 0; i < rounds && !this.isTooLarge; i++) {
      const split = this.emit(Op.Split, 0, 0)
      splits.push(split)
      this.emitItem(operand, depth + 1)
      if (most < 0) this.emit(Op.Jump, split, 0)
    }
    if (this.isTooLarge) return
    const end = this.code.length / SIZE
    for (let i = 0; i < splits.length; i++) {
      const split = splits.at(i)
      this.code.set(split * SIZE + 1, isLazy ? end : split + 1)
      this.code.set(split * SIZE + 2, isLazy ? split + 1 : end)
    }
  }
}

function operandsOf(items: Ints, item: i32): StaticArray<i32> {
  const operands = new StaticArray<i32>(items.at(item + 1))
  let at = item
  for (let i = operands.length - 1; i >= 0; i--) {
    at -= STRIDE
    operands[i] = at
    at = items.at(at + 3)
  }
  return operands
}
