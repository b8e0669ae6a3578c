import { allocate, epoch } from './arena'

/**
 * A view of UTF-8 bytes: what header names and values, bodies and properties are on the hot path.
 *
 * It points into the request arena or into static data. A view that came from the host is valid until the callback
 * that asked for it returns; to keep one longer, `persist()` it. (Debug builds abort when a stale view is used.)
 *
 * Parameters of type `T` take a `string`, a `ByteString` or `Bytes`. String literals are encoded at compile time.
 */
// @ts-ignore: decorator
@unmanaged
@final
export class ByteString {
  /** Address of the first byte. */
  ptr: usize
  /** Number of bytes. */
  length: i32
  /** Call into the VM that it belongs to; 0 for static data. */
  epoch: u32

  /** A view of `length` bytes at `ptr`, itself living in the arena. */
  static at(ptr: usize, length: i32): ByteString {
    const view = slot()
    view.ptr = ptr
    view.length = length
    return view
  }

  /** The view of no bytes. */
  static get empty(): ByteString {
    return changetype<ByteString>(EMPTY)
  }

  /** True when there are no bytes. */
  get isEmpty(): bool {
    return this.length == 0
  }

  /** The byte at `index`, or -1 outside. */
  byteAt(index: i32): i32 {
    this.assertFresh()
    return <u32>index < <u32>this.length ? <i32>load<u8>(this.ptr + index) : -1
  }

  /** True when the bytes are the same. */
  equals<T>(other: T): bool {
    const that = view(other)
    this.assertFresh()
    return this.length == that.length && memory.compare(this.ptr, that.ptr, this.length) == 0
  }

  /** Equality that takes ASCII letters of either case as the same. */
  equalsIgnoreCase<T>(other: T): bool {
    const that = view(other)
    this.assertFresh()
    if (this.length != that.length) return false
    for (let i = 0; i < this.length; i++) {
      if (lower(load<u8>(this.ptr + i)) != lower(load<u8>(that.ptr + i))) return false
    }
    return true
  }

  /** True when the first bytes are those of `other`. */
  startsWith<T>(prefix: T): bool {
    const that = view(prefix)
    this.assertFresh()
    return this.length >= that.length && memory.compare(this.ptr, that.ptr, that.length) == 0
  }

  /** True when the last bytes are those of `other`. */
  endsWith<T>(suffix: T): bool {
    const that = view(suffix)
    this.assertFresh()
    return (
      this.length >= that.length && memory.compare(this.ptr + this.length - that.length, that.ptr, that.length) == 0
    )
  }

  /** Index of the first occurrence at or after `from`, or -1. */
  indexOf<T>(part: T, from: i32 = 0): i32 {
    const that = view(part)
    this.assertFresh()
    const last = this.length - that.length
    for (let i = max(from, 0); i <= last; i++) {
      if (memory.compare(this.ptr + i, that.ptr, that.length) == 0) return i
    }
    return -1
  }

  /** True when the bytes of `other` are in these. */
  includes<T>(part: T): bool {
    return this.indexOf(part) >= 0
  }

  /** Index of the first `byte` (a character code below 128) at or after `from`, or -1. */
  indexOfByte(byte: u8, from: i32 = 0): i32 {
    this.assertFresh()
    for (let i = max(from, 0); i < this.length; i++) {
      if (load<u8>(this.ptr + i) == byte) return i
    }
    return -1
  }

  /** Position of the last such byte, or -1. */
  lastIndexOfByte(byte: u8): i32 {
    this.assertFresh()
    for (let i = this.length - 1; i >= 0; i--) {
      if (load<u8>(this.ptr + i) == byte) return i
    }
    return -1
  }

  /** The bytes from `start` to before `end`, without copying. Indexes outside are brought inside. */
  slice(start: i32, end: i32 = i32.MAX_VALUE): ByteString {
    this.assertFresh()
    const from = min(max(start, 0), this.length)
    const to = min(max(end, from), this.length)
    const part = ByteString.at(this.ptr + from, to - from)
    part.epoch = this.epoch
    return part
  }

