// RE2's syntax (options as Envoy sets them: Perl classes, \b, Unicode classes) → postfix code, which the compiler reads backwards.
// Nothing here is recursive: groups may be nested 1000 deep, and the VM's stack is not ours.

import { ByteString } from '@meshscript/sdk'
import { CharClass, MAX_RUNE } from './char_class'
import { Ints } from './ints'
import { addNamedClass, addPerlClass, addPosixClass, isPerlClass } from './named_classes'
import { isNameRune } from './unicode'

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
  /** As `Repetition`, as seldom as possible; with `keepsGroups` only. */
  LazyRepetition,
  /** One operand, group number `a`; with `keepsGroups` only. */
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

const MAX_DEPTH: i32 = 1000
const MAX_REPEAT: i32 = 1000

const FOLD: i32 = 1
const DOT_NEWLINE: i32 = 2
const MULTI_LINE: i32 = 4
const UNGREEDY: i32 = 8

/** Reads one pattern after the other, into the same memory. */
@final
export class Parser {
  readonly items: Ints = new Ints(64 * STRIDE)
  readonly classes: CharClass = new CharClass()
  /** Why the last pattern was refused, and where; empty when it was not. */
  error: string = ''
  /** Says what groups match and which repetitions are lazy: of no concern where only whether a text matches is asked. */
  keepsGroups: bool = false
  /** Number of capturing groups. */
  groupCount: i32 = 0

  /** Number of each open group; 0 of one that doesn't capture. */
  private numbers: Ints = new Ints(16)
  /** For each open group: flags, operands, alternatives before it. */
  private groups: Ints = new Ints(64)
  private scratch: CharClass = new CharClass()
  private text: usize = 0
  private length: i32 = 0
  private at: i32 = 0
  private flags: i32 = 0
  /** Operands of the concatenation that is being read. */
  private operands: i32 = 0
  /** Alternatives that were read before it. */
  private alternatives: i32 = 0

  /** Answers false when the pattern is refused. */
  parse(pattern: ByteString): bool {
    this.text = pattern.ptr
    this.length = pattern.length
    this.at = 0
    this.flags = 0
    this.operands = 0
    this.alternatives = 0
    this.items.length = 0
    this.groups.length = 0
    this.numbers.length = 0
    this.groupCount = 0
    this.classes.clear()
    this.error = ''
    /** Where the repetition began that was just read, or -1. */
    let repetition = -1
    while (this.at < this.length) {
      const start = this.at
      const isRepetition = this.repetition(repetition)
      repetition = isRepetition ? (repetition < 0 ? start : repetition) : -1
      if (!isRepetition && !this.error.length) this.atom()
      if (this.error.length) return false
    }
    this.endAlternation()
    if (this.groups.length) return this.fail('missing )', this.length)
    return true
  }

  private fail(reason: string, at: i32): bool {
    this.error = reason + ' at byte ' + at.toString()
    return false
  }

  private peek(offset: i32 = 0): i32 {
    return this.at + offset < this.length ? <i32>load<u8>(this.text + this.at + offset) : -1
  }

  private has(flag: i32): bool {
    return (this.flags & flag) != 0
  }

  /** Adds an item with no operands. */
  private push(item: Item, a: i32 = 0, b: i32 = 0): void {
    this.add(item, a, b, this.items.length, 1)
    this.operands++
  }

