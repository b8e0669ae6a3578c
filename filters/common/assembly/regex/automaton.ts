// A deterministic automaton that is made while texts are read: a state is the set of instructions that a text has led to. States are kept in
// memory of a fixed bound. When it is full all are forgotten; a text for which that happens again and again is read without making states.

import { ByteString } from '@meshscript/sdk'
import { Ints, sort } from './ints'
import { Assertion } from './postfix_code'
import { INSTRUCTION, Op } from './program'

/** Bytes for states. */
export const MAX_CACHE: i32 = 1 << 20
const FIRST_CACHE: i32 = 1 << 13
/** How often states may be forgotten during one text. */
const MAX_FLUSHES: i32 = 3

/** What came before a state; kept only where a state has an assertion. */
const AFTER_BEGIN: i32 = 1
const AFTER_WORD: i32 = 2
const AFTER_LINE: i32 = 4
const HAS_ASSERTION: i32 = 8

// A state: hash, next state of that hash, context, number of instructions, number of matches, where each class of bytes leads
// (0: not known yet), the instructions, the matches. Its address is an offset in bytes; 0 is no state and DEAD one that never matches.
const NEXT: usize = 4
const CONTEXT: usize = 8
const COUNT: usize = 12
const MATCHES: usize = 16
const TARGETS: usize = 20
const DEAD: i32 = 4
const FIRST_STATE: i32 = 8

const BUCKETS: i32 = 1024

@final
export class Automaton {
  /** Numbers of the patterns that the last text matched. */
  readonly matched: StaticArray<i32>

  private classOf: StaticArray<u8> = new StaticArray<u8>(256)
  private classes: i32 = 0
  private cache: StaticArray<u8> = new StaticArray<u8>(FIRST_CACHE)
  private top: i32 = FIRST_STATE
  private buckets: StaticArray<i32> = new StaticArray<i32>(BUCKETS)
  private start: i32 = 0
  private flushes: i32 = 0
  /** Where the text is now, and what comes next. */
  private current: Ints = new Ints(64)
  private next: Ints = new Ints(64)
  /** Instructions that are still to be followed. */
  private stack: StaticArray<i32>
  /** For each instruction when it was put into `next` last. */
  private marks: StaticArray<u16>
  private generation: u16 = 0
  private context: i32 = 0

  constructor(
    private code: StaticArray<i32>,
    private sets: StaticArray<i32>,
    private assertions: i32,
    patterns: i32,
  ) {
    const size = code.length / INSTRUCTION
    let splits = 0
    for (let i = 0; i < code.length; i += INSTRUCTION) if ((unchecked(code[i]) & 0xff) == Op.Split) splits++
    this.stack = new StaticArray<i32>(splits)
    this.marks = new StaticArray<u16>(size)
    this.matched = new StaticArray<i32>(patterns)
    this.classify()
  }

  /** Gives bytes that no instruction tells apart the same class. */
  private classify(): void {
    const first = new StaticArray<bool>(257)
    const code = this.code
    for (let i = 0; i < code.length; i += INSTRUCTION) {
      const op = unchecked(code[i])
      if ((op & 0xff) != Op.Bytes) continue
      unchecked((first[(op >> 8) & 0xff] = true))
      unchecked((first[((op >> 16) & 0xff) + 1] = true))
    }
    const sets = this.sets
    for (let set = 0; set < sets.length >> 3; set++) {
      for (let byte = 1; byte < 256; byte++) {
        if (isIn(sets, set, byte) != isIn(sets, set, byte - 1)) unchecked((first[byte] = true))
      }
    }
    if (this.assertions) {
      for (let byte = 1; byte < 256; byte++) {
        if (isWord(byte) != isWord(byte - 1) || byte == 0x0a || byte == 0x0b) unchecked((first[byte] = true))
      }
    }
    let last = 0
    for (let byte = 1; byte < 256; byte++) {
      if (unchecked(first[byte])) last++
      unchecked((this.classOf[byte] = <u8>last))
    }
    this.classes = last + 1
  }

