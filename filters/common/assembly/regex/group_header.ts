import { Cursor, isAlphanumeric } from './cursor'
import { isNameRune } from './unicode'

/** What patterns can switch on and off: `(?i)`, … */
export enum Flag {
  Fold = 1,
  DotNewline = 2,
  MultiLine = 4,
  Ungreedy = 8,
}

/** Reads what begins with `(?`: names of groups, and flags. */
@final
export class GroupHeader {
  /** The flags that hold from here on. */
  flags: i32 = 0
  /** Whether a group begins: `(?i)` is none. */
  isGroup: bool = false
  isCapturing: bool = false

  constructor(private cursor: Cursor) {}

  /** Reads up to its last character, which is next then; false when it is refused. `flags`: those that hold before it. */
  read(flags: i32): bool {
    const cursor = this.cursor
    const named = cursor.peek(2) == 0x50 && cursor.peek(3) == 0x3c ? 4 : cursor.peek(2) == 0x3c ? 3 : 0
    const looks = cursor.peek(named == 3 ? 3 : 2)
    if (looks == 0x3d || looks == 0x21) return cursor.fail('lookaround is not supported', cursor.at)
    this.isCapturing = named != 0
    if (named) {
      this.isGroup = true
      this.flags = flags
      return this.readName(named)
    }
    return this.readFlags(flags)
  }

  private readName(prefix: i32): bool {
    const cursor = this.cursor
    const start = cursor.at
    cursor.at += prefix
    const first = cursor.at
    while (!cursor.isAtEnd && cursor.peek() != 0x3e) {
      const rune = cursor.rune()
      if (rune < 0) return false
      if (rune < 0x80 ? rune != 0x5f && !isAlphanumeric(rune) : !isNameRune(rune)) {
        return cursor.fail('invalid group name', start)
      }
    }
    return cursor.isAtEnd || cursor.at == first ? cursor.fail('invalid group name', start) : true
  }

  private readFlags(before: i32): bool {
    const cursor = this.cursor
    const start = cursor.at
    cursor.at += 2
    let flags = before
    let negated = false
    let any = false
    for (;;) {
      const c = cursor.peek()
      let flag = 0
      switch (c) {
        case 0x69: // i
          flag = Flag.Fold
          break
        case 0x6d: // m
          flag = Flag.MultiLine
          break
        case 0x73: // s
          flag = Flag.DotNewline
          break
        case 0x55: // U
          flag = Flag.Ungreedy
          break
        case 0x2d: // -
          if (negated) break
          negated = true
          any = false
          cursor.at++
          continue
        case 0x3a: // :
        case 0x29: // )
          if (negated && !any) break
          this.isGroup = c == 0x3a
          this.flags = flags
          return true
        default:
          break
      }
      if (!flag) break
      any = true
      if (negated) flags &= ~flag
      else flags |= flag
      cursor.at++
    }
    return cursor.fail('invalid or unsupported group (?', start)
  }
}
