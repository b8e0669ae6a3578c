// RE2's syntax (options as Envoy sets them: Perl classes, \b, Unicode classes) → postfix code, which the compiler reads backwards.
// Nothing here is recursive: groups may be nested 1000 deep, and the VM's stack is not ours.

import { ByteString } from '@meshscript/sdk'
import { CharClass } from './char_class'
import { ClassReader } from './class_reader'
import { Cursor } from './cursor'
import { escapedRune } from './escapes'
import { Flag, GroupHeader } from './group_header'
import { Ints } from './ints'
import { Assertion, Item, PostfixCode } from './postfix_code'
import { RepetitionReader } from './repetition'

const MAX_DEPTH: i32 = 1000
const MAX_REPEAT: i32 = 1000

/** Reads one pattern after the other, into the same memory. */
@final
export class Parser {
  /** Of the last pattern: its postfix code, … */
  readonly items: Ints
  /** … and the ranges of the code's classes. */
  readonly classes: CharClass
  /** Says what groups match and which repetitions are lazy: of no concern where only whether a text matches is asked. */
  keepsGroups: bool = false
  /** Number of capturing groups. */
  groupCount: i32 = 0

  private code: PostfixCode
  private cursor: Cursor
  private header: GroupHeader
  private repetition: RepetitionReader
  private classReader: ClassReader
  private flags: i32 = 0
  /** For each open group: the flags before it, and its number; 0 of one that doesn't capture. */
  private groups: Ints = new Ints(32)

  constructor() {
    const cursor = new Cursor()
    const code = new PostfixCode()
    const classReader = new ClassReader(cursor)
    this.items = code.items
    this.classes = classReader.classes
    this.code = code
    this.cursor = cursor
    this.header = new GroupHeader(cursor)
    this.repetition = new RepetitionReader(cursor)
    this.classReader = classReader
  }

  /** Why the last pattern was refused, and where; empty when it was not. */
  get error(): string {
    return this.cursor.error
  }

  /** Answers false when the pattern is refused. */
  parse(pattern: ByteString): bool {
    const cursor = this.cursor
    cursor.begin(pattern)
    this.code.clear()
    this.classes.clear()
    this.flags = 0
    this.groups.length = 0
    this.groupCount = 0
    /** Where the repetition began that was just read, or -1. */
    let repetition = -1
    while (!cursor.isAtEnd) {
      const start = cursor.at
      if (this.repetition.read()) {
        if (repetition < 0) {
          this.repeat(start)
          repetition = start
        } else cursor.fail('a repetition of a repetition', repetition)
      } else {
        this.atom()
        repetition = -1
      }
      if (cursor.hasFailed) return false
    }
    this.code.endAlternation()
    return this.groups.length ? cursor.fail('missing )', cursor.length) : true
  }

  private has(flag: i32): bool {
    return (this.flags & flag) != 0
  }

  /** Repeats the last operand as `repetition` says, which began at `start`. */
  private repeat(start: i32): void {
    const least = this.repetition.least
    const most = this.repetition.most
    if ((most >= 0 && most < least) || least > MAX_REPEAT || most > MAX_REPEAT) {
      this.cursor.fail('invalid repetition size', start)
      return
    }
    const code = this.code
    if (!code.hasOperand) {
      this.cursor.fail('nothing to repeat', start)
      return
    }
    const weight = code.weight * max(most < 0 ? least : most, 1)
    if ((least >= 2 || most >= 2) && weight > MAX_REPEAT) {
      this.cursor.fail('more than ' + MAX_REPEAT.toString() + ' repetitions', start)
      return
    }
    const isLazy = this.has(Flag.Ungreedy) != this.repetition.isSwitched
    code.wrap(isLazy && this.keepsGroups ? Item.LazyRepetition : Item.Repetition, least, most, weight)
  }

