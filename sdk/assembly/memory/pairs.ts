// The encoding of header maps at the ABI:
//
//   u32 count │ count × (u32 name length, u32 value length) │ count × (name, 0, value, 0)
//
// An empty map is zero bytes. The host takes a malformed map for an empty one without a word, so it is built here only.

import { allocate } from './arena'
import { ByteString, Bytes, view } from './bytes'

/** One header line of a `Headers` under construction, in the arena. */
// @ts-ignore: decorator
@unmanaged
class Line {
  next: usize
  name: usize
  nameLength: i32
  value: usize
  valueLength: i32
}

/**
 * Header lines to send: with a local response, an HTTP callout or a gRPC call. Lines keep their order and may repeat a name.
 * What is added lives in the arena, so use it in the callback that made it, or `persist()` it once (at configure time, say).
 */
@final
export class Headers {
  private first: usize = 0
  private last: usize = 0
  private count: i32 = 0
  private size: i32 = 0
  private encoded: Bytes | null = null

  /** Adds a line and returns the list, so that calls can be chained. */
  add<N, V>(name: N, value: V): this {
    const n = view(name)
    const v = view(value)
    if (this.encoded) return this
    const address = allocate(offsetof<Line>())
    if (!address) return this
    const line = changetype<Line>(address)
    line.next = 0
    line.name = n.ptr
    line.nameLength = n.length
    line.value = v.ptr
    line.valueLength = v.length
    if (this.last) changetype<Line>(this.last).next = address
    else this.first = address
    this.last = address
    this.count++
    this.size += 10 + n.length + v.length
    return this
  }

  /** Keeps the lines beyond the callback. Lines can't be added afterwards. */
  persist(): this {
    this.encoded = this.encode().persist()
    return this
  }

  /** The lines in the ABI's encoding; no bytes for no lines. */
  encode(): ByteString {
    const kept = this.encoded
    if (kept) return kept.view
    if (!this.count) return ByteString.empty
    const start = allocate(4 + this.size)
    if (!start) return ByteString.empty
    store<u32>(start, this.count)
    let lengths = start + 4
    let data = lengths + 8 * this.count
    for (let at = this.first; at; at = changetype<Line>(at).next) {
      const line = changetype<Line>(at)
      store<u32>(lengths, line.nameLength)
      store<u32>(lengths + 4, line.valueLength)
      lengths += 8
      memory.copy(data, line.name, line.nameLength)
      data += line.nameLength
      store<u8>(data++, 0)
      memory.copy(data, line.value, line.valueLength)
      data += line.valueLength
      store<u8>(data++, 0)
    }
    return ByteString.at(start, 4 + this.size)
  }
}

/** All lines of a header map as the host gave them, read in one hostcall. Valid during the callback. */
// @ts-ignore: decorator
@unmanaged
@final
export class Pairs {
  private data: usize
  /** Number of lines. */
  length: i32

  /** Reads the ABI's encoding; what is malformed reads as no lines. */
  static decode(bytes: ByteString): Pairs {
    const pairs = changetype<Pairs>(allocate(offsetof<Pairs>()))
    pairs.data = bytes.ptr
    pairs.length = isWellFormed(bytes.ptr, bytes.length) ? load<i32>(bytes.ptr) : 0
    return pairs
  }

  /** Name of the line at `index`; empty outside. */
  name(index: i32): ByteString {
    return this.part(index, 0)
  }

  /** Value of the line at `index`; empty outside. */
  value(index: i32): ByteString {
    return this.part(index, 1)
  }

  /** The first value of `name` (lower case), or null. */
  get<T>(name: T): ByteString | null {
    const index = this.indexOf(name)
    return index < 0 ? null : this.value(index)
  }

  /** Index of the first line called `name` (lower case) at or after `from`, or -1. */
  indexOf<T>(name: T, from: i32 = 0): i32 {
    const key = view(name)
    let at = this.data + 4 + 8 * this.length
    for (let i = 0; i < this.length; i++) {
      const nameLength = load<i32>(this.data + 4 + 8 * i)
      if (i >= from && nameLength == key.length && memory.compare(at, key.ptr, nameLength) == 0) return i
      at += nameLength + load<i32>(this.data + 8 + 8 * i) + 2
    }
    return -1
  }

  private part(index: i32, which: i32): ByteString {
    if (<u32>index >= <u32>this.length) return ByteString.empty
    const lengths = this.data + 4
    let at = lengths + 8 * this.length
    for (let i = 0; i < index; i++) at += load<i32>(lengths + 8 * i) + load<i32>(lengths + 8 * i + 4) + 2
    const nameLength = load<i32>(lengths + 8 * index)
    return which == 0
      ? ByteString.at(at, nameLength)
      : ByteString.at(at + nameLength + 1, load<i32>(lengths + 8 * index + 4))
  }
}

function isWellFormed(data: usize, size: usize): bool {
  if (size < 4) return false
  const count = <u64>load<u32>(data)
  let need: u64 = 4 + 8 * count
  if (need > size) return false
  for (let i: u64 = 0; i < count; i++) {
    const lengths = data + 4 + 8 * <usize>i
    need += <u64>load<u32>(lengths) + load<u32>(lengths + 4) + 2
  }
  return need == size
}
