import { currentTime } from '@meshscript/sdk'

// @ts-ignore: decorator
@external('wasi_snapshot_preview1', 'clock_time_get')
declare function clock_time_get(id: u32, precision: u64, time: usize): u32

const MONOTONIC: u32 = 1
const time = memory.data(8, 8)

/** Nanoseconds by a clock that nobody sets, the same for all workers of the process. */
export function monotonicNanoseconds(): u64 {
  return clock_time_get(MONOTONIC, 1, time) ? currentTime() : load<u64>(time)
}