  /** Without spaces and tabs at either end. */
  trim(): ByteString {
    this.assertFresh()
    let from = 0
    let to = this.length
    while (from < to && isBlank(load<u8>(this.ptr + from))) from++
    while (to > from && isBlank(load<u8>(this.ptr + to - 1))) to--
    return this.slice(from, to)
  }

  /** A copy with ASCII letters lowered. */
  toLowerCase(): ByteString {
    this.assertFresh()
    const copy = allocate(this.length)
    if (!copy) return ByteString.empty
    for (let i = 0; i < this.length; i++) store<u8>(copy + i, lower(load<u8>(this.ptr + i)))
    return ByteString.at(copy, this.length)
  }

  /** These bytes followed by others. */
  concat<T>(other: T): ByteString {
    const that = view(other)
    this.assertFresh()
    const copy = allocate(this.length + that.length)
    if (!copy) return ByteString.empty
    memory.copy(copy, this.ptr, this.length)
    memory.copy(copy + this.length, that.ptr, that.length)
    return ByteString.at(copy, this.length + that.length)
  }

  /** The decimal integer that the whole view spells (`-` allowed), or `fallback` when it spells none or overflows. */
  parseInt(fallback: i64 = 0): i64 {
    this.assertFresh()
    const negative = this.byteAt(0) == 0x2d
    let i = negative ? 1 : 0
    if (i >= this.length || this.length - i > 18) return fallback
    let value: i64 = 0
    for (; i < this.length; i++) {
      const digit = <u32>load<u8>(this.ptr + i) - 0x30
      if (digit > 9) return fallback
      value = value * 10 + digit
    }
    return negative ? -value : value
  }

  /** FNV-1a, 32 bits. */
  hash(): u32 {
    this.assertFresh()
    let h: u32 = 0x811c9dc5
    for (let i = 0; i < this.length; i++) h = (h ^ load<u8>(this.ptr + i)) * 0x01000193
    return h
  }

  /** A copy on the heap that stays valid as long as it is referenced. */
  persist(): Bytes {
    this.assertFresh()
    return new Bytes(this)
  }

  /** Decoded to UTF-16. Not for the hot path. */
  toString(): string {
    this.assertFresh()
    return String.UTF8.decodeUnsafe(this.ptr, this.length)
  }

  /** In debug builds, fails on a view of an earlier callback. */
  // @ts-ignore: decorator
  @inline
  assertFresh(): void {
    if (isDefined(MESHSCRIPT_DEBUG)) {
      if (this.epoch != 0 && this.epoch != epoch) {
        throw new Error('a ByteString of an earlier callback is used: keep a copy with persist()')
      }
    }
  }
}

/** UTF-8 bytes on the heap: a `ByteString` that may be kept. `view` gives it back as one. */
@final
export class Bytes {
  // The first three fields are laid out as a ByteString's, so that one can be viewed as the other.
  private ptr: usize
  readonly length: i32
  private epoch: u32 = 0
  private buffer: StaticArray<u8>

  constructor(source: ByteString) {
    const buffer = new StaticArray<u8>(source.length)
    memory.copy(changetype<usize>(buffer), source.ptr, source.length)
    this.buffer = buffer
    this.ptr = changetype<usize>(buffer)
    this.length = source.length
  }

  /** A copy of a string or of bytes. */
  static from<T>(value: T): Bytes {
    return new Bytes(view(value))
  }

  /** The same bytes as a `ByteString`, valid as long as this object. */
  // @ts-ignore: decorator
  @inline
  get view(): ByteString {
    return changetype<ByteString>(this)
  }

  /** True when the bytes are the same. */
  equals<T>(other: T): bool {
    return this.view.equals(other)
  }

