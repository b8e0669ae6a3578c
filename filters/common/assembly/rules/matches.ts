/** The patterns that one value, or one of several, matched. Used again for every request, so that nothing is allocated. */
@final
export class Matches {
  /** Numbers of the patterns, each once; `count` of them are valid. */
  readonly ids: StaticArray<i32>
  count: i32 = 0
  /** By pattern: the value of `epoch` when it was matched last. */
  private stamps: StaticArray<u32>
  private epoch: u32 = 0

  /** For pattern numbers below `size`. */
  constructor(size: i32) {
    this.ids = new StaticArray<i32>(size)
    this.stamps = new StaticArray<u32>(size)
  }

  clear(): void {
    this.count = 0
    if (++this.epoch) return
    // The counter has come round: stamps of long ago must not count as new.
    memory.fill(changetype<usize>(this.stamps), 0, (<usize>this.stamps.length) << 2)
    this.epoch = 1
  }

  add(id: i32): void {
    if (unchecked(this.stamps[id]) == this.epoch) return
    unchecked((this.stamps[id] = this.epoch))
    unchecked((this.ids[this.count++] = id))
  }

  // @ts-ignore: decorator
  @inline
  has(id: i32): bool {
    return unchecked(this.stamps[id]) == this.epoch
  }
}
