import { CharClass } from './char_class'
import { Cursor } from './cursor'
import { escapedRune } from './escapes'
import { addNamedClass, addPerlClass, addPosixClass, isPerlClass } from './named_classes'

/** Reads what patterns say of classes of code points: `[…]`, \d, \pN. */
@final
export class ClassReader {
  /** Where they go: the caller begins and finishes each. */
  readonly classes: CharClass = new CharClass()
  /** Whether the class in brackets that was read last is of all others. */
  isNegated: bool = false

  private scratch: CharClass = new CharClass()

  constructor(private cursor: Cursor) {}

  /** Adds a class in brackets to the one that is being built; false when it is refused. */
  bracket(fold: bool): bool {
    const cursor = this.cursor
    const start = cursor.at
    cursor.at++
    this.isNegated = cursor.peek() == 0x5e
    if (this.isNegated) cursor.at++
    // ] may come first.
    for (let first = true; cursor.peek() >= 0 && (first || cursor.peek() != 0x5d); first = false) {
      if (cursor.peek() == 0x5b && cursor.peek(1) == 0x3a && this.posix(fold)) continue
      if (!cursor.hasFailed && !(cursor.peek() == 0x5c && this.escape(fold))) this.range(start)
      if (cursor.hasFailed) return false
    }
    if (cursor.isAtEnd) return cursor.fail('missing ]', start)
    cursor.at++
    return true
  }

  /** Adds \d, \pN and the like to the class that is being built. Answers whether there was one, or what should have been one. */
  escape(fold: bool): bool {
    const cursor = this.cursor
    const c = cursor.peek(1)
    if (isPerlClass(c)) {
      cursor.at += 2
      const named = this.beginNamed()
      const negated = addPerlClass(named, c)
      this.classes.addAll(named, negated, fold)
      return true
    }
    if (c != 0x70 && c != 0x50) return false
    this.unicode(c == 0x50, fold)
    return true
  }

  /** What follows \p and \P: a letter, or a name in braces. */
  private unicode(negated: bool, fold: bool): void {
    const cursor = this.cursor
    const start = cursor.at
    cursor.at += 2
    let from = cursor.at
    let to: i32
    if (cursor.peek() == 0x7b) {
      from++
      while (!cursor.isAtEnd && cursor.peek() != 0x7d) cursor.at++
      to = cursor.at
      if (cursor.isAtEnd) {
        cursor.fail('missing } of a Unicode class', start)
        return
      }
      cursor.at++
    } else {
      if (!cursor.isAtEnd && cursor.rune() < 0) return
      to = cursor.at
    }
    if (from < to && load<u8>(cursor.text + from) == 0x5e) {
      negated = !negated
      from++
    }
    const named = this.beginNamed()
    if (addNamedClass(named, cursor.text + from, to - from)) this.classes.addAll(named, negated, fold)
    else cursor.fail('unknown Unicode class', start)
  }

  /** [:alpha:] and the like; false when it is none, or unknown (an error then). */
  private posix(fold: bool): bool {
    const cursor = this.cursor
    const start = cursor.at
    let end = start + 2
    while (end + 1 < cursor.length && load<u16>(cursor.text + end) != 0x5d3a) end++
    if (end + 1 >= cursor.length) return false
    const negated = cursor.peek(2) == 0x5e
    const from = start + (negated ? 3 : 2)
    const named = this.beginNamed()
    if (from > end || !addPosixClass(named, cursor.text + from, end - from)) {
      return cursor.fail('unknown class [:', start)
    }
    cursor.at = end + 2
    this.classes.addAll(named, negated, fold)
    return true
  }

  private beginNamed(): CharClass {
    this.scratch.clear()
    this.scratch.begin()
    return this.scratch
  }

  private range(bracket: i32): void {
    const cursor = this.cursor
    const start = cursor.at
    const lo = this.rune(bracket)
    if (lo < 0) return
    let hi = lo
    if (cursor.peek() == 0x2d && cursor.peek(1) >= 0 && cursor.peek(1) != 0x5d) {
      cursor.at++
      hi = this.rune(bracket)
      if (hi < 0) return
      if (hi < lo) {
        cursor.fail('a range that ends before it begins', start)
        return
      }
    }
    this.classes.add(lo, hi)
  }

  private rune(bracket: i32): i32 {
    const cursor = this.cursor
    if (cursor.isAtEnd) {
      cursor.fail('missing ]', bracket)
      return -1
    }
    return cursor.peek() == 0x5c ? escapedRune(cursor) : cursor.rune()
  }
}