  /** Answers how many patterns match the whole text; their numbers are in `matched`. */
  match(text: ByteString): i32 {
    this.flushes = 0
    let state = this.start
    if (!state) {
      this.clear()
      this.follow(1, -1)
      this.context = this.hasAssertion() ? AFTER_BEGIN | HAS_ASSERTION : 0
      state = this.keep()
      this.start = state
    }
    const end = text.ptr + text.length
    let at = text.ptr
    if (state) {
      const classOf = changetype<usize>(this.classOf)
      for (; at < end; at++) {
        const byte = <i32>load<u8>(at)
        const target = TARGETS + ((<usize>load<u8>(classOf + byte)) << 2)
        const base = changetype<usize>(this.cache)
        let next = load<i32>(base + state + target)
        if (next <= DEAD) {
          if (next == DEAD) return 0
          next = this.step(state, target, byte)
          if (next == DEAD) return 0
          if (!next) break
        }
        state = next
      }
      if (at == end) return this.matchesOf(state)
      at++
    }
    // No state was made for what is in `next`.
    for (; at < end; at++) {
      const byte = <i32>load<u8>(at)
      this.swap()
      this.advance(byte)
      if (!this.next.length) return 0
    }
    return this.collect(this.matched)
  }

  private matchesOf(state: i32): i32 {
    const base = changetype<usize>(this.cache) + state
    const count = load<i32>(base, MATCHES)
    const size = (this.classes + load<i32>(base, COUNT)) << 2
    memory.copy(changetype<usize>(this.matched), base + TARGETS + size, (<usize>count) << 2)
    return count
  }

  /** Makes the state that a byte leads to from one that didn't know; 0 when it can't be kept (it is in `next` then). */
  private step(state: i32, target: usize, byte: i32): i32 {
    const base = changetype<usize>(this.cache) + state
    const count = load<i32>(base, COUNT)
    this.context = load<i32>(base, CONTEXT)
    const current = this.current
    current.length = 0
    const list = base + TARGETS + ((<usize>this.classes) << 2)
    for (let i = 0; i < count; i++) current.push(load<i32>(list + ((<usize>i) << 2)))
    this.advance(byte)
    if (!this.next.length) {
      store<i32>(base + target, DEAD)
      return DEAD
    }
    const flushes = this.flushes
    const next = this.keep()
    // The cache may have moved, or have been emptied.
    if (next && flushes == this.flushes) store<i32>(changetype<usize>(this.cache) + state + target, next)
    return next
  }

  private swap(): void {
    const current = this.current
    this.current = this.next
    this.next = current
  }

  /** Takes a byte from `current`, where `context` holds, to `next`. */
  private advance(byte: i32): void {
    const code = this.code
    if (this.context & HAS_ASSERTION) this.resolve(byte)
    const current = this.current
    this.clear()
    for (let i = 0; i < current.length; i++) {
      const at = current.at(i) * INSTRUCTION
      const op = unchecked(code[at])
      const kind = op & 0xff
      if (kind == Op.Bytes) {
        if (byte < ((op >> 8) & 0xff) || byte > ((op >> 16) & 0xff)) continue
      } else if (kind != Op.Set || !isIn(this.sets, op >> 8, byte)) continue
      this.follow(unchecked(code[at + 1]), -1)
    }
    this.context = 0
    if (this.assertions && this.hasAssertion()) {
      this.context = HAS_ASSERTION | (isWord(byte) ? AFTER_WORD : 0) | (byte == 0x0a ? AFTER_LINE : 0)
    }
  }

  private hasAssertion(): bool {
    const next = this.next
    for (let i = 0; i < next.length; i++) {
      if ((unchecked(this.code[next.at(i) * INSTRUCTION]) & 0xff) == Op.Assert) return true
    }
    return false
  }

  /** Follows the assertions of `current` that hold before `byte` (-1: the end of the text). */
  private resolve(byte: i32): void {
    const before = this.context
    let holds = 0
    if (before & AFTER_BEGIN) holds |= Assertion.BeginText
    if (before & (AFTER_BEGIN | AFTER_LINE)) holds |= Assertion.BeginLine
    if (byte < 0) holds |= Assertion.EndText
    if (byte < 0 || byte == 0x0a) holds |= Assertion.EndLine
    const boundary = ((before & AFTER_WORD) != 0) != (byte >= 0 && isWord(byte))
    holds |= boundary ? Assertion.WordBoundary : Assertion.NoWordBoundary
    const current = this.current
    this.clear()
    for (let i = 0; i < current.length; i++) this.follow(current.at(i), holds)
    this.swap()
  }

  private clear(): void {
    this.next.length = 0
    if (++this.generation) return
    memory.fill(changetype<usize>(this.marks), 0, (<usize>this.marks.length) << 1)
    this.generation = 1
  }

