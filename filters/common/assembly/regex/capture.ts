// What the groups of one expression match, by a machine that follows all ways at once: time is linear in the text, and the ways are in the order in
// which a backtracking machine would try them, so that the first one is what Perl and RE2 find.

import { ByteString } from '@meshscript/sdk'
import { CaptureCompiler, Op, SIZE } from './capture_compiler'
import { Ints } from './ints'
import { Parser } from './parser'
import { Assertion } from './postfix_code'

/** An expression whose groups are asked for. */
@final
export class Capture {
  /** Where the match and its groups begin and end, twice for each; -1 where a group took no part. Valid after `find`. */
  readonly slots: StaticArray<i32>
  private code: Ints = new Ints(0)
  private ranges: StaticArray<i32> = new StaticArray<i32>(0)
  /** The ways up to here, the first one first: where each goes on, and by way its slots. */
  private current: Ways = new Ways(0, 0)
  private next: Ways = new Ways(0, 0)
  private slotsHere: StaticArray<i32>
  /** What is still to be followed: an instruction, or (below 0) a slot to be restored, and its value. */
  private stack: StaticArray<i32> = new StaticArray<i32>(0)
  /** By instruction: the step in which it was followed last. */
  private marks: StaticArray<u32> = new StaticArray<u32>(0)
  private step: u32 = 0
  private text: ByteString = ByteString.empty

  /** `groups`: the last group that is asked for. */
  constructor(groups: i32) {
    this.slots = new StaticArray<i32>((groups + 1) * 2)
    this.slotsHere = new StaticArray<i32>((groups + 1) * 2)
  }

  /** Takes over what was parsed with `keepsGroups`. False when it is too large. */
  compile(parser: Parser): bool {
    const compiler = new CaptureCompiler(parser)
    if (!compiler.compile()) return false
    this.code = compiler.code
    this.ranges = StaticArray.slice(parser.classes.ranges.data, 0, parser.classes.ranges.length)
    const count = this.code.length / SIZE
    this.current = new Ways(count, this.slots.length)
    this.next = new Ways(count, this.slots.length)
    this.stack = new StaticArray<i32>(count * 4)
    this.marks = new StaticArray<u32>(count)
    return true
  }

  /** Looks for the first match that does not begin before `from`. */
  find(text: ByteString, from: i32): bool {
    this.text = text
    let isFound = false
    let current = this.current
    let next = this.next
    current.count = 0
    for (let at = from; ;) {
      if (!isFound) {
        // A way that begins here comes behind those that began before.
        if (!current.count) this.step++
        memory.fill(changetype<usize>(this.slotsHere), 0xff, (<usize>this.slotsHere.length) << 2)
        this.follow(current, 0, at)
      }
      if (isFound && !current.count) break
      const rune = runeAt(text, at)
      const size = runeSize
      next.count = 0
      this.step++
      for (let way = 0; way < current.count; way++) {
        const pc = current.at(way)
        const op = this.code.at(pc * SIZE)
        if (op == Op.Match) {
          current.copySlots(way, this.slots)
          isFound = true
          // Those behind would only be tried without this one.
          break
        }
        if (at >= text.length || !this.takes(pc, op, rune)) continue
        current.copySlots(way, this.slotsHere)
        // A byte of a longer character, where `\C` takes it.
        this.follow(next, pc + 1, at + (op == Op.Byte ? 1 : size))
      }
      const swap = current
      current = next
      next = swap
      if (at >= text.length) break
      at += size
    }
    this.current = current
    this.next = next
    return isFound
  }

  private takes(pc: i32, op: i32, rune: i32): bool {
    const a = this.code.at(pc * SIZE + 1)
    if (op == Op.Rune) return rune == a
    // Only in ASCII are bytes characters.
    if (op == Op.Byte) return <u32>rune < 0x80
    const end = a + this.code.at(pc * SIZE + 2) * 2
    for (let i = a; i < end; i += 2) {
      if (rune >= unchecked(this.ranges[i]) && rune <= unchecked(this.ranges[i + 1])) return true
    }
    return false
  }

