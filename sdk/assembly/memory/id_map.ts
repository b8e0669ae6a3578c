/** Something that the host knows by a number: a context or a call. */
export abstract class Identified {
  /** The ABI's number; 0 is never given to one. */
  id: u32 = 0
}

/** Bytes of a slot: id, reference. A slot without a reference is free. */
// @ts-ignore: decorator
@inline const SLOT: u32 = 8

/** Open addressing over ids. Unknown ids answer null: the host may name contexts and calls that are already gone. */
@final
export class IdMap {
  private slots: usize = newSlots(16 * SLOT)
  /** Number of slots (a power of two) less one, in bytes. */
  private mask: u32 = 15 * SLOT
  /** Number of entries. */
  used: u32 = 0

  get(id: u32): Identified | null {
    return load<Identified | null>(this.slots + this.find(id), 4)
  }

  /** Adds an entry whose `id` is set. The id must not be in the map. */
  add(entry: Identified): void {
    const size = this.mask + SLOT
    if ((this.used + 1) * 2 * SLOT > size) this.rebuild(size * 2)
    this.put(entry)
  }

  /** Keeps only the entries that answer true to `isAlive`. */
  retain(isAlive: (entry: Identified) => bool): void {
    this.rebuild(this.mask + SLOT, isAlive)
  }

  remove(id: u32): void {
    const mask = this.mask
    const slots = this.slots
    let hole = this.find(id)
    if (!load<usize>(slots + hole, 4)) return
    this.used--
    // Moves later entries of the run into the hole, so that lookups need no tombstones.
    let i = hole
    while (true) {
      i = (i + SLOT) & mask
      const entry = load<u64>(slots + i)
      if (!(entry >> 32)) break
      if (((i - <u32>entry * SLOT) & mask) >= ((i - hole) & mask)) {
        store<u64>(slots + hole, entry)
        hole = i
      }
    }
    store<u64>(slots + hole, 0)
  }

  /** Moves the entries to `size` bytes of new slots. */
  private rebuild(size: u32, isAlive: ((entry: Identified) => bool) | null = null): void {
    const old = this.slots
    const end = old + this.mask + SLOT
    this.slots = newSlots(size)
    this.mask = size - SLOT
    this.used = 0
    for (let at = old; at < end; at += SLOT) {
      const entry = load<Identified | null>(at, 4)
      if (entry && (!isAlive || isAlive(entry))) this.put(entry)
    }
    heap.free(old)
  }

  /** Offset of the slot that has the id, or of the free one where the search ends. */
  private find(id: u32): u32 {
    const mask = this.mask
    let i = (id * SLOT) & mask
    while (load<u32>(this.slots + i, 4) && load<u32>(this.slots + i) != id) i = (i + SLOT) & mask
    return i
  }

  private put(entry: Identified): void {
    this.used++
    const slot = this.slots + this.find(entry.id)
    store<u32>(slot, entry.id)
    store<usize>(slot, changetype<usize>(entry), 4)
  }

  /** Shows the collector the entries, which lie in unmanaged memory. */
  // @ts-ignore: decorator
  @unsafe
  private __visit(cookie: u32): void {
    for (let i: u32 = 0; i <= this.mask; i += SLOT) __visit(load<usize>(this.slots + i, 4), cookie)
  }
}

function newSlots(size: u32): usize {
  const slots = heap.alloc(size)
  memory.fill(slots, 0, size)
  return slots
}
