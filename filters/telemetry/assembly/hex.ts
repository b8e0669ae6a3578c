import { ByteString } from '@meshscript/sdk'

const HEX = memory.data<u8>([
  0x30, 0x31, 0x32, 0x33, 0x34, 0x35, 0x36, 0x37, 0x38, 0x39, 0x61, 0x62, 0x63, 0x64, 0x65, 0x66,
])

/** Whether the last `parseHex` has met hexadecimal digits only. */
export let isHex: bool = true

/** The number that `count` digits (16 at most) at `from` spell, in either case; `isHex` says whether they are digits. */
export function parseHex(text: ByteString, from: i32, count: i32): u64 {
  let value: u64 = 0
  isHex = from >= 0 && from + count <= text.length
  for (let i = from; isHex && i < from + count; i++) {
    const byte = text.byteAt(i)
    let digit = byte - 0x30
    if (<u32>digit > 9) {
      digit = (byte | 0x20) - 0x61 + 10
      if (<u32>(digit - 10) > 5) isHex = false
    }
    value = (value << 4) | (<u64>digit)
  }
  return value
}

/** The digit of the lowest four bits, in lower case. */
// @ts-ignore: decorator
@inline
export function hexDigit(bits: usize): u8 {
  return load<u8>(HEX + (bits & 15))
}

/** Writes 16 digits in lower case; answers where they end. */
export function storeHex(at: usize, value: u64): usize {
  for (let shift: i32 = 60; shift >= 0; shift -= 4) store<u8>(at++, hexDigit(<usize>(value >> (<u64>shift))))
  return at
}

const digits = memory.data(32)

/** 16 digits; valid until the next number is written. */
export function hex(value: u64): ByteString {
  storeHex(digits, value)
  return ByteString.at(digits, 16)
}

/** A trace's id: 16 digits where 64 bits are enough and `isShort` allows it, else 32. Valid until the next number is written. */
export function traceId(high: u64, low: u64, isShort: bool): ByteString {
  if (!high && isShort) return hex(low)
  storeHex(storeHex(digits, high), low)
  return ByteString.at(digits, 32)
}
