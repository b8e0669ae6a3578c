import { ByteString } from '@meshscript/sdk'
import { Ints } from '../regex/ints'
import { Matches } from './matches'

/** How a pattern is compared with a text. */
export enum PatternKind {
  Exact,
  Prefix,
  Suffix,
}

/** FNV-1a. */
// @ts-ignore: decorator
@inline const BASIS: u32 = 0x811c9dc5
// @ts-ignore: decorator
@inline const PRIME: u32 = 0x01000193

/**
 * Exact values, prefixes and suffixes, all looked for in one pass over a text, whatever their number: prefixes (and exact values) are found
 * by the hash of what was read so far, which is looked up only at lengths that some pattern has; suffixes likewise from the end.
 */
@final
export class TextPatterns {
  private exact: PatternTable = new PatternTable()
  private prefixes: PatternTable = new PatternTable()
  private suffixes: PatternTable = new PatternTable()

  /** Adds a pattern under the number `id`, or answers the number that it has. */
  add(kind: PatternKind, text: ByteString, id: i32): i32 {
    if (kind == PatternKind.Exact) return this.exact.add(hash(text), text, id)
    if (kind == PatternKind.Prefix) return this.prefixes.add(hash(text), text, id)
    return this.suffixes.add(hashBackwards(text), text, id)
  }

  /** Adds the patterns that a text matches. */
  find(text: ByteString, found: Matches): void {
    const length = text.length
    const prefixes = this.prefixes
    const exact = this.exact
    const isExactLength = exact.hasLength(length)
    let h = BASIS
    let i = 0
    for (const end = min(length, prefixes.longest); i < end;) {
      h = (h ^ load<u8>(text.ptr + i++)) * PRIME
      if (prefixes.hasLength(i)) prefixes.find(h, text.ptr, i, found)
    }
    if (isExactLength) {
      for (; i < length; i++) h = (h ^ load<u8>(text.ptr + i)) * PRIME
      exact.find(h, text.ptr, length, found)
    }
    const suffixes = this.suffixes
    h = BASIS
    for (let n = 1, end = min(length, suffixes.longest); n <= end; n++) {
      const at = text.ptr + length - n
      h = (h ^ load<u8>(at)) * PRIME
      if (suffixes.hasLength(n)) suffixes.find(h, at, n, found)
    }
  }
}

/** Integers of an entry: hash, id, where its text begins, the text's length, the next entry of the bucket. */
const ENTRY: i32 = 5

/** Patterns of one kind by hash. Flat, since there may be tens of thousands. */
@final
class PatternTable {
  /** Length of the longest pattern. */
  longest: i32 = 0
  private buckets: StaticArray<i32> = newBuckets(8)
  private entries: Ints = new Ints(8 * ENTRY)
  private texts: StaticArray<u8> = new StaticArray<u8>(128)
  private used: i32 = 0
  /** Bit L is set when a pattern of length L (or, for the last, of any greater length) is in. */
  private lengths: StaticArray<u64> = new StaticArray<u64>(16)

  // @ts-ignore: decorator
  @inline
  hasLength(length: i32): bool {
    const bit = min(length, 1023)
    return ((unchecked(this.lengths[bit >> 6]) >> (bit & 63)) & 1) != 0
  }

  find(hash: u32, text: usize, length: i32, found: Matches): void {
    const entry = this.search(hash, text, length)
    if (entry >= 0) found.add(this.entries.at(entry + 1))
  }

  add(hash: u32, text: ByteString, id: i32): i32 {
    const known = this.search(hash, text.ptr, text.length)
    if (known >= 0) return this.entries.at(known + 1)
    const entries = this.entries
    if (entries.length == this.buckets.length * ENTRY) this.grow()
    this.longest = max(this.longest, text.length)
    const bit = min(text.length, 1023)
    this.lengths[bit >> 6] |= (<u64>1) << (bit & 63)
    const entry = entries.length
    const bucket = hash & (this.buckets.length - 1)
    entries.push(hash)
    entries.push(id)
    entries.push(this.append(text))
    entries.push(text.length)
    entries.push(this.buckets[bucket])
    this.buckets[bucket] = entry
    return id
  }

  private search(hash: u32, text: usize, length: i32): i32 {
    const entries = this.entries
    let entry = unchecked(this.buckets[hash & (this.buckets.length - 1)])
    while (entry >= 0) {
      if (<u32>entries.at(entry) == hash && entries.at(entry + 3) == length) {
        if (!memory.compare(changetype<usize>(this.texts) + entries.at(entry + 2), text, length)) return entry
      }
      entry = entries.at(entry + 4)
    }
    return -1
  }

  private append(text: ByteString): i32 {
    const at = this.used
    this.used += text.length
    if (this.used > this.texts.length) {
      const texts = new StaticArray<u8>(max(this.used, this.texts.length * 2))
      memory.copy(changetype<usize>(texts), changetype<usize>(this.texts), at)
      this.texts = texts
    }
    memory.copy(changetype<usize>(this.texts) + at, text.ptr, text.length)
    return at
  }

  private grow(): void {
    const entries = this.entries
    const buckets = newBuckets(this.buckets.length * 2)
    for (let entry = 0; entry < entries.length; entry += ENTRY) {
      const bucket = entries.at(entry) & (buckets.length - 1)
      entries.set(entry + 4, buckets[bucket])
      buckets[bucket] = entry
    }
    this.buckets = buckets
  }
}

function newBuckets(size: i32): StaticArray<i32> {
  const buckets = new StaticArray<i32>(size)
  memory.fill(changetype<usize>(buckets), 0xff, (<usize>size) << 2)
  return buckets
}

function hash(text: ByteString): u32 {
  let h = BASIS
  for (let i = 0; i < text.length; i++) h = (h ^ load<u8>(text.ptr + i)) * PRIME
  return h
}

function hashBackwards(text: ByteString): u32 {
  let h = BASIS
  for (let i = text.length - 1; i >= 0; i--) h = (h ^ load<u8>(text.ptr + i)) * PRIME
  return h
}