  private atom(): void {
    const cursor = this.cursor
    switch (cursor.peek()) {
      case 0x28: // (
        if (cursor.peek(1) == 0x3f) this.perlGroup()
        else this.open(true)
        break
      case 0x29: // )
        if (this.groups.length) this.close()
        else cursor.fail('unexpected )', cursor.at)
        break
      case 0x7c: // |
        cursor.at++
        this.code.endConcatenation()
        break
      case 0x5e: // ^
        this.assertion(1, this.has(Flag.MultiLine) ? Assertion.BeginLine : Assertion.BeginText)
        break
      case 0x24: // $
        this.assertion(1, this.has(Flag.MultiLine) ? Assertion.EndLine : Assertion.EndText)
        break
      case 0x2e: // .
        cursor.at++
        this.classes.begin()
        if (!this.has(Flag.DotNewline)) this.classes.addOne(0x0a)
        this.endClass(false, true)
        break
      case 0x5b: // [
        this.classes.begin()
        if (this.classReader.bracket(this.has(Flag.Fold)))
          this.endClass(this.has(Flag.Fold), this.classReader.isNegated)
        break
      case 0x5c: // backslash
        this.escape()
        break
      default: {
        const rune = cursor.rune()
        if (rune >= 0) this.literal(rune)
      }
    }
  }

  /** Reads the last character before a group, and begins it. */
  private open(isCapturing: bool): void {
    if (this.groups.length >= MAX_DEPTH * 2) {
      this.cursor.fail('groups nested too deeply', this.cursor.at)
      return
    }
    this.cursor.at++
    this.groups.push(this.flags)
    this.groups.push(isCapturing ? ++this.groupCount : 0)
    this.code.beginGroup()
  }

  private close(): void {
    this.cursor.at++
    const code = this.code
    code.endGroup()
    const number = this.groups.pop()
    this.flags = this.groups.pop()
    if (number && this.keepsGroups) code.wrap(Item.Group, number, 0, code.weight)
  }

  /** What begins with `(?`. */
  private perlGroup(): void {
    const header = this.header
    if (!header.read(this.flags)) return
    if (header.isGroup) this.open(header.isCapturing)
    else this.cursor.at++
    this.flags = header.flags
  }

  private literal(rune: i32): void {
    if (this.has(Flag.Fold)) {
      this.classes.begin()
      this.classes.addOne(rune)
      this.endClass(true, false)
    } else this.code.push(Item.Rune, rune)
  }

  private endClass(fold: bool, negated: bool): void {
    const classes = this.classes
    const count = classes.finish(fold, negated)
    const first = classes.first
    if (count == 1 && classes.ranges.at(first) == classes.ranges.at(first + 1)) {
      const rune = classes.ranges.at(first)
      classes.ranges.length = first
      this.code.push(Item.Rune, rune)
    } else this.code.push(Item.Class, first, count)
  }

  private assertion(length: i32, assertion: Assertion): void {
    this.cursor.at += length
    this.code.push(Item.Assertion, assertion)
  }

  private escape(): void {
    const cursor = this.cursor
    switch (cursor.peek(1)) {
      case 0x62: // b
        this.assertion(2, Assertion.WordBoundary)
        return
      case 0x42: // B
        this.assertion(2, Assertion.NoWordBoundary)
        return
      case 0x41: // A
        this.assertion(2, Assertion.BeginText)
        return
      case 0x7a: // z
        this.assertion(2, Assertion.EndText)
        return
      case 0x43: // C
        cursor.at += 2
        this.code.push(Item.AnyByte)
        return
      case 0x51: // Q
        cursor.at += 2
        this.quoted()
        return
      default:
        break
    }
    this.classes.begin()
    if (this.classReader.escape(this.has(Flag.Fold))) {
      if (!cursor.hasFailed) this.endClass(false, false)
      return
    }
    const rune = escapedRune(cursor)
    if (rune >= 0) this.literal(rune)
  }

  /** What is between \Q and \E. */
  private quoted(): void {
    const cursor = this.cursor
    while (!cursor.isAtEnd) {
      if (cursor.peek() == 0x5c && cursor.peek(1) == 0x45) {
        cursor.at += 2
        return
      }
      const rune = cursor.rune()
      if (rune < 0) return
      this.literal(rune)
    }
  }
}
