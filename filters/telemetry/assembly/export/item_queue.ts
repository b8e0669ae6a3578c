import { ByteString } from '@meshscript/sdk'

const FIRST_CAPACITY: usize = 16_384

/** Items that wait, one behind the other in one block of memory that grows up to a limit. */
@final
export class ItemQueue {
  private lengths: StaticArray<u32>
  /** Place of the first item's length. */
  private first: i32 = 0
  count: i32 = 0
  private block: StaticArray<u8> = new StaticArray<u8>(0)
  private start: usize = 0
  private used: usize = 0

  constructor(
    private maxItems: i32,
    private maxBytes: usize,
  ) {
    this.lengths = new StaticArray<u32>(maxItems)
  }

  /** Adds an item; false where there is no room. */
  add(item: ByteString): bool {
    const length = <usize>item.length
    if (this.count == this.maxItems || length > this.maxBytes - this.used) return false
    this.makeRoom(length)
    memory.copy(this.address + this.used, item.ptr, length)
    this.used += length
    let place = this.first + this.count
    if (place >= this.maxItems) place -= this.maxItems
    unchecked((this.lengths[place] = <u32>length))
    this.count++
    return true
  }

  /** The first `count` items as they lie there, valid until something is added or removed. */
  front(count: i32): ByteString {
    return ByteString.at(this.address, <i32>this.lengthOf(count))
  }

  /** Removes the first `count` items. */
  remove(count: i32): void {
    const length = this.lengthOf(count)
    this.start += length
    this.used -= length
    this.count -= count
    this.first += count
    if (this.first >= this.maxItems) this.first -= this.maxItems
    if (!this.used) this.start = 0
  }

  private lengthOf(count: i32): usize {
    let length: usize = 0
    let place = this.first
    for (let i = 0; i < count; i++) {
      length += unchecked(this.lengths[place])
      if (++place == this.maxItems) place = 0
    }
    return length
  }

  private makeRoom(length: usize): void {
    const capacity = <usize>this.block.length
    const needed = this.used + length
    if (this.start + needed <= capacity) return
    if (needed > capacity) {
      let larger = max(capacity, FIRST_CAPACITY)
      while (larger < needed) larger *= 2
      const block = new StaticArray<u8>(<i32>larger)
      memory.copy(changetype<usize>(block), this.address, this.used)
      this.block = block
    } else memory.copy(changetype<usize>(this.block), this.address, this.used)
    this.start = 0
  }

  private get address(): usize {
    return changetype<usize>(this.block) + this.start
  }
}
