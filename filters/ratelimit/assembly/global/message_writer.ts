import { ByteString } from '@meshscript/sdk'

/** Writes protobuf messages, one after the other, into memory that is kept: it grows with the largest. */
@final
export class MessageWriter {
  private memory: StaticArray<u8> = new StaticArray<u8>(256)
  length: i32 = 0

  clear(): void {
    this.length = 0
  }

  /** What is written, valid until more is. */
  get view(): ByteString {
    return ByteString.at(changetype<usize>(this.memory), this.length)
  }

  /** A field of bytes, a string or a message. Field numbers are below 16. */
  bytes(field: u32, value: ByteString): void {
    this.begin(field, value.length)
    this.append(value)
  }

  /** Fields that are written already. */
  append(value: ByteString): void {
    this.reserve(value.length)
    memory.copy(changetype<usize>(this.memory) + this.length, value.ptr, value.length)
    this.length += value.length
  }

  /** The start of a field of bytes, of which `length` are written next. */
  begin(field: u32, length: i32): void {
    this.reserve(11 + length)
    this.byte(<u8>((field << 3) | 2))
    this.varint(length)
  }

  /** A field of a number. */
  integer(field: u32, value: u64): void {
    this.reserve(11)
    this.byte(<u8>(field << 3))
    this.varint(value)
  }

  private byte(value: u8): void {
    store<u8>(changetype<usize>(this.memory) + this.length, value)
    this.length++
  }

  private varint(value: u64): void {
    for (; value > 127; value >>= 7) this.byte(0x80 | ((<u8>value) & 0x7f))
    this.byte(<u8>value)
  }

  private reserve(more: i32): void {
    const needed = this.length + more
    if (needed <= this.memory.length) return
    const larger = new StaticArray<u8>(max(needed, this.memory.length * 2))
    memory.copy(changetype<usize>(larger), changetype<usize>(this.memory), this.length)
    this.memory = larger
  }
}

/** Bytes of a field of `length` bytes: its number, which is below 16, its length and they. */
export function fieldSize(length: i32): i32 {
  let size = 2 + length
  for (let rest = length; rest > 127; rest >>= 7) size++
  return size
}
