import { epoch } from './memory/arena'

/** Changes of what hostcalls answer, since the VM was started. */
let changes: u32 = 0

/** Notes that what was read of the stream may no longer hold: a header was written, or hostcalls act on another stream. */
// @ts-ignore: decorator
@inline
export function noteChange(): void {
  changes++
}

/**
 * A number that is another one after every entry of the host into the VM, every write to a header map, and every
 * `becomeEffective()`. What was read of headers and properties still holds as long as it is the same: filters that share
 * a VM, as those of a bundle do, can share what they have read.
 */
export function entryStamp(): u32 {
  // Both only grow, so that no sum of theirs comes twice.
  return epoch + changes
}
