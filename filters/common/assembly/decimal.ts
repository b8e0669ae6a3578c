import { ByteString } from '@meshscript/sdk'

/** Digits of the largest number. */
// @ts-ignore: decorator
@inline const SIZE: usize = 20

const DIGITS = memory.data(20)

/** A number as text, valid in the callback. */
export function decimal(value: u64): ByteString {
  let at = DIGITS + SIZE
  do {
    store<u8>(--at, <u8>(0x30 + (value % 10)))
    value /= 10
  } while (value)
  return ByteString.empty.concat(ByteString.at(at, <i32>(DIGITS + SIZE - at)))
}
