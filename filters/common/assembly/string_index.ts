import { Bytes, ByteString } from '@meshscript/sdk'
import { BitSet } from './bitset'

/** How a pattern is compared with a text. */
export enum PatternKind {
  Exact,
  Prefix,
  Suffix,
  /** Any text that is there and not empty. */
  PresentNotEmpty,
  /** Any text that is there. */
  Present,
}

/** FNV-1a. */
// @ts-ignore: decorator
@inline const BASIS: u32 = 0x811c9dc5
// @ts-ignore: decorator
@inline const PRIME: u32 = 0x01000193

/** One pattern with the alternatives that it satisfies. */
@final
class Pattern {
  constructor(
    public hash: u32,
    public text: Bytes,
    public members: BitSet,
    public next: Pattern | null,
  ) {}
}

/**
 * Texts → the alternatives that a text satisfies: exact values, prefixes, suffixes and presence in one pass over the text,
 * whatever the number of patterns. Prefixes (and exact values) are found by the hash of what was read so far,
 * which is looked up only at lengths that some pattern has; suffixes likewise from the end.
 */
@final
export class StringIndex {
  private exact: PatternTable
  private prefixes: PatternTable
  private suffixes: PatternTable
  private present: BitSet
  private presentNotEmpty: BitSet

  /** `size`: number of alternatives. */
  constructor(size: i32) {
    this.exact = new PatternTable(size)
    this.prefixes = new PatternTable(size)
    this.suffixes = new PatternTable(size)
    this.present = new BitSet(size)
    this.presentNotEmpty = new BitSet(size)
  }

  /** Lets `alternative` be satisfied by texts that match. */
  add(kind: PatternKind, text: ByteString, alternative: i32): void {
    if (kind == PatternKind.Present) this.present.add(alternative)
    else if (kind == PatternKind.PresentNotEmpty) this.presentNotEmpty.add(alternative)
    else if (kind == PatternKind.Exact) this.exact.add(hash(text), text).add(alternative)
    else if (kind == PatternKind.Prefix) this.prefixes.add(hash(text), text).add(alternative)
    else this.suffixes.add(hashBackwards(text), text).add(alternative)
  }

  /** Adds to `found` what is satisfied by a text being there, whatever it is. */
  findPresent(found: BitSet): void {
    found.addAll(this.present)
  }

  /** Adds to `found` what the text satisfies. */
  find(text: ByteString, found: BitSet): void {
    const length = text.length
    found.addAll(this.present)
    if (length) found.addAll(this.presentNotEmpty)
    let h = BASIS
    const prefixes = this.prefixes
    if (prefixes.used) {
      for (let i = 0; i < length; i++) {
        h = (h ^ load<u8>(text.ptr + i)) * PRIME
        if (prefixes.hasLength(i + 1)) prefixes.find(h, text.ptr, i + 1, found)
      }
      if (this.exact.hasLength(length)) this.exact.find(h, text.ptr, length, found)
    } else if (this.exact.hasLength(length)) {
      this.exact.find(hash(text), text.ptr, length, found)
    }
    const suffixes = this.suffixes
    if (!suffixes.used) return
    h = BASIS
    for (let i = 1; i <= length; i++) {
      const at = text.ptr + length - i
      h = (h ^ load<u8>(at)) * PRIME
      if (suffixes.hasLength(i)) suffixes.find(h, at, i, found)
    }
  }
}

/** Patterns of one kind by hash. */
@final
class PatternTable {
  used: i32 = 0
  private buckets: StaticArray<Pattern | null> = new StaticArray<Pattern | null>(16)
  /** Bit L is set when a pattern of length L (or, for the last, of any greater length) is in. */
  private lengths: StaticArray<u64> = new StaticArray<u64>(16)

  constructor(private size: i32) {}

  hasLength(length: i32): bool {
    const bit = min(length, 1023)
    return ((unchecked(this.lengths[bit >> 6]) >> (bit & 63)) & 1) != 0
  }

  find(hash: u32, text: usize, length: i32, found: BitSet): void {
    let pattern = unchecked(this.buckets[hash & (this.buckets.length - 1)])
    while (pattern) {
      if (pattern.hash == hash && pattern.text.length == length) {
        if (memory.compare(pattern.text.view.ptr, text, length) == 0) return found.addAll(pattern.members)
      }
      pattern = pattern.next
    }
  }

  /** The alternatives of a pattern, which is added when it is new. */
  add(hash: u32, text: ByteString): BitSet {
    let pattern = unchecked(this.buckets[hash & (this.buckets.length - 1)])
    while (pattern) {
      if (pattern.hash == hash && pattern.text.equals(text)) return pattern.members
      pattern = pattern.next
    }
    if (++this.used > this.buckets.length) this.grow()
    const bit = min(text.length, 1023)
    this.lengths[bit >> 6] |= (<u64>1) << (bit & 63)
    const members = new BitSet(this.size)
    this.insert(new Pattern(hash, text.persist(), members, null))
    return members
  }

  private insert(pattern: Pattern): void {
    const bucket = pattern.hash & (this.buckets.length - 1)
    pattern.next = this.buckets[bucket]
    this.buckets[bucket] = pattern
  }

  private grow(): void {
    const old = this.buckets
    this.buckets = new StaticArray<Pattern | null>(old.length * 4)
    for (let i = 0; i < old.length; i++) {
      let pattern = old[i]
      while (pattern) {
        const next = pattern.next
        this.insert(pattern)
        pattern = next
      }
    }
  }
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
