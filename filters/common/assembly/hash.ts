import { ByteString } from '@meshscript/sdk'

/** Hashes that are spread evenly over 64 bits, also of texts that differ little. */
export function hash64(text: ByteString, seed: u64 = 0): u64 {
  let h: u64 = 0xcbf29ce484222325 ^ seed
  for (let i = 0; i < text.length; i++) h = (h ^ load<u8>(text.ptr + i)) * 0x100000001b3
  return mix64(h)
}

/** Spreads what two numbers differ in over all bits (the end of MurmurHash3). */
export function mix64(x: u64): u64 {
  x = (x ^ (x >> 33)) * 0xff51afd7ed558ccd
  x = (x ^ (x >> 33)) * 0xc4ceb9fe1a85ec53
  return x ^ (x >> 33)
}

/** A hash as a number between 0 and 1, neither of which it is. */
export function fraction(hash: u64): f64 {
  return (<f64>(hash >> 11) + 0.5) * (1.0 / 9007199254740992.0)
}
