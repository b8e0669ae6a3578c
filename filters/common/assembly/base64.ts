import { Bytes, ByteString } from '@meshscript/sdk'

/** The bytes that base64 stands for, with or without padding; null where the text is none. */
export function decodeBase64(text: ByteString): Bytes | null {
  let length = text.length
  while (length && text.byteAt(length - 1) == 0x3d && text.length - length < 2) length--
  if (length % 4 == 1) return null
  const bytes = new StaticArray<u8>((length * 3) >> 2)
  let bits: u32 = 0
  let count = 0
  let at = 0
  for (let i = 0; i < length; i++) {
    const value = valueOf(text.byteAt(i))
    if (value < 0) return null
    bits = (bits << 6) | value
    count += 6
    if (count < 8) continue
    count -= 8
    bytes[at++] = <u8>(bits >> count)
  }
  return ByteString.at(changetype<usize>(bytes), at).persist()
}

function valueOf(byte: i32): i32 {
  if (<u32>(byte - 0x41) < 26) return byte - 0x41
  if (<u32>(byte - 0x61) < 26) return byte - 0x61 + 26
  if (<u32>(byte - 0x30) < 10) return byte - 0x30 + 52
  // Both alphabets.
  if (byte == 0x2b || byte == 0x2d) return 62
  return byte == 0x2f || byte == 0x5f ? 63 : -1
}

const ALPHABET: string = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'

/** The bytes in base64, with padding. */
export function encodeBase64(bytes: ByteString): Bytes {
  const text = new StaticArray<u8>(((bytes.length + 2) / 3) << 2)
  let at = 0
  for (let i = 0; i < bytes.length; i += 3) {
    const left = bytes.length - i
    let bits: u32 = bytes.byteAt(i) << 16
    if (left > 1) bits |= bytes.byteAt(i + 1) << 8
    if (left > 2) bits |= bytes.byteAt(i + 2)
    for (let digit = 0; digit < 4; digit++)
      text[at++] = digit > left ? 0x3d : <u8>ALPHABET.charCodeAt((bits >> (18 - 6 * digit)) & 63)
  }
  return ByteString.at(changetype<usize>(text), text.length).persist()
}
