import { Writer } from '../export/writer'

const DAY: i64 = 86_400_000
/** Days from 0000-03-01, where years of this calculation begin, to 1970-01-01. */
const EPOCH: i64 = 719_468
/** Days of 400 years. */
const ERA: i64 = 146_097

/** `2026-11-23T17:58:01.042Z`, of milliseconds since 1970. */
export function writeTime(line: Writer, milliseconds: i64): void {
  const days = milliseconds / DAY + EPOCH
  const era = days / ERA
  const day = days - era * ERA
  // Leap days come at the end of such a year: they are taken out to count years.
  const year = (day - day / 1460 + day / 36_524 - day / (ERA - 1)) / 365
  const dayOfYear = day - (365 * year + year / 4 - year / 100)
  const month = (5 * dayOfYear + 2) / 153
  const dayOfMonth = dayOfYear - (153 * month + 2) / 5 + 1
  const isNext = month >= 10
  const rest = milliseconds % DAY
  line
    .digits(year + era * 400 + (isNext ? 1 : 0), 4)
    .byte(0x2d)
    .digits(isNext ? month - 9 : month + 3, 2)
    .byte(0x2d)
    .digits(dayOfMonth, 2)
    .byte(0x54)
    .digits(rest / 3_600_000, 2)
    .byte(0x3a)
    .digits((rest / 60_000) % 60, 2)
    .byte(0x3a)
    .digits((rest / 1000) % 60, 2)
    .byte(0x2e)
    .digits(rest % 1000, 3)
    .byte(0x5a)
}
