import { ByteString } from '@meshscript/sdk'
import { MAX_RUNE } from './char_class'

/** The place up to which a pattern is read, and why it is refused. */
@final
export class Cursor {
  /** Where the pattern is in memory. */
  text: usize = 0
  length: i32 = 0
  at: i32 = 0
  /** Why the pattern is refused, and where; empty when it is not. */
  error: string = ''

  begin(pattern: ByteString): void {
    this.text = pattern.ptr
    this.length = pattern.length
    this.at = 0
    this.error = ''
  }

  get isAtEnd(): bool {
    return this.at >= this.length
  }

  get hasFailed(): bool {
    return this.error.length != 0
  }

  fail(reason: string, at: i32): bool {
    this.error = reason + ' at byte ' + at.toString()
    return false
  }

  /** The byte that is next, or -1. */
  peek(offset: i32 = 0): i32 {
    return this.at + offset < this.length ? <i32>load<u8>(this.text + this.at + offset) : -1
  }

  /** The code point that begins here, or -1. */
  rune(): i32 {
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
}

export function isAlphanumeric(c: i32): bool {
  return <u32>((c | 0x20) - 0x61) < 26 || <u32>(c - 0x30) < 10
}
