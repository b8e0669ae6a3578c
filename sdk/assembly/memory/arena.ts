// The request arena: what the host hands over, and what the SDK encodes, during one call into the VM.
// It is emptied when the next call begins, so nothing in it outlives the callback that asked for it.
//
// ╒════════════ main block (static) ═══════════╕   ┌ overflow block ┐   ┌ overflow block ┐
// │ result │ result │ …          │ free        │ ─▶│ next │ bytes   │ ─▶│ next │ bytes   │   freed at reset
// ╘════════════════════════════════════════════╛   └────────────────┘   └────────────────┘

/** Bytes of the main block. A request's headers fit in it as a rule; larger results get overflow blocks. */
// @ts-ignore: decorator
@inline const ARENA_SIZE: usize = 16384

/** Envoy's limit for the memory of one VM: 1 GiB. */
// @ts-ignore: decorator
@inline const MAX_PAGES: usize = 16384

const base: usize = memory.data(16384, 16)
let top: usize = base
let overflow: usize = 0

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
  // TLSF traps when the memory can't grow, which would poison the VM: a size that can't be had is refused here.
  if (<usize>memory.size() + ((size + 0x1ffff) >> 16) > MAX_PAGES || size > 0x3fff0000) return 0
  const block = heap.alloc(size + 8)
  store<usize>(block, overflow)
  overflow = block
  return block + 8
}

/** Empties the arena. Everything that was taken from it becomes invalid. */
export function reset(): void {
  if (isDefined(MESHSCRIPT_DEBUG)) memory.fill(base, 0xdd, top - base)
  epoch++
  top = base
  while (overflow) {
    const next = load<usize>(overflow)
    heap.free(overflow)
    overflow = next
  }
}