  /** The bytes read as UTF-8. */
  toString(): string {
    return this.view.toString()
  }
}

const EMPTY: usize = memory.data<u8>([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])

/** Room in the arena for one view, empty; hostcalls write address and length straight into it. */
export function slot(): ByteString {
  // The main block only runs out in a callback that took thousands of results; then the heap answers.
  const view = changetype<ByteString>(allocate(offsetof<ByteString>()))
  view.ptr = 0
  view.length = 0
  view.epoch = isDefined(MESHSCRIPT_DEBUG) ? epoch : 0
  return view
}

/** `value` as a view: a `string` is encoded into the arena, bytes are taken as they are. */
// @ts-ignore: decorator
@inline
export function view<T>(value: T): ByteString {
  if (isString<T>()) return encode(changetype<string>(value))
  if (isManaged<T>()) {
    if (idof<T>() != idof<Bytes>()) ERROR('expected a string, a ByteString or Bytes')
  }
  return changetype<ByteString>(value)
}

/**
 * The UTF-8 bytes of a literal. `meshscript build` encodes it at compile time; where the transform does not run
 * (as-pect), every call takes memory that is never freed.
 */
export function utf8(text: string): ByteString {
  const data = heap.alloc(offsetof<ByteString>() + text.length * 3)
  const literal = changetype<ByteString>(data)
  literal.ptr = data + offsetof<ByteString>()
  literal.length = <i32>(encodeAt(literal.ptr, text, text.length) - literal.ptr)
  literal.epoch = 0
  return literal
}

/** A literal that the build has encoded: static data that begins with room for the view. */
// @ts-ignore: decorator
@global
@inline
export function __utf8(data: usize): ByteString {
  // Only the address is not known when the literal is compiled; its length and epoch (0) are.
  store<usize>(data, data + offsetof<ByteString>())
  return changetype<ByteString>(data)
}

/** Encodes into the arena. */
export function encode(text: string): ByteString {
  // One UTF-16 unit takes three bytes at most.
  const ptr = allocate(text.length * 3)
  if (!ptr) return ByteString.empty
  return ByteString.at(ptr, <i32>(encodeAt(ptr, text, text.length) - ptr))
}

/** Encodes the first `length` UTF-16 units at `at`, where there is room for three bytes each; answers where it ended. Lone surrogates become U+FFFD. */
export function encodeAt(at: usize, text: string, length: i32): usize {
  for (let i = 0; i < length; i++) {
    let code = <u32>load<u16>(changetype<usize>(text) + (i << 1))
    if (code < 0x80) {
      store<u8>(at++, code)
      continue
    }
    if (code - 0xd800 < 0x800) {
      const low = i + 1 < length ? <u32>load<u16>(changetype<usize>(text) + (i << 1), 2) - 0xdc00 : u32.MAX_VALUE
      if (code < 0xdc00 && low < 0x400) {
        i++
        code = 0x10000 + ((code - 0xd800) << 10) + low
        store<u8>(at++, 0xf0 | (code >> 18))
        store<u8>(at++, 0x80 | ((code >> 12) & 0x3f))
        store<u8>(at++, 0x80 | ((code >> 6) & 0x3f))
        store<u8>(at++, 0x80 | (code & 0x3f))
        continue
      }
      code = 0xfffd
    }
    if (code < 0x800) {
      store<u8>(at++, 0xc0 | (code >> 6))
    } else {
      store<u8>(at++, 0xe0 | (code >> 12))
      store<u8>(at++, 0x80 | ((code >> 6) & 0x3f))
    }
    store<u8>(at++, 0x80 | (code & 0x3f))
  }
  return at
}

// @ts-ignore: decorator
@inline
function lower(byte: u8): u8 {
  return <u32>byte - 0x41 < 26 ? byte | 0x20 : byte
}

// @ts-ignore: decorator
@inline
function isBlank(byte: u8): bool {
  return byte == 0x20 || byte == 0x09
}
