import { ByteString } from '@meshscript/sdk'

/**
 * SipHash-1-3: a hash whose collisions nobody can choose who does not know the key.
 *
 * @see https://www.aumasson.jp/siphash/siphash.pdf
 */
export function sipHash(text: ByteString, k0: u64, k1: u64): u64 {
  v0 = k0 ^ 0x736f6d6570736575
  v1 = k1 ^ 0x646f72616e646f6d
  v2 = k0 ^ 0x6c7967656e657261
  v3 = k1 ^ 0x7465646279746573
  let at = text.ptr
  const end = at + (text.length & ~7)
  for (; at < end; at += 8) absorb(load<u64>(at))
  let last = (<u64>text.length) << 56
  for (let i: u64 = 0, rest = <u64>(text.length & 7); i < rest; i++) last |= (<u64>load<u8>(at + <usize>i)) << (8 * i)
  absorb(last)
  v2 ^= 0xff
  round()
  round()
  round()
  return v0 ^ v1 ^ v2 ^ v3
}

let v0: u64 = 0
let v1: u64 = 0
let v2: u64 = 0
let v3: u64 = 0

// @ts-ignore: decorator
@inline
function absorb(word: u64): void {
  v3 ^= word
  round()
  v0 ^= word
}

// @ts-ignore: decorator
@inline
function round(): void {
  v0 += v1
  v1 = rotl<u64>(v1, 13) ^ v0
  v0 = rotl<u64>(v0, 32)
  v2 += v3
  v3 = rotl<u64>(v3, 16) ^ v2
  v0 += v3
  v3 = rotl<u64>(v3, 21) ^ v0
  v2 += v1
  v1 = rotl<u64>(v1, 17) ^ v2
  v2 = rotl<u64>(v2, 32)
}
