// The request arena: what the host hands over, and what the SDK encodes, during one call into the VM.
// It is emptied when the next call begins, so nothing in it outlives the callback that asked for it.
//
// ╒════════════ main block (static) ═══════════╕   ┌ overflow block ┐   ┌ overflow block ┐
// │ result │ result │ …          │ free        │ ─▶│ next │ bytes   │ ─▶│ next │ bytes   │   freed at reset
// ╘════════════════════════════════════════════╛   └────────────────┘   └────────────────┘
//
// Small results share an overflow block, the chunk.

import { noteChange } from '../entry_stamp'

/** Bytes of the main block. A request's headers fit in it as a rule; larger results get overflow blocks. */
// @ts-ignore: decorator
@inline const ARENA_SIZE: usize = 16384

/** Envoy's limit for the memory of one VM: 1 GiB. */
// @ts-ignore: decorator
@inline const MAX_PAGES: usize = 16384

const base: usize = memory.data(16384, 16)
let top: usize = base
let overflow: usize = 0

/** Bytes of a chunk, and what goes into one. */
// @ts-ignore: decorator
@inline const CHUNK_SIZE: usize = 16368
// @ts-ignore: decorator
@inline const SMALL: usize = 1024
/** What is free in the chunk. */
let chunkTop: usize = 0
let chunkEnd: usize = 0

/** Counts the calls into the VM; a `ByteString` of an earlier one is stale (checked in debug builds). */
export let epoch: u32 = 1

/** Takes `size` bytes, aligned to 8. Answers 0, which the host reports as an invalid memory access, when there is no such room. */
export function allocate(size: usize): usize {
  const start = top
  // Also false for sizes whose rounding would wrap around.
  if (size <= base + ARENA_SIZE - start) {
    top = start + ((size + 7) & ~7)
    return start
  }
  return allocateOverflow(size)
}

function allocateOverflow(size: usize): usize {
  if (size > SMALL) return allocateBlock(size)
  if (size > chunkEnd - chunkTop) {
    const chunk = allocateBlock(CHUNK_SIZE)
    if (!chunk) return 0
    chunkTop = chunk
    chunkEnd = chunk + CHUNK_SIZE
  }
  const start = chunkTop
  chunkTop = start + ((size + 7) & ~7)
  return start
}

function allocateBlock(size: usize): usize {
  // TLSF traps when the memory can't grow, which would poison the VM: a size that can't be had is refused here.
  if (<usize>memory.size() + ((size + 0x1ffff) >> 16) > MAX_PAGES || size > 0x3fff0000) return 0
  const block = heap.alloc(size + 8)
  store<usize>(block, overflow)
  store<usize>(block, size, 4)
  overflow = block
  return block + 8
}

/** Empties the arena. Everything that was taken from it becomes invalid. */
export function reset(): void {
  epoch++
  empty(base, 0)
  chunkTop = chunkEnd = 0
}

/** Remembers what is taken now, for `rewind`. Answers 0 when there is no room for that. */
export function mark(): usize {
  const markTop = top
  const markOverflow = overflow
  const markChunkTop = chunkTop
  const markChunkEnd = chunkEnd
  const at = allocate(16)
  if (!at) return 0
  store<usize>(at, markTop)
  store<usize>(at, markOverflow, 4)
  store<usize>(at, markChunkTop, 8)
  store<usize>(at, markChunkEnd, 12)
  return at
}

/** Gives back what was taken since `mark`, the mark as well: the last one is the first to be rewound. */
export function rewind(at: usize): void {
  const markChunkTop = load<usize>(at, 8)
  const markChunkEnd = load<usize>(at, 12)
  empty(load<usize>(at), load<usize>(at, 4))
  if (isDefined(MESHSCRIPT_DEBUG)) memory.fill(markChunkTop, 0xdd, markChunkEnd - markChunkTop)
  chunkTop = markChunkTop
  chunkEnd = markChunkEnd
  noteChange()
}

/** Empties the main block from `from` on, and frees the overflow blocks down to `block`. */
function empty(from: usize, block: usize): void {
  if (isDefined(MESHSCRIPT_DEBUG)) memory.fill(from, 0xdd, top - from)
  top = from
  while (overflow != block) {
    const next = load<usize>(overflow)
    if (isDefined(MESHSCRIPT_DEBUG)) memory.fill(overflow + 8, 0xdd, load<usize>(overflow, 4))
    heap.free(overflow)
    overflow = next
  }
}
