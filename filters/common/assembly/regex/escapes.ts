// Escapes that stand for one code point, outside of brackets and within them.

import { MAX_RUNE } from './char_class'
import { Cursor, isAlphanumeric } from './cursor'

/** Reads an escape that stands for one code point; -1 when it is none. */
export function escapedRune(cursor: Cursor): i32 {
  const start = cursor.at
  cursor.at++
  const c = cursor.peek()
  if (c < 0) {
    cursor.fail('trailing backslash', start)
    return -1
  }
  if (c >= 0x80) {
    if (cursor.rune() >= 0) cursor.fail('invalid escape', start)
    return -1
  }
  cursor.at++
  if (!isAlphanumeric(c)) return c
  switch (c) {
    case 0x31:
    case 0x32:
    case 0x33:
    case 0x34:
    case 0x35:
    case 0x36:
    case 0x37:
      if (<u32>(cursor.peek() - 0x30) > 7) {
        cursor.fail('backreferences are not supported', start)
        return -1
      }
      return octal(cursor, c - 0x30)
    case 0x30:
      return octal(cursor, 0)
    case 0x78: // x
      return hexadecimal(cursor, start)
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
      cursor.fail('invalid escape', start)
      return -1
  }
}

/** Up to two more octal digits. */
function octal(cursor: Cursor, first: i32): i32 {
  let value = first
  for (let i = 0; i < 2 && <u32>(cursor.peek() - 0x30) <= 7; i++) {
    value = value * 8 + cursor.peek() - 0x30
    cursor.at++
  }
  return value
}

/** What follows `\x`: two digits, or any number of them in braces. */
function hexadecimal(cursor: Cursor, start: i32): i32 {
  let value = 0
  if (cursor.peek() == 0x7b) {
    cursor.at++
    let digits = 0
    for (;;) {
      const digit = hexadecimalDigit(cursor.peek())
      if (digit < 0) break
      value = value * 16 + digit
      digits++
      cursor.at++
      if (value > MAX_RUNE) break
    }
    if (digits && value <= MAX_RUNE && cursor.peek() == 0x7d) {
      cursor.at++
      return value
    }
  } else {
    const high = hexadecimalDigit(cursor.peek())
    const low = hexadecimalDigit(cursor.peek(1))
    if (high >= 0 && low >= 0) {
      cursor.at += 2
      return high * 16 + low
    }
  }
  cursor.fail('invalid escape', start)
  return -1
}

function hexadecimalDigit(c: i32): i32 {
  if (<u32>(c - 0x30) < 10) return c - 0x30
  const letter = (c | 0x20) - 0x61
  return <u32>letter < 6 && c > 0 ? letter + 10 : -1
}