  /** Adds to `next` where `from` leads to without a byte. `holds`: assertions that hold, or -1 to keep assertions for later. */
  private follow(from: i32, holds: i32): void {
    const code = changetype<usize>(this.code)
    const stack = changetype<usize>(this.stack)
    const next = this.next
    const marks = changetype<usize>(this.marks)
    const generation = <u32>this.generation
    let depth: usize = 0
    let at = from
    for (;;) {
      const mark = marks + ((<usize>at) << 1)
      if (load<u16>(mark) != generation) {
        store<u16>(mark, generation)
        const instruction = code + ((<usize>at) << 3)
        const op = load<u8>(instruction)
        if (op == Op.Split) {
          store<u32>(stack + depth, load<u32>(instruction) >> 8)
          depth += 4
          at = load<i32>(instruction, 4)
          continue
        }
        if (op == Op.Jump) {
          at = load<i32>(instruction, 4)
          continue
        }
        if (op != Op.Assert || holds < 0) {
          next.push(at)
        } else if (load<i32>(instruction) & (holds << 8)) {
          at = load<i32>(instruction, 4)
          continue
        }
      }
      if (!depth) break
      depth -= 4
      at = load<i32>(stack + depth)
    }
  }

  /** The matches of `next` if the text ends here, ascending. Changes both sets when there are assertions. */
  private collect(into: StaticArray<i32>): i32 {
    const code = this.code
    let set = this.next
    if (this.context & HAS_ASSERTION) {
      this.swap()
      this.resolve(-1)
      set = this.current
    }
    let count = 0
    for (let i = 0; i < set.length; i++) {
      const at = set.at(i) * INSTRUCTION
      if (unchecked(code[at]) == Op.Match) unchecked((into[count++] = code[at + 1]))
    }
    if (count > 1) sort(into, 0, count, 1)
    return count
  }

  /** The state for what is in `next`; 0 when there is no room, or making states isn't worth it. */
  private keep(): i32 {
    const next = this.next
    const count = next.length
    const context = this.context
    sort(next.data, 0, count, 1)
    const list = changetype<usize>(next.data)
    let hash: u32 = context
    for (let i = 0; i < count; i++) hash = (hash ^ next.at(i)) * 0x01000193
    const bytes = (<usize>count) << 2
    const bucket = hash & (BUCKETS - 1)
    for (let state = unchecked(this.buckets[bucket]); state;) {
      const base = changetype<usize>(this.cache) + state
      if (
        load<u32>(base) == hash &&
        load<i32>(base, CONTEXT) == context &&
        load<i32>(base, COUNT) == count &&
        memory.compare(base + TARGETS + ((<usize>this.classes) << 2), list, bytes) == 0
      ) {
        return state
      }
      state = load<i32>(base, NEXT)
    }
    // Every pattern might match.
    const most = <i32>TARGETS + ((this.classes + count + min(count, this.matched.length)) << 2)
    if (!this.reserve(most)) return 0
    const state = this.top
    const base = changetype<usize>(this.cache) + state
    store<u32>(base, hash)
    store<i32>(base, unchecked(this.buckets[bucket]), NEXT)
    store<i32>(base, context, CONTEXT)
    store<i32>(base, count, COUNT)
    memory.fill(base + TARGETS, 0, (<usize>this.classes) << 2)
    const kept = base + TARGETS + ((<usize>this.classes) << 2)
    memory.copy(kept, list, bytes)
    const matches = this.collect(this.matched)
    store<i32>(base, matches, MATCHES)
    memory.copy(kept + bytes, changetype<usize>(this.matched), (<usize>matches) << 2)
    unchecked((this.buckets[bucket] = state))
    this.top = state + <i32>TARGETS + ((this.classes + count + matches) << 2)
    return state
  }

  /** Sees to it that there is room for a state. */
  private reserve(bytes: i32): bool {
    const size = this.cache.length
    if (this.top + bytes <= size) return true
    if (bytes > MAX_CACHE - FIRST_STATE) return false
    if (size < MAX_CACHE) {
      let larger = size
      while (larger < MAX_CACHE && this.top + bytes > larger) larger <<= 1
      if (this.top + bytes <= larger) {
        const cache = new StaticArray<u8>(larger)
        memory.copy(changetype<usize>(cache), changetype<usize>(this.cache), this.top)
        this.cache = cache
        return true
      }
    }
    if (++this.flushes > MAX_FLUSHES) return false
    this.top = FIRST_STATE
    this.start = 0
    memory.fill(changetype<usize>(this.buckets), 0, BUCKETS << 2)
    return this.reserve(bytes)
  }
}

// @ts-ignore: decorator
@inline
function isWord(byte: i32): bool {
  return <u32>((byte | 0x20) - 0x61) < 26 || <u32>(byte - 0x30) < 10 || byte == 0x5f
}

// @ts-ignore: decorator
@inline
function isIn(sets: StaticArray<i32>, set: i32, byte: i32): bool {
  return ((unchecked(sets[(set << 3) + (byte >> 5)]) >> (byte & 31)) & 1) != 0
}
