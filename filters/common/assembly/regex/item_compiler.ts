import { Ints } from './ints'
import { Parser } from './parser'
import { Item, STRIDE } from './postfix_code'
import { Op, Program } from './program'
import { Utf8Compiler } from './utf8'

/** Makes instructions of an item and all that it consists of. */
@final
export class ItemCompiler {
  private utf8: Utf8Compiler = new Utf8Compiler()
  /** What is being compiled: item, and what its kind needs. */
  private frames: Ints = new Ints(256)

  constructor(private program: Program) {}

  /** Compiles an item that is followed by `next`; answers where it begins. */
  compile(parser: Parser, item: i32, next: i32): i32 {
    const program = this.program
    const items = parser.items
    const frames = this.frames
    frames.length = 0
    let at = item
    while (!program.full) {
      let start = next
      const a = items.at(at + 1)
      const b = items.at(at + 2)
      switch (items.at(at)) {
        case Item.Empty:
          break
        case Item.Rune:
          start = this.utf8.rune(program, a, next)
          break
        case Item.Class:
          start = this.utf8.ranges(program, parser.classes.ranges, a, b, next)
          break
        case Item.AnyByte:
          start = program.bytes(0, 0xff, next)
          break
        case Item.Assertion:
          start = program.assert(a, next)
          break
        case Item.Repetition:
          if (b == 0) break
          this.pushFrame(at, 0, next, next)
          at -= STRIDE
          next = this.beginRound(items)
          continue
        default:
          // Operands that are left, what comes next, what was made so far.
          this.pushFrame(at, a, next, 0)
          at -= STRIDE
          continue
      }
      // `start` is where `at` begins: tell what it is part of.
      for (;;) {
        if (!frames.length) return start
        const frame = frames.length - 4
        const parent = frames.at(frame)
        const kind = items.at(parent)
        if (kind == Item.Repetition) {
          if (!this.endRound(items, frame, start)) {
            at = parent - STRIDE
            next = this.beginRound(items)
            break
          }
          start = frames.at(frame + 3)
          frames.length = frame
          at = parent
          continue
        }
        const left = frames.at(frame + 1) - 1
        if (kind == Item.Alternation) {
          const made = frames.at(frame + 3)
          start = made ? program.split(start, made) : start
        }
        if (left) {
          frames.set(frame + 1, left)
          next = kind == Item.Alternation ? frames.at(frame + 2) : start
          frames.set(frame + 3, start)
          at = items.at(at + 3) - STRIDE
          break
        }
        frames.length = frame
        at = parent
      }
    }
    return 0
  }

  private pushFrame(item: i32, count: i32, next: i32, made: i32): void {
    this.frames.push(item)
    this.frames.push(count)
    this.frames.push(next)
    this.frames.push(made)
  }

  /** Begins one more copy of what is repeated; answers what comes after it. x{2,4} is x x (x (x)?)?, and x{2,} is x x+. */
  private beginRound(items: Ints): i32 {
    const frames = this.frames
    const frame = frames.length - 4
    const parent = frames.at(frame)
    // The last copy of an endless one comes back to a branch that is made first.
    if (items.at(parent + 2) < 0 && frames.at(frame + 1) == 0) {
      frames.set(frame + 3, this.program.add(Op.Split | (frames.at(frame + 2) << 8), 0))
    }
    return frames.at(frame + 3)
  }

  /** Takes the copy that begins at `start`. Answers whether it was the last. */
  private endRound(items: Ints, frame: i32, start: i32): bool {
    const frames = this.frames
    const parent = frames.at(frame)
    const least = items.at(parent + 1)
    const most = items.at(parent + 2)
    const round = frames.at(frame + 1)
    frames.set(frame + 1, round + 1)
    if (most < 0) {
      if (round == 0) {
        const split = frames.at(frame + 3)
        this.program.setOut(split, start)
        // x* may be left out; x+ begins with x.
        frames.set(frame + 3, least ? start : split)
      } else frames.set(frame + 3, start)
      return round + 1 >= max(least, 1)
    }
    frames.set(frame + 3, round < most - least ? this.program.split(start, frames.at(frame + 2)) : start)
    return round + 1 == most
  }
}
