import { ByteString } from '@meshscript/sdk'
import { hexDigit, storeHex } from '../hex'

const FIRST_CAPACITY: i32 = 2048
/** Longer records are not kept. */
const MAX_CAPACITY: usize = 131_072

/** Digits of the largest number. */
// @ts-ignore: decorator
@inline const DIGITS: usize = 20

/** Writes one record after the other into the same memory: nothing is allocated once that is large enough. */
@final
export class Writer {
  private buffer: StaticArray<u8> = new StaticArray<u8>(FIRST_CAPACITY)
  private start: usize = changetype<usize>(this.buffer)
  private at: usize = this.start
  private end: usize = this.start + FIRST_CAPACITY
  /** The record has become too long: what is written of it is lost. */
  isTooLong: bool = false

  /** Begins a record. */
  begin(): this {
    this.at = this.start
    this.isTooLong = false
    return this
  }

  /** What was written, valid until the next record. */
  get bytes(): ByteString {
    return ByteString.at(this.start, <i32>(this.at - this.start))
  }

  /** How many bytes were written. */
  get length(): i32 {
    return <i32>(this.at - this.start)
  }

  /** Takes back all behind the first `length` bytes. */
  cut(length: i32): void {
    this.at = this.start + length
  }

  /** Bytes as they are. */
  raw(bytes: ByteString): this {
    bytes.assertFresh()
    const length = <usize>bytes.length
    if (this.ensure(length)) {
      memory.copy(this.at, bytes.ptr, length)
      this.at += length
    }
    return this
  }

  /** One byte. */
  byte(byte: u8): this {
    if (this.ensure(1)) store<u8>(this.at++, byte)
    return this
  }

  /** 16 bits, the most significant byte first. */
  big16(value: u16): this {
    if (this.ensure(2)) {
      store<u16>(this.at, bswap(value))
      this.at += 2
    }
    return this
  }

  /** 32 bits, the most significant byte first. */
  big32(value: u32): this {
    if (this.ensure(4)) {
      store<u32>(this.at, bswap(value))
      this.at += 4
    }
    return this
  }

  /** 64 bits, the most significant byte first. */
  big64(value: u64): this {
    if (this.ensure(8)) {
      store<u64>(this.at, bswap(value))
      this.at += 8
    }
    return this
  }

  /** Overwrites 16 bits that were written at `offset`. */
  patch16(offset: i32, value: u16): void {
    if (!this.isTooLong) store<u16>(this.start + offset, bswap(value))
  }

  /** Decimal digits. */
  uint(value: u64): this {
    if (!this.ensure(DIGITS)) return this
    let rest = value
    let count: usize = 0
    do {
      count++
      rest /= 10
    } while (rest)
    let at = this.at + count
    this.at = at
    rest = value
    do {
      store<u8>(--at, <u8>(0x30 + (rest % 10)))
      rest /= 10
    } while (rest)
    return this
  }

  /** Decimal digits, with `-` below 0. */
  int(value: i64): this {
    if (value < 0) {
      this.byte(0x2d)
      return this.uint(-value)
    }
    return this.uint(value)
  }

  /** Decimal digits, `count` of them: the last ones, with zeros in front. */
  digits(value: u64, count: i32): this {
    if (!this.ensure(count)) return this
    for (let i = count - 1; i >= 0; i--) {
      store<u8>(this.at + i, <u8>(0x30 + (value % 10)))
      value /= 10
    }
    this.at += count
    return this
  }

  /** 16 digits in lower case. */
  hex64(value: u64): this {
    if (this.ensure(16)) this.at = storeHex(this.at, value)
    return this
  }

  /** A JSON string of at most `most` bytes of the text. Bytes that are no UTF-8 become U+FFFD. */
  string(text: ByteString, most: i32 = 4096): this {
    return this.byte(0x22).escaped(text, most).byte(0x22)
  }

  /** As `string`, without the quotes: for a string that is made of several parts. */
  escaped(text: ByteString, most: i32 = 4096): this {
    text.assertFresh()
    const length = min(text.length, most)
    // The longest that a byte can become is \u001f.
    if (!this.ensure(<usize>length * 6)) return this
    let from = text.ptr
    const end = from + length
    let to = this.at
    while (from < end) {
      const byte = load<u8>(from)
      if (byte >= 0x80) {
        const size = sequenceLength(from, end)
        if (size) {
          memory.copy(to, from, size)
          to += size
          from += size
        } else {
          // A character that `most` has cut in two is left out.
          if (!isCut(from, end, text.ptr + text.length)) {
            store<u8>(to, 0xef)
            store<u16>(to, 0xbdbf, 1)
            to += 3
          }
          from++
        }
        continue
      }
      from++
      if (byte >= 0x20 && byte != 0x22 && byte != 0x5c) {
        store<u8>(to++, byte)
        continue
      }
      store<u8>(to++, 0x5c)
      if (byte == 0x22 || byte == 0x5c) store<u8>(to++, byte)
      else {
        store<u32>(to, 0x30303075)
        store<u8>(to, <u8>(0x30 + (byte >> 4)), 3)
        store<u8>(to, hexDigit(byte), 4)
        to += 5
      }
    }
    this.at = to
    return this
  }

  /** Makes room; false where the record would become too long. */
  private ensure(size: usize): bool {
    if (size <= this.end - this.at) return true
    return this.grow(size)
  }

  private grow(size: usize): bool {
    const used = this.at - this.start
    if (this.isTooLong || size > MAX_CAPACITY - used) {
      this.isTooLong = true
      return false
    }
    let capacity = this.end - this.start
    while (capacity < used + size) capacity *= 2
    const buffer = new StaticArray<u8>(<i32>capacity)
    memory.copy(changetype<usize>(buffer), this.start, used)
    this.buffer = buffer
    this.start = changetype<usize>(buffer)
    this.at = this.start + used
    this.end = this.start + capacity
    return true
  }
}

let theWriter: Writer | null = null

/** The writer of the VM: no record is begun while another one is written. */
export function writer(): Writer {
  let known = theWriter
  if (!known) theWriter = known = new Writer()
  return known
}

/** Bytes of the UTF-8 character that begins at `at`, with one above 0x7f; 0 where there is none. */
export function sequenceLength(at: usize, end: usize): usize {
  const first = <u32>load<u8>(at)
  let size: usize
  let least: u32
  let code: u32
  if (first >= 0xc2 && first < 0xe0) {
    size = 2
    least = 0x80
    code = first & 0x1f
  } else if (first >= 0xe0 && first < 0xf0) {
    size = 3
    least = 0x800
    code = first & 0x0f
  } else if (first >= 0xf0 && first < 0xf5) {
    size = 4
    least = 0x10000
    code = first & 0x07
  } else return 0
  if (size > end - at) return 0
  for (let i: usize = 1; i < size; i++) {
    const byte = <u32>load<u8>(at + i)
    if ((byte & 0xc0) != 0x80) return 0
    code = (code << 6) | (byte & 0x3f)
  }
  return code < least || code > 0x10ffff || (code >= 0xd800 && code < 0xe000) ? 0 : size
}

/** Whether a character begins or goes on at `at` that is whole only beyond `end`. */
function isCut(at: usize, end: usize, whole: usize): bool {
  if (end == whole) return false
  let first = at
  while (first > end - 4 && (load<u8>(first) & 0xc0) == 0x80) first--
  const size = sequenceLength(first, whole)
  return size != 0 && first + size > end
}
