import { Cursor } from './cursor'

/** How often what is before it is repeated: *, +, ?, {n,m}. */
@final
export class RepetitionReader {
  least: i32 = 0
  /** -1: any number. */
  most: i32 = 0
  /** Whether a `?` follows, which asks for the other kind. */
  isSwitched: bool = false

  constructor(private cursor: Cursor) {}

  /** Reads a repetition when one is next. Answers whether that was so. */
  read(): bool {
    const cursor = this.cursor
    const start = cursor.at
    let least = 0
    let most = -1
    switch (cursor.peek()) {
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
        cursor.at++
        least = this.integer()
        most = least
        if (least >= 0 && cursor.peek() == 0x2c) {
          cursor.at++
          most = cursor.peek() == 0x7d ? -1 : this.integer()
          if (most == -2) least = -2
        }
        if (least < 0 || cursor.peek() != 0x7d) {
          cursor.at = start
          return false
        }
        break
      }
      default:
        return false
    }
    cursor.at++
    this.isSwitched = cursor.peek() == 0x3f
    if (this.isSwitched) cursor.at++
    this.least = least
    this.most = most
    return true
  }

  /** A decimal number without leading zeros, or -2. */
  private integer(): i32 {
    const cursor = this.cursor
    let digit = cursor.peek() - 0x30
    if (<u32>digit > 9 || (digit == 0 && <u32>(cursor.peek(1) - 0x30) <= 9)) return -2
    let value = 0
    while (<u32>digit <= 9) {
      if (value >= 100000000) return -2
      value = value * 10 + digit
      cursor.at++
      digit = cursor.peek() - 0x30
    }
    return value
  }
}
