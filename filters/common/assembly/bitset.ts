// Sets of alternatives, as bits. One word answers for 64 alternatives, so that combining the attributes of a request costs next to nothing
// however many rules there are.

/** A set of small numbers; sets that are combined have the same size. */
@final
export class BitSet {
  private words: StaticArray<u64>

  /** An empty set of numbers below `size`. */
  constructor(size: i32) {
    this.words = new StaticArray<u64>((size + 63) >> 6)
  }

  // @ts-ignore: decorator
  @inline
  add(member: i32): void {
    const i = member >> 6
    unchecked((this.words[i] |= (<u64>1) << (member & 63)))
  }

  has(member: i32): bool {
    return ((unchecked(this.words[member >> 6]) >> (member & 63)) & 1) != 0
  }

  clear(): void {
    memory.fill(changetype<usize>(this.words), 0, this.words.length << 3)
  }

  copyFrom(other: BitSet): void {
    memory.copy(changetype<usize>(this.words), changetype<usize>(other.words), this.words.length << 3)
  }

  addAll(other: BitSet): void {
    for (let i = 0, n = this.words.length; i < n; i++) unchecked((this.words[i] |= other.words[i]))
  }

  /** Keeps the members that are in `other` too, and those outside of `constrained`. Answers whether any are left. */
  keep(other: BitSet, constrained: BitSet): bool {
    let left: u64 = 0
    for (let i = 0, n = this.words.length; i < n; i++) {
      const word = unchecked(this.words[i] & (other.words[i] | ~constrained.words[i]))
      unchecked((this.words[i] = word))
      left |= word
    }
    return left != 0
  }

  /** Takes the members of `other` out. Answers whether any are left. */
  removeAll(other: BitSet): bool {
    let left: u64 = 0
    for (let i = 0, n = this.words.length; i < n; i++) {
      const word = unchecked(this.words[i] & ~other.words[i])
      unchecked((this.words[i] = word))
      left |= word
    }
    return left != 0
  }

  intersects(other: BitSet): bool {
    for (let i = 0, n = this.words.length; i < n; i++) if (unchecked(this.words[i] & other.words[i])) return true
    return false
  }

  /** The least member, or -1. */
  first(): i32 {
    for (let i = 0, n = this.words.length; i < n; i++) {
      const word = unchecked(this.words[i])
      if (word) return (i << 6) + <i32>ctz(word)
    }
    return -1
  }
}