  private add(item: Item, a: i32, b: i32, start: i32, weight: i32): void {
    this.items.push(item)
    this.items.push(a)
    this.items.push(b)
    this.items.push(start)
    this.items.push(weight)
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

  private endConcatenation(): void {
    if (!this.operands) this.push(Item.Empty)
    else if (this.operands > 1) this.join(Item.Concatenation, this.operands)
    this.operands = 0
    this.alternatives++
  }

  private endAlternation(): void {
    this.endConcatenation()
    if (this.alternatives > 1) this.join(Item.Alternation, this.alternatives)
  }

  /** Reads *, +, ?, {n,m} when one is next. Answers whether that was so. `previous`: where the one right before it began. */
  private repetition(previous: i32): bool {
    const start = this.at
    let least = 0
    let most = -1
    switch (this.peek()) {
      case 0x2a: // *
        break
      case 0x2b: // +
        least = 1
        break
      case 0x3f: // ?
        most = 1
        break
      case 0x7b: {
        // {
        this.at++
        least = this.integer()
        most = least
        if (least >= 0 && this.peek() == 0x2c) {
          this.at++
          most = this.peek() == 0x7d ? -1 : this.integer()
          if (most == -2) least = -2
        }
        if (least < 0 || this.peek() != 0x7d) {
          this.at = start
          return false
        }
        break
      }
      default:
        return false
    }
    this.at++
    let isLazy = this.has(UNGREEDY)
    if (this.peek() == 0x3f) {
      this.at++
      isLazy = !isLazy
    }
    if (previous >= 0) this.fail('a repetition of a repetition', previous)
    else if ((most >= 0 && most < least) || least > MAX_REPEAT || most > MAX_REPEAT) {
      this.fail('invalid repetition size', start)
    } else if (!this.operands) this.fail('nothing to repeat', start)
    else this.repeat(least, most, start, isLazy)
    return true
  }

  private repeat(least: i32, most: i32, start: i32, isLazy: bool): void {
    const items = this.items
    const operand = items.at(items.length - 2)
    const weight = items.at(items.length - 1) * max(most < 0 ? least : most, 1)
    if ((least >= 2 || most >= 2) && weight > MAX_REPEAT) {
      this.fail('more than ' + MAX_REPEAT.toString() + ' repetitions', start)
      return
    }
    this.add(isLazy && this.keepsGroups ? Item.LazyRepetition : Item.Repetition, least, most, operand, weight)
  }

  /** A decimal number without leading zeros, or -2. */
  private integer(): i32 {
    let digit = this.peek() - 0x30
    if (<u32>digit > 9 || (digit == 0 && <u32>(this.peek(1) - 0x30) <= 9)) return -2
    let value = 0
    while (<u32>digit <= 9) {
      if (value >= 100000000) return -2
      value = value * 10 + digit
      this.at++
      digit = this.peek() - 0x30
    }
    return value
  }

  private atom(): void {
    const start = this.at
    switch (this.peek()) {
      case 0x28: // (
        if (this.peek(1) == 0x3f) this.perlGroup()
        else this.open(1, ++this.groupCount)
        break
      case 0x29: // )
        this.at++
        if (!this.groups.length) this.fail('unexpected )', start)
        else this.close()
        break
      case 0x7c: // |
        this.at++
        this.endConcatenation()
        break
      case 0x5e: // ^
        this.at++
        this.push(Item.Assertion, this.has(MULTI_LINE) ? Assertion.BeginLine : Assertion.BeginText)
        break
      case 0x24: // $
        this.at++
        this.push(Item.Assertion, this.has(MULTI_LINE) ? Assertion.EndLine : Assertion.EndText)
        break
      case 0x2e: // .
        this.at++
        this.dot()
        break
      case 0x5b: // [
        this.bracket()
        break
      case 0x5c: // backslash
        this.escape()
        break
      default: {
        const rune = this.rune()
        if (rune >= 0) this.literal(rune)
      }
    }
  }

  private open(length: i32, number: i32): void {
    if (this.groups.length >= MAX_DEPTH * 3) {
      this.fail('groups nested too deeply', this.at)
      return
    }
    this.groups.push(this.flags)
    this.groups.push(this.operands)
    this.groups.push(this.alternatives)
    this.numbers.push(number)
    this.operands = 0
    this.alternatives = 0
    this.at += length
  }

  private close(): void {
    this.endAlternation()
    const number = this.numbers.pop()
    if (number && this.keepsGroups) {
      const items = this.items
      this.add(Item.Group, number, 0, items.at(items.length - 2), items.at(items.length - 1))
    }
    this.alternatives = this.groups.pop()
    this.operands = this.groups.pop() + 1
    this.flags = this.groups.pop()
  }

  /** What begins with `(?`. */
  private perlGroup(): void {
    const start = this.at
    const named = this.peek(2) == 0x50 && this.peek(3) == 0x3c ? 4 : this.peek(2) == 0x3c ? 3 : 0
    const looks = this.peek(named == 3 ? 3 : 2)
    if (looks == 0x3d || looks == 0x21) {
      this.fail('lookaround is not supported', start)
      return
    }
    if (named) {
      this.namedGroup(start, named)
      return
    }
    this.at += 2
    let flags = this.flags
    let negated = false
    let any = false
    for (;;) {
      const c = this.peek()
      let flag = 0
      switch (c) {
        case 0x69: // i
          flag = FOLD
          break
        case 0x6d: // m
          flag = MULTI_LINE
          break
        case 0x73: // s
          flag = DOT_NEWLINE
          break
        case 0x55: // U
          flag = UNGREEDY
          break
        case 0x2d: // -
          if (negated) break
          negated = true
          any = false
          this.at++
          continue
        case 0x3a: // :
        case 0x29: // )
          if (negated && !any) break
          if (c == 0x3a) this.open(1, 0)
          else this.at++
          this.flags = flags
          return
        default:
          break
      }
      if (!flag) {
        this.fail('invalid or unsupported group (?', start)
        return
      }
      any = true
      if (negated) flags &= ~flag
      else flags |= flag
      this.at++
    }
  }

  private namedGroup(start: i32, prefix: i32): void {
    this.at += prefix
    const first = this.at
    while (this.at < this.length && this.peek() != 0x3e) {
      const rune = this.rune()
      if (rune < 0) return
      if (rune < 0x80 ? rune != 0x5f && !isAlphanumeric(rune) : !isNameRune(rune)) {
        this.fail('invalid group name', start)
        return
      }
    }
    if (this.at >= this.length || this.at == first) {
      this.fail('invalid group name', start)
      return
    }
    this.open(1, ++this.groupCount)
  }

  private literal(rune: i32): void {
    if (this.has(FOLD)) {
      const classes = this.classes
      classes.begin()
      classes.add(rune, rune)
      this.endClass(true, false)
    } else this.push(Item.Rune, rune)
  }

  private endClass(fold: bool, negated: bool): void {
    const classes = this.classes
    const count = classes.finish(fold, negated)
    const first = classes.first
    if (count == 1 && classes.ranges.at(first) == classes.ranges.at(first + 1)) {
      const rune = classes.ranges.at(first)
      classes.ranges.length = first
      this.push(Item.Rune, rune)
    } else this.push(Item.Class, first, count)
  }

  private dot(): void {
    const classes = this.classes
    classes.begin()
    if (!this.has(DOT_NEWLINE)) classes.add(0x0a, 0x0a)
    this.endClass(false, true)
  }

  /** The code point that begins here, or -1. */
  private rune(): i32 {
    const start = this.at
    const first = this.peek()
    this.at++
    if (<u32>first < 0x80) return first
    const more = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : 1
    if (first >= 0xc2 && first < 0xf5) {
      let rune = first & (0x3f >> more)
      for (let i = 0; i < more; i++) {
        const next = this.peek()
        if ((next & 0xc0) != 0x80 || next < 0) return this.badRune(start)
        rune = (rune << 6) | (next & 0x3f)
        this.at++
      }
      if (rune <= MAX_RUNE && rune >= (more == 1 ? 0x80 : more == 2 ? 0x800 : 0x10000)) return rune
    }
    return this.badRune(start)
  }

  private badRune(at: i32): i32 {
    this.fail(at < this.length ? 'invalid UTF-8' : 'unexpected end', at)
    return -1
  }

  private escape(): void {
    const start = this.at
    const c = this.peek(1)
    let assertion = 0
    switch (c) {
      case 0x62: // b
        assertion = Assertion.WordBoundary
        break
      case 0x42: // B
        assertion = Assertion.NoWordBoundary
        break
      case 0x41: // A
        assertion = Assertion.BeginText
        break
      case 0x7a: // z
        assertion = Assertion.EndText
        break
      case 0x43: // C
        this.at += 2
        this.push(Item.AnyByte)
        return
      case 0x51: // Q
        this.at += 2
        this.quoted()
        return
      default:
        break
    }
    if (assertion) {
      this.at += 2
      this.push(Item.Assertion, assertion)
      return
    }
    this.classes.begin()
    if (this.classEscape(start)) {
      if (!this.error.length) this.endClass(false, false)
      return
    }
    const rune = this.escapedRune()
    if (rune >= 0) this.literal(rune)
  }

  private quoted(): void {
    while (this.at < this.length) {
      if (this.peek() == 0x5c && this.peek(1) == 0x45) {
        this.at += 2
        return
      }
      const rune = this.rune()
      if (rune < 0) return
      this.literal(rune)
    }
  }

  /** Adds \d, \pN and the like to the class that is being built. Answers whether there was one, or what should have been one. */
  private classEscape(start: i32): bool {
    const c = this.peek(1)
    const fold = this.has(FOLD)
    if (isPerlClass(c)) {
      this.at += 2
      const scratch = this.scratch
      scratch.clear()
      scratch.begin()
      const negated = addPerlClass(scratch, c)
      this.classes.addAll(scratch, negated, fold)
      return true
    }
    if (c != 0x70 && c != 0x50) return false
    let negated = c == 0x50
    this.at += 2
    let from = this.at
    let to: i32
    if (this.peek() == 0x7b) {
      from++
      while (this.at < this.length && this.peek() != 0x7d) this.at++
      to = this.at
      if (this.at == this.length) {
        this.fail('missing } of a Unicode class', start)
        return true
      }
      this.at++
    } else {
      if (this.at < this.length && this.rune() < 0) return true
      to = this.at
    }
    if (from < to && load<u8>(this.text + from) == 0x5e) {
      negated = !negated
      from++
    }
    const scratch = this.scratch
    scratch.clear()
    scratch.begin()
    if (addNamedClass(scratch, this.text + from, to - from)) this.classes.addAll(scratch, negated, fold)
    else this.fail('unknown Unicode class', start)
    return true
  }

  /** An escape that stands for one code point; -1 when it is none. */
  private escapedRune(): i32 {
    const start = this.at
    this.at++
    const c = this.peek()
    if (c < 0) {
      this.fail('trailing backslash', start)
      return -1
    }
    if (c >= 0x80) {
      if (this.rune() >= 0) this.fail('invalid escape', start)
      return -1
    }
    this.at++
    if (!isAlphanumeric(c)) return c
    switch (c) {
      case 0x31:
      case 0x32:
      case 0x33:
      case 0x34:
      case 0x35:
      case 0x36:
      case 0x37:
        if (<u32>(this.peek() - 0x30) > 7) {
          this.fail('backreferences are not supported', start)
          return -1
        }
        return this.octal(c - 0x30)
      case 0x30:
        return this.octal(0)
      case 0x78: // x
        return this.hexadecimal(start)
      case 0x6e: // n
        return 0x0a
      case 0x72: // r
        return 0x0d
      case 0x74: // t
        return 0x09
      case 0x61: // a
        return 0x07
      case 0x66: // f
        return 0x0c
      case 0x76: // v
        return 0x0b
      default:
        this.fail('invalid escape', start)
        return -1
    }
  }

  /** Up to two more octal digits. */
  private octal(first: i32): i32 {
    let value = first
    for (let i = 0; i < 2 && <u32>(this.peek() - 0x30) <= 7; i++) {
      value = value * 8 + this.peek() - 0x30
      this.at++
    }
    return value
  }

  private hexadecimal(start: i32): i32 {
    let value = 0
    if (this.peek() == 0x7b) {
      this.at++
      let digits = 0
      for (;;) {
        const digit = hexadecimalDigit(this.peek())
        if (digit < 0) break
        value = value * 16 + digit
        digits++
        this.at++
        if (value > MAX_RUNE) break
      }
      if (digits && value <= MAX_RUNE && this.peek() == 0x7d) {
        this.at++
        return value
      }
    } else {
      const high = hexadecimalDigit(this.peek())
      const low = hexadecimalDigit(this.peek(1))
      if (high >= 0 && low >= 0) {
        this.at += 2
        return high * 16 + low
      }
    }
    this.fail('invalid escape', start)
    return -1
  }

  /** A class in brackets. */
  private bracket(): void {
    const start = this.at
    const classes = this.classes
    classes.begin()
    this.at++
    const negated = this.peek() == 0x5e
    if (negated) this.at++
    // ] may come first.
    for (let first = true; this.peek() >= 0 && (first || this.peek() != 0x5d); first = false) {
      if (this.peek() == 0x5b && this.peek(1) == 0x3a && this.posixClass()) continue
      if (!this.error.length && this.peek() == 0x5c && this.classEscape(this.at)) {
        if (this.error.length) return
        continue
      }
      if (this.error.length) return
      this.range(start)
      if (this.error.length) return
    }
    if (this.peek() < 0) {
      this.fail('missing ]', start)
      return
    }
    this.at++
    this.endClass(this.has(FOLD), negated)
  }

  /** [:alpha:] and the like; false when it is none, or unknown (an error then). */
  private posixClass(): bool {
    const start = this.at
    let end = start + 2
    while (end + 1 < this.length && load<u16>(this.text + end) != 0x5d3a) end++
    if (end + 1 >= this.length) return false
    const negated = this.peek(2) == 0x5e
    const from = start + (negated ? 3 : 2)
    const scratch = this.scratch
    scratch.clear()
    scratch.begin()
    if (from > end || !addPosixClass(scratch, this.text + from, end - from)) {
      this.fail('unknown class [:', start)
      return false
    }
    this.at = end + 2
    this.classes.addAll(scratch, negated, this.has(FOLD))
    return true
  }

  private range(bracket: i32): void {
    const start = this.at
    const lo = this.classRune(bracket)
    if (lo < 0) return
    let hi = lo
    if (this.peek() == 0x2d && this.peek(1) >= 0 && this.peek(1) != 0x5d) {
      this.at++
      hi = this.classRune(bracket)
      if (hi < 0) return
      if (hi < lo) {
        this.fail('a range that ends before it begins', start)
        return
      }
    }
    this.classes.add(lo, hi)
  }

  private classRune(bracket: i32): i32 {
    if (this.at >= this.length) {
      this.fail('missing ]', bracket)
      return -1
    }
    return this.peek() == 0x5c ? this.escapedRune() : this.rune()
  }
}

function isAlphanumeric(c: i32): bool {
  return <u32>((c | 0x20) - 0x61) < 26 || <u32>(c - 0x30) < 10
}

function hexadecimalDigit(c: i32): i32 {
  if (<u32>(c - 0x30) < 10) return c - 0x30
  const letter = (c | 0x20) - 0x61
  return <u32>letter < 6 && c > 0 ? letter + 10 : -1
}
