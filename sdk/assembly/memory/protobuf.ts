import { allocate } from './arena'
import { ByteString } from './bytes'

// As much protobuf as Envoy's foreign functions speak: length-delimited fields and varints, field numbers below 16.

/** Writes one message into the arena. */
@final
export class ProtobufWriter {
  private start: usize
  private at: usize
  private end: usize

  /** `capacity`: bytes of all values; a few more are taken for each of the `fields`. */
  constructor(capacity: i32, fields: i32) {
    const size = capacity + fields * 8
    this.start = allocate(size)
    this.at = this.start
    this.end = this.start ? this.start + size : 0
  }

  /** Writes a field of bytes, a string or a message. */
  bytes(field: u32, value: ByteString): this {
    if (this.at + value.length + 6 > this.end) return this
    store<u8>(this.at++, (field << 3) | 2)
    this.varint(value.length)
    memory.copy(this.at, value.ptr, value.length)
    this.at += value.length
    return this
  }

  /** Writes a field of an integer, as varint. */
  integer(field: u32, value: u32): this {
    if (this.at + 6 > this.end) return this
    store<u8>(this.at++, field << 3)
    this.varint(value)
    return this
  }

  /** The message. */
  finish(): ByteString {
    return ByteString.at(this.start, <i32>(this.at - this.start))
  }

  private varint(value: u32): void {
    while (value > 127) {
      store<u8>(this.at++, 0x80 | (value & 0x7f))
      value >>= 7
    }
    store<u8>(this.at++, value)
  }
}

/** The last length-delimited field with this number; null when the message has none or is malformed. */
export function protobufBytes(message: ByteString, field: u32): ByteString | null {
  return find(message, field, 2)
}

/** The last varint field with this number, or 0. */
export function protobufInteger(message: ByteString, field: u32): u64 {
  const found = find(message, field, 0)
  return found ? varint(found.ptr, found.ptr + found.length) : 0
}

function find(message: ByteString, field: u32, wireType: u32): ByteString | null {
  let found: ByteString | null = null
  let at = message.ptr
  const end = at + message.length
  while (at < end) {
    const tag = varint(at, end)
    at = afterVarint(at, end)
    const type = (<u32>tag) & 7
    const start = at
    let size: u64
    if (type == 0) size = afterVarint(at, end) - at
    else if (type == 1) size = 8
    else if (type == 5) size = 4
    else if (type == 2) {
      size = varint(at, end)
      at = afterVarint(at, end)
    } else return null
    if (size > <u64>(end - at)) return null
    if (type == wireType && tag >> 3 == field) found = ByteString.at(type == 2 ? at : start, <i32>size)
    at += <usize>size
  }
  return found
}

function varint(at: usize, end: usize): u64 {
  let value: u64 = 0
  for (let shift: u64 = 0; at < end && shift < 64; shift += 7) {
    const byte = load<u8>(at++)
    value |= ((<u64>byte) & 0x7f) << shift
    if (byte < 128) break
  }
  return value
}

function afterVarint(at: usize, end: usize): usize {
  while (at < end && load<u8>(at++) > 127);
  return at
}
