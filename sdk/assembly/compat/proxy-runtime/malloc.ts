/** Envoy's limit for the memory of one VM: 1 GiB. */
// @ts-ignore: decorator
@inline const MAX_PAGES: u32 = 16384

/**
 * Where the host puts what a hostcall returns: an ArrayBuffer, as in the old package, so that filters which take it by
 * `changetype<ArrayBuffer>` may go on doing so. Nobody has to free it: it is garbage once nothing refers to it, and garbage
 * is collected between callbacks only. Answers 0 for a size that can't be had, where growing the memory would trap.
 */
export function malloc(size: i32): usize {
  if (size < 0 || <u32>memory.size() + ((<u32>size + 0x1ffff) >> 16) > MAX_PAGES) return 0
  return changetype<usize>(new ArrayBuffer(size))
}

/** Nothing to do: see `malloc`. */
export function free(ptr: usize): void {}
