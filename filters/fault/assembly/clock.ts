import { ByteString, currentTime } from '@meshscript/sdk'

// @ts-ignore: decorator
@external('wasi_snapshot_preview1', 'clock_time_get')
declare function clock_time_get(id: u32, precision: u64, time: usize): u32

const MONOTONIC: u32 = 1
const time = memory.data(8, 8)

/** Milliseconds by a clock that nobody sets. */
export function monotonicTime(): f64 {
  const nanoseconds = clock_time_get(MONOTONIC, 1, time) ? currentTime() : load<u64>(time)
  return <f64>nanoseconds / 1e6
}

/** Milliseconds since 1970 of a time as RFC 3339 writes it, e.g. `2026-12-01T00:00:00Z`; -1 where the text is none. */
export function parseTime(text: ByteString): i64 {
  if (text.length < 20 || text.byteAt(4) != 0x2d || text.byteAt(7) != 0x2d || text.byteAt(10) != 0x54) return -1
  if (text.byteAt(13) != 0x3a || text.byteAt(16) != 0x3a) return -1
  const year = digits(text, 0, 4)
  const month = within(digits(text, 5, 2), 1, 12)
  const day = within(digits(text, 8, 2), 1, 31)
  const hour = within(digits(text, 11, 2), 0, 23)
  const minute = within(digits(text, 14, 2), 0, 59)
  const second = within(digits(text, 17, 2), 0, 59)
  if ((year | month | day | hour | minute | second) < 0) return -1
  let at = 19
  let fraction = 0
  if (text.byteAt(at) == 0x2e) {
    const start = ++at
    for (let scale = 100; <u32>(text.byteAt(at) - 0x30) < 10; at++) {
      fraction += (text.byteAt(at) - 0x30) * scale
      scale /= 10
    }
    if (at == start) return -1
  }
  const offset = offsetAt(text, at)
  if (offset == i32.MIN_VALUE) return -1
  const minutes = (daysBefore(year, month, day) * 24 + hour) * 60 + minute - offset
  // Before 1970 is as over as 1970.
  return max<i64>((minutes * 60 + second) * 1000 + fraction, 0)
}

/** Minutes east of Greenwich: `Z` or `+hh:mm` to the end of the text. `i32.MIN_VALUE` where there is neither. */
function offsetAt(text: ByteString, at: i32): i32 {
  const sign = text.byteAt(at)
  if (sign == 0x5a && text.length == at + 1) return 0
  if ((sign != 0x2b && sign != 0x2d) || text.length != at + 6 || text.byteAt(at + 3) != 0x3a) return i32.MIN_VALUE
  const hour = within(digits(text, at + 1, 2), 0, 23)
  const minute = within(digits(text, at + 4, 2), 0, 59)
  if ((hour | minute) < 0) return i32.MIN_VALUE
  const offset = hour * 60 + minute
  return sign == 0x2b ? offset : -offset
}

/** Days from 1970-01-01 to a day of the Gregorian calendar. The year begins in March here, so that leap days come last. */
function daysBefore(year: i32, month: i32, day: i32): i64 {
  const y = <i64>(month < 3 ? year - 1 : year) + 400
  const m = <i64>(month + 9) % 12
  const days = y * 365 + y / 4 - y / 100 + y / 400 + (m * 153 + 2) / 5 + day - 1
  return days - 719468 - 146097
}

/** -1 where one of them is none. */
function digits(text: ByteString, from: i32, count: i32): i32 {
  let value = 0
  for (let i = from; i < from + count; i++) {
    const digit = text.byteAt(i) - 0x30
    if (<u32>digit >= 10) return -1
    value = value * 10 + digit
  }
  return value
}

function within(value: i32, least: i32, most: i32): i32 {
  return value < least || value > most ? -1 : value
}
