import { utf8 } from '../memory/bytes'

/** Bytes of the character at `at`; 0 when it is not valid UTF-8 (overlong forms, surrogates and what is beyond U+10FFFF are not). */
export function sequenceLength(at: usize, end: usize): usize {
  if (at >= end) return 0
  const lead = <u32>load<u8>(at)
  if (lead < 0x80) return 1
  // Neither a continuation byte nor one that is never used.
  if (lead - 0xc0 > 0x37) return 0
  const more: u32 = lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3
  if (end - at <= more) return 0
  let code = lead & (0x3f >> more)
  for (let i: u32 = 0; i < more; i++) {
    const byte = <u32>load<u8>(++at)
    if ((byte & 0xc0) != 0x80) return 0
    code = (code << 6) | (byte & 0x3f)
  }
  const isOverlong = code >> (more == 1 ? 7 : 5 * more + 1) == 0
  return isOverlong || isSurrogate(code) || code > 0x10ffff ? 0 : more + 1
}

// @ts-ignore: decorator
@inline
export function isSurrogate(code: i32): bool {
  return <u32>(code - 0xd800) < 0x800
}

/** The value of four hexadecimal digits; -1 when there are none. */
export function readHex4(at: usize, end: usize): i32 {
  if (at + 4 > end) return -1
  let value = 0
  for (let i: usize = 0; i < 4; i++) {
    const byte = <u32>load<u8>(at + i)
    let digit = byte - 0x30
    if (digit > 9) {
      digit = (byte | 0x20) - 0x61
      if (digit > 5) return -1
      digit += 10
    }
    value = (value << 4) | digit
  }
  return value
}

/** Writes a character's bytes; answers where they end. */
export function writeCodePoint(at: usize, code: u32): usize {
  if (code < 0x80) {
    store<u8>(at, code)
    return at + 1
  }
  const more: u32 = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3
  // 110…, 1110… or 11110…, then the bits that the others do not hold.
  store<u8>(at++, (0xff00 >> (more + 1)) | (code >> (6 * more)))
  for (let i = more; i--;) store<u8>(at++, 0x80 | ((code >> (6 * i)) & 0x3f))
  return at
}

/** What the letter behind a backslash stands for; `u` for itself, -1 for one without a meaning. */
export function unescape(letter: i32): i32 {
  const pairs = utf8('""//\\\\b\bf\fn\nr\rt\tuu')
  for (let i = 0; i < pairs.length; i += 2) {
    const pair = pairs.ptr + i
    if (load<u8>(pair) == letter) return load<u8>(pair, 1)
  }
  return -1
}
