import { Ints } from './ints'

/** What an item of postfix code is. */
export enum Item {
  Empty,
  /** One code point, `a`. */
  Rune,
  /** `b` ranges of code points from `a` on. */
  Class,
  /** \C */
  AnyByte,
  /** The `Assertion` in `a`. */
  Assertion,
  /** `a` operands, one after the other. */
  Concatenation,
  /** One of `a` operands. */
  Alternation,
  /** One operand, from `a` to `b` (-1: any number of) times. */
  Repetition,
  /** As `Repetition`, as seldom as possible; with `Parser.keepsGroups` only. */
  LazyRepetition,
  /** One operand, group number `a`; with `Parser.keepsGroups` only. */
  Group,
}

/** Conditions on the place between two bytes. */
export enum Assertion {
  BeginText = 1,
  EndText = 2,
  BeginLine = 4,
  EndLine = 8,
  WordBoundary = 16,
  NoWordBoundary = 32,
}

/** Integers per item: `Item`, a, b, index of the first item of its operands, how often it repeats a part of itself. */
export const STRIDE: i32 = 5

/** Items, each after its operands. */
@final
export class PostfixCode {
  readonly items: Ints = new Ints(64 * STRIDE)
  /** Operands of the concatenation that is being read. */
  private operands: i32 = 0
  /** Alternatives that were read before it. */
  private alternatives: i32 = 0
  /** For each open group: operands and alternatives before it. */
  private outer: Ints = new Ints(32)

  clear(): void {
    this.items.length = 0
    this.outer.length = 0
    this.operands = 0
    this.alternatives = 0
  }

  /** Whether an operand is there that a repetition can have. */
  get hasOperand(): bool {
    return this.operands != 0
  }

  /** How often the last operand repeats a part of itself. */
  get weight(): i32 {
    return this.items.at(this.items.length - 1)
  }

  /** Adds an item with no operands. */
  push(item: Item, a: i32 = 0, b: i32 = 0): void {
    this.add(item, a, b, this.items.length, 1)
    this.operands++
  }

  /** Makes the last operand that of an item. */
  wrap(item: Item, a: i32, b: i32, weight: i32): void {
    this.add(item, a, b, this.items.at(this.items.length - 2), weight)
  }

  beginGroup(): void {
    this.outer.push(this.operands)
    this.outer.push(this.alternatives)
    this.operands = 0
    this.alternatives = 0
  }

  /** Makes what was read since `beginGroup` one operand of what is around it. */
  endGroup(): void {
    this.endAlternation()
    this.alternatives = this.outer.pop()
    this.operands = this.outer.pop() + 1
  }

  endConcatenation(): void {
    if (!this.operands) this.push(Item.Empty)
    else if (this.operands > 1) this.join(Item.Concatenation, this.operands)
    this.operands = 0
    this.alternatives++
  }

  endAlternation(): void {
    this.endConcatenation()
    if (this.alternatives > 1) this.join(Item.Alternation, this.alternatives)
  }

  /** Joins the last `count` operands. */
  private join(item: Item, count: i32): void {
    let start = this.items.length
    let weight = 1
    for (let i = 0; i < count; i++) {
      weight = max(weight, this.items.at(start - 1))
      start = this.items.at(start - 2)
    }
    this.add(item, count, 0, start, weight)
  }

  private add(item: Item, a: i32, b: i32, start: i32, weight: i32): void {
    this.items.push(item)
    this.items.push(a)
    this.items.push(b)
    this.items.push(start)
    this.items.push(weight)
  }
}
