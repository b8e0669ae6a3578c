// Garbage is collected at the entry of a callback only, where the Wasm stack is empty: `--runtime minimal` keeps no shadow
// stack, so a collection in the middle of a callback would free what its locals still hold.

/** A collection costs time in proportion to what is live, so one is due only after as much again was allocated. */
let limit: usize = 131072

/** Collects when enough was allocated since the last time. Call it at the entry of an export, never elsewhere. */
// @ts-ignore: decorator
@inline
export function collectIfDue(): void {
  // The build adds `__managed_bytes` to the runtime: what the managed heap holds, garbage included.
  if (isDefined(__managed_bytes)) {
    if (__managed_bytes() > limit) collect()
  }
}

/** Collects where that is not nothing at all: before a configuration, which may be large, joins what is left of earlier ones. */
export function collectNow(): void {
  if (isDefined(__managed_bytes)) {
    if (__managed_bytes() > 131072) collect()
  }
}

function collect(): void {
  __collect()
  if (isDefined(__managed_bytes)) limit = max(<usize>131072, __managed_bytes() * 2)
}
