import { Limiter } from './limiter'

/** Into so many cells the window is divided. */
const CELLS: u32 = 128
/** Cells that are kept: those of the window, and the one that is being filled. */
const KEPT: u32 = CELLS + 1
const CELL_AT: usize = 16

/**
 * Counts requests in cells of a 128th of the window each. All of a cell count until its last moment is out of the window, so that in no stretch of that length
 * more pass than may; what a request has taken comes back at most a 128th of the window too late. The first cell begins with the first request, not on a grid that all share.
 * State: beginning of the cell that is being filled (u64), its number (u32), requests in all cells (u32), the cells (u16 each, or u32 where more may be in one).
 */
@final
export class SlidingWindow extends Limiter {
  /** Nanoseconds of a cell. */
  private length: u64
  private isWide: bool

  constructor(requests: f64, per: f64) {
    super(requests, per, stateSizeOf(requests))
    this.isWide = isWide(requests)
    this.length = (<u64>per + CELLS - 1) / CELLS
  }

  get capacity(): f64 {
    return this.requests
  }

  take(state: usize, now: u64, cost: f64): bool {
    this.advance(state, now)
    const count = load<u32>(state, 12)
    const room = <u32>this.requests - min(count, <u32>this.requests)
    if (<u32>cost > room) {
      this.left = <f64>room
      this.wait = this.waitFor(state, now, <u32>cost - room)
      return false
    }
    const number = load<u32>(state, 8) % KEPT
    this.setCell(state, number, this.cell(state, number) + <u32>cost)
    store<u32>(state, count + <u32>cost, 12)
    this.left = <f64>(room - <u32>cost)
    this.wait = <f64>this.length * <f64>KEPT
    return true
  }

  giveBack(state: usize, cost: f64): void {
    let left = <u32>cost
    let number = load<u32>(state, 8) % KEPT
    // Back from the cell that is being filled: meanwhile a new one may have begun.
    for (let i: u32 = 0; left && i < KEPT; i++) {
      const cell = this.cell(state, number)
      const part = min(left, cell)
      this.setCell(state, number, cell - part)
      store<u32>(state, load<u32>(state, 12) - part, 12)
      left -= part
      number = number ? number - 1 : KEPT - 1
    }
  }

  fullness(state: usize, now: u64): f64 {
    const begin = load<u64>(state)
    if (now > begin && now - begin >= this.length * KEPT) return 1
    return 1 - min(<f64>load<u32>(state, 12) / this.requests, 1)
  }

  /** Forgets the cells that are out of the window. */
  private advance(state: usize, now: u64): void {
    const begin = load<u64>(state)
    if (now < begin || now - begin < this.length) {
      if (!load<u32>(state, 12)) store<u64>(state, now)
      return
    }
    const passed = (now - begin) / this.length
    if (passed >= KEPT) {
      memory.fill(state, 0, this.stateSize)
      store<u64>(state, now)
      return
    }
    let number = load<u32>(state, 8) % KEPT
    let count = load<u32>(state, 12)
    for (let i: u64 = 0; i < passed; i++) {
      number = number + 1 == KEPT ? 0 : number + 1
      count -= min(count, this.cell(state, number))
      this.setCell(state, number, 0)
    }
    // With nothing in them, the cells may as well begin now.
    store<u64>(state, count ? begin + passed * this.length : now)
    store<u32>(state, number, 8)
    store<u32>(state, count, 12)
  }

  /** Nanoseconds until so many more may pass. */
  private waitFor(state: usize, now: u64, missing: u32): f64 {
    const number = load<u32>(state, 8) % KEPT
    let free: u32 = 0
    let cells: u32 = 1
    // From the oldest, which the next to be filled takes the place of.
    for (; cells < KEPT; cells++) {
      free += this.cell(state, (number + cells) % KEPT)
      if (free >= missing) break
    }
    return <f64>(load<u64>(state) + <u64>cells * this.length - now)
  }

  // @ts-ignore: decorator
  @inline
  private cell(state: usize, number: u32): u32 {
    const cells = state + CELL_AT
    return this.isWide ? load<u32>(cells + ((<usize>number) << 2)) : load<u16>(cells + ((<usize>number) << 1))
  }

  // @ts-ignore: decorator
  @inline
  private setCell(state: usize, number: u32, count: u32): void {
    const cells = state + CELL_AT
    if (this.isWide) store<u32>(cells + ((<usize>number) << 2), count)
    else store<u16>(cells + ((<usize>number) << 1), <u16>count)
  }
}

function isWide(requests: f64): bool {
  return requests > <f64>u16.MAX_VALUE
}

/** A multiple of 8. */
function stateSizeOf(requests: f64): i32 {
  const cells = <i32>KEPT * (isWide(requests) ? 4 : 2)
  return <i32>CELL_AT + ((cells + 7) & ~7)
}
