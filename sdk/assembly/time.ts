import * as host from './abi/hostcalls'
import { slot } from './memory/bytes'

/** Nanoseconds since 1970. */
export function currentTime(): u64 {
  const out = changetype<usize>(slot())
  host.get_current_time_nanoseconds(out)
  return load<u64>(out)
}

/** Milliseconds since 1970. */
export function currentTimeMillis(): u64 {
  return currentTime() / 1_000_000
}
