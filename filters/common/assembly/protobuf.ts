// What of protobuf the messages of envoy.service.auth.v3 need beyond the SDK's helpers: fields one by one, as some of them repeat, and text that
// is valid UTF-8.

import { ByteString } from '@meshscript/sdk'

/** The fields of a message, in order. */
@final
export class Fields {
  private at: usize
  private end: usize
  /** Of the field that `next` has found. */
  number: u32 = 0
  /** Its bytes, where it is a string or a message. */
  bytes: ByteString = ByteString.empty
  hasBytes: bool = false
  /** Its number, where it is one. */
  value: u64 = 0
  /** The message ends within a field, or has what no encoder writes. */
  isMalformed: bool = false

  constructor(message: ByteString) {
    this.at = message.ptr
    this.end = message.ptr + message.length
  }

  /** Goes to the next field. False at the end, and where the message is malformed. */
  next(): bool {
    if (this.at >= this.end) return false
    const tag = this.varint()
    const type = (<u32>tag) & 7
    this.number = <u32>(tag >> 3)
    this.hasBytes = type == 2
    this.value = 0
    let size: u64 = type == 1 ? 8 : type == 5 ? 4 : 0
    if (type == 0) this.value = this.varint()
    else if (type == 2) size = this.varint()
    else if (type != 1 && type != 5) this.isMalformed = true
    if (!this.number || tag > <u64>u32.MAX_VALUE || size > <u64>(this.end - this.at)) this.isMalformed = true
    if (this.isMalformed) return false
    this.bytes = type == 2 ? ByteString.at(this.at, <i32>size) : ByteString.empty
    this.at += <usize>size
    return true
  }

  private varint(): u64 {
    let value: u64 = 0
    for (let shift: u64 = 0; shift < 64; shift += 7) {
      if (this.at >= this.end) break
      const byte = load<u8>(this.at++)
      value |= ((<u64>byte) & 0x7f) << shift
      if (byte < 128) return value
    }
    this.isMalformed = true
    return 0
  }
}

/** `text`, or where it is not valid UTF-8 a copy with `!` in the place of each wrong byte: other protobuf readers refuse such text. */
export function validUtf8(text: ByteString): ByteString {
  let valid = text
  for (let i = 0; i < text.length;) {
    const size = sequence(text, i)
    if (size) {
      i += size
      continue
    }
    if (valid === text) valid = text.concat(ByteString.empty)
    // No room for the copy.
    if (valid.length != text.length) return ByteString.empty
    store<u8>(valid.ptr + i, 0x21)
    i++
  }
  return valid
}

/** Bytes of the character at `at`; 0 where there is none. */
function sequence(text: ByteString, at: i32): i32 {
  const first = text.byteAt(at)
  if (first < 0x80) return 1
  if (first < 0xc2 || first > 0xf4) return 0
  const second = text.byteAt(at + 1)
  if ((second & 0xc0) != 0x80) return 0
  if (first < 0xe0) return 2
  // Longer than needed, a surrogate, or beyond U+10FFFF.
  if (first == 0xe0 && second < 0xa0) return 0
  if (first == 0xed && second > 0x9f) return 0
  if (first == 0xf0 && second < 0x90) return 0
  if (first == 0xf4 && second > 0x8f) return 0
  if ((text.byteAt(at + 2) & 0xc0) != 0x80) return 0
  if (first < 0xf0) return 3
  return (text.byteAt(at + 3) & 0xc0) == 0x80 ? 4 : 0
}