  /** Adds the ways that lead on from an instruction without taking anything. Their slots are in `slotsHere`. */
  private follow(ways: Ways, from: i32, at: i32): void {
    const code = this.code
    const stack = this.stack
    const slots = this.slotsHere
    let depth = 0
    let pc = from
    for (;;) {
      if (unchecked(this.marks[pc]) != this.step) {
        unchecked((this.marks[pc] = this.step))
        const op = code.at(pc * SIZE)
        const a = code.at(pc * SIZE + 1)
        if (op == Op.Jump) {
          pc = a
          continue
        }
        if (op == Op.Split) {
          unchecked((stack[depth++] = 0))
          unchecked((stack[depth++] = code.at(pc * SIZE + 2)))
          pc = a
          continue
        }
        if (op == Op.Save) {
          if (a < slots.length) {
            unchecked((stack[depth++] = unchecked(slots[a])))
            unchecked((stack[depth++] = -1 - a))
            unchecked((slots[a] = at))
          }
          pc++
          continue
        }
        if (op == Op.Assert) {
          if (this.holds(a, at)) {
            pc++
            continue
          }
        } else ways.add(pc, slots)
      }
      // Back to the last branch.
      let found = false
      while (depth && !found) {
        const top = unchecked(stack[--depth])
        const value = unchecked(stack[--depth])
        if (top >= 0) {
          pc = top
          found = true
        } else unchecked((slots[-1 - top] = value))
      }
      if (!found) return
    }
  }

  private holds(assertion: i32, at: i32): bool {
    const text = this.text
    const before = at > 0 ? text.byteAt(at - 1) : -1
    const after = text.byteAt(at)
    if (assertion == Assertion.BeginText) return at == 0
    if (assertion == Assertion.EndText) return at == text.length
    if (assertion == Assertion.BeginLine) return at == 0 || before == 0x0a
    if (assertion == Assertion.EndLine) return at == text.length || after == 0x0a
    return (isWord(before) != isWord(after)) == (assertion == Assertion.WordBoundary)
  }
}

/** Ways through an expression, with the slots of each. */
@final
class Ways {
  count: i32 = 0
  private places: StaticArray<i32>
  private slots: StaticArray<i32>

  constructor(
    most: i32,
    private width: i32,
  ) {
    this.places = new StaticArray<i32>(most)
    this.slots = new StaticArray<i32>(most * width)
  }

  at(way: i32): i32 {
    return unchecked(this.places[way])
  }

  add(place: i32, slots: StaticArray<i32>): void {
    const to = changetype<usize>(this.slots) + ((<usize>(this.count * this.width)) << 2)
    memory.copy(to, changetype<usize>(slots), (<usize>this.width) << 2)
    unchecked((this.places[this.count++] = place))
  }

  copySlots(way: i32, to: StaticArray<i32>): void {
    const from = changetype<usize>(this.slots) + ((<usize>(way * this.width)) << 2)
    memory.copy(changetype<usize>(to), from, (<usize>this.width) << 2)
  }
}

/** Bytes of the code point that `runeAt` has read. */
let runeSize: i32 = 1

/** The code point that begins there; -1, which no class has, at the end and where there is none. */
function runeAt(text: ByteString, at: i32): i32 {
  runeSize = 1
  const first = text.byteAt(at)
  if (first < 0x80) return first
  const more = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : 1
  if (first < 0xc2 || first > 0xf4) return -1
  let rune = first & (0x3f >> more)
  for (let i = 1; i <= more; i++) {
    const next = text.byteAt(at + i)
    if (next < 0 || (next & 0xc0) != 0x80) return -1
    rune = (rune << 6) | (next & 0x3f)
  }
  if (rune < (more == 1 ? 0x80 : more == 2 ? 0x800 : 0x10000) || rune > 0x10ffff) return -1
  if (rune >= 0xd800 && rune < 0xe000) return -1
  runeSize = more + 1
  return rune
}

function isWord(byte: i32): bool {
  return <u32>((byte | 0x20) - 0x61) < 26 || <u32>(byte - 0x30) < 10 || byte == 0x5f
}
