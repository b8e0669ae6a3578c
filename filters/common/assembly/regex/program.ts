// The instructions of a nondeterministic automaton over bytes. They are made from the end of a pattern to its beginning, so that each
// knows what comes next when it is made, and equal ones are shared. Which of several ways matches doesn't matter: only whether.

import { Ints, LongList } from './ints'

/** What an instruction does: the low byte of its first integer. The other three are its operand, and the second integer is `out`. */
export enum Op {
  /** Goes on at `out`. */
  Jump,
  /** Goes on at `out` and at its operand. */
  Split,
  /** Takes a byte from its operand's first to its second byte, and goes on at `out`. */
  Bytes,
  /** As `Bytes`, with a byte of the set that its operand numbers. */
  Set,
  /** Goes on at `out` where the assertion of its operand holds. */
  Assert,
  /** The pattern of number `out` matches when the text ends here. */
  Match,
}

/** Integers of an instruction. */
export const INSTRUCTION: i32 = 2

/** Instructions that one pattern may need. */
export const MAX_PATTERN: i32 = 32768
/** Instructions that one set may need. */
export const MAX_PROGRAM: i32 = 1 << 20

const SHARED: i32 = 4096

/** What all patterns of a set are compiled to. */
@final
export class Program {
  /** Sets of bytes, 256 bits each. */
  readonly sets: Ints = new Ints(64)
  /** Assertions that some pattern makes. */
  assertions: i32 = 0
  /** Set when there was no room for an instruction. */
  full: bool = false

  private code: LongList = new LongList()
  private limit: i32 = 0
  /** Instructions by hash: what is the same is made once. */
  private shared: StaticArray<i32> = new StaticArray<i32>(SHARED)

  constructor() {
    // Number 0 leads nowhere; number 1 is where all patterns begin.
    this.add(Op.Bytes | 0x100, 0)
    this.add(Op.Jump, 0)
  }

  /** Number of instructions so far. */
  get size(): i32 {
    return this.code.length / INSTRUCTION
  }

  /** All instructions. */
  toStaticArray(): StaticArray<i32> {
    return this.code.toStaticArray()
  }

  /** What the instruction does. */
  op(at: i32): i32 {
    return this.code.at(at * INSTRUCTION) & 0xff
  }

  /** What it does it with. */
  operand(at: i32): i32 {
    return this.code.at(at * INSTRUCTION) >>> 8
  }

  /** What comes after it. */
  out(at: i32): i32 {
    return this.code.at(at * INSTRUCTION + 1)
  }

  setOut(at: i32, out: i32): void {
    this.code.set(at * INSTRUCTION + 1, out)
  }

  /** Whether the instruction is one with this first integer: `Op` and operand. */
  is(at: i32, first: i32): bool {
    return this.code.at(at * INSTRUCTION) == first
  }

  /** Makes room for one more pattern. */
  beginPattern(): void {
    this.full = false
    this.limit = min(this.size + MAX_PATTERN, MAX_PROGRAM)
  }

  /** Makes an instruction one that leads nowhere. */
  block(at: i32): void {
    this.code.set(at * INSTRUCTION, Op.Bytes | 0x100)
    this.setOut(at, 0)
  }

  /** Adds an instruction that may be changed. `first`: `Op` and operand. */
  add(first: i32, out: i32): i32 {
    const at = this.size
    if (at >= this.limit && at > 1) {
      this.full = true
      return 0
    }
    this.code.push(first)
    this.code.push(out)
    return at
  }

  /** An instruction that will not be changed, made once. */
  private addShared(first: i32, out: i32): i32 {
    const hash = ((first * 31 + out) * 0x9e3779b1) >>> 20
    const known = unchecked(this.shared[hash])
    if (known && this.code.at(known * INSTRUCTION) == first && this.out(known) == out) return known
    return unchecked((this.shared[hash] = this.add(first, out)))
  }

  /** Takes a byte from `lo` to `hi`. */
  bytes(lo: i32, hi: i32, out: i32): i32 {
    return this.addShared(Op.Bytes | (lo << 8) | (hi << 16), out)
  }

  /** Goes on at `out` and at `other`. */
  split(out: i32, other: i32): i32 {
    return this.addShared(Op.Split | (other << 8), out)
  }

  /** Goes on where the assertion holds. */
  assert(assertion: i32, out: i32): i32 {
    this.assertions |= assertion
    return this.addShared(Op.Assert | (assertion << 8), out)
  }

  /** Takes one byte of a set. */
  set(ranges: Ints, first: i32, count: i32, out: i32): i32 {
    const sets = this.sets
    const start = sets.length
    for (let i = 0; i < 8; i++) sets.push(0)
    for (let i = 0; i < count; i++) {
      for (let byte = ranges.at(first + i * 2); byte <= ranges.at(first + i * 2 + 1); byte++) {
        sets.set(start + (byte >> 5), sets.at(start + (byte >> 5)) | (1 << (byte & 31)))
      }
    }
    const data = changetype<usize>(sets.data)
    let known = 0
    while (memory.compare(data + ((<usize>known) << 5), data + ((<usize>start) << 2), 32) != 0) known++
    if (known << 3 != start) sets.length = start
    return this.addShared(Op.Set | (known << 8), out)
  }
}
