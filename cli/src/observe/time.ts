/** Times of flows: read, compared and written as Go does it, to the nanosecond. */

/** Nanoseconds since 1970. */
export type Timestamp = bigint

const NANOSECONDS: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1000n,
  µs: 1000n,
  μs: 1000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
}

const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat']
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** RFC 3339 with any fraction. */
export function parseTimestamp(text: string): Timestamp | undefined {
  return /T\d\d:\d\d:\d\d/.test(text) ? parseDate(text) : undefined
}

/** A date, its hour, minute or second, and its zone; a date alone is midnight in UTC. */
function parseDate(text: string): Timestamp | undefined {
  const form = /^(\d{4})-(\d\d)-(\d\d)(?:T(\d\d)(?::(\d\d)(?::(\d\d)(?:\.(\d{1,9})\d*)?)?)?(?:Z|([+-])(\d\d):(\d\d)))?$/
  const match = form.exec(text)
  if (!match) return undefined
  const [, year, month, day, hour = 0, minute = 0, second = 0, fraction = '', sign, hours, minutes] = match
  return assemble([year, month, day, hour, minute, second].map(Number), fraction, zone(sign, hours, minutes))
}

/** `Mon, 02 Jan 2006 15:04:05 -0700` */
function parseMailDate(text: string): Timestamp | undefined {
  const match = /^[A-Z][a-z]{2}, (\d\d) ([A-Z][a-z]{2}) (\d{4}) (\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)$/.exec(text)
  if (!match) return undefined
  const [, day, month, year, hour, minute, second, sign, hours, minutes] = match
  const numbers = [year, MONTHS.indexOf(month!) + 1, day, hour, minute, second].map(Number)
  return assemble(numbers, '', zone(sign, hours, minutes))
}

const zone = (sign = '+', hours = '0', minutes = '0') =>
  (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * 60_000

function assemble(numbers: number[], fraction: string, offset: number): Timestamp | undefined {
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = numbers
  const date = new Date(0)
  date.setUTCFullYear(year, month - 1, day)
  date.setUTCHours(hour, minute, second)
  // What is out of range has moved on.
  const same = date.getUTCMonth() === month - 1 && date.getUTCDate() === day
  if (!same || hour > 23 || minute > 59 || second > 59) return undefined
  return BigInt(date.getTime() - offset) * 1_000_000n + BigInt(fraction.padEnd(9, '0'))
}

/** `1h30m`, `-1.5s`, `300ms`, in nanoseconds. */
export function parseDuration(text: string): bigint | undefined {
  const [, sign, units] = /^([+-]?)(.*)$/s.exec(text)!
  if (units === '0') return 0n
  if (!/^((\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h))+$/.test(units!)) return undefined
  let sum = 0n
  for (const [, whole, fraction = '', unit] of units!.matchAll(/(\d*)(?:\.(\d*))?([a-zµμ]+)/g)) {
    const size = NANOSECONDS[unit!]!
    sum += BigInt(whole || 0) * size
    if (fraction) sum += (BigInt(fraction.slice(0, 18)) * size) / 10n ** BigInt(Math.min(fraction.length, 18))
  }
  return sign === '-' ? -sum : sum
}

/** What `--since` and `--until` take: a duration before now, or a date. */
export function parseMoment(text: string, now: Timestamp): Timestamp | undefined {
  const duration = parseDuration(text)
  return duration === undefined ? (parseDate(text) ?? parseMailDate(text)) : now - duration
}

const two = (number: number) => String(number).padStart(2, '0')

interface Parts {
  year: string
  month: number
  day: number
  weekday: number
  clock: string
  /** Of a second, nine digits. */
  fraction: string
}

const dateOf = ({ year, month, day }: Parts) => `${year}-${two(month + 1)}-${two(day)}`

/** At most so many digits, without zeros at the end. */
function fractionOf({ fraction }: Parts, digits: number): string {
  const rest = fraction.slice(0, digits).replace(/0+$/, '')
  return rest && `.${rest}`
}

const formats = {
  StampMilli: (at: Parts) => `${MONTHS[at.month]} ${String(at.day).padStart(2)} ${at.clock}.${at.fraction.slice(0, 3)}`,
  YearMonthDay: dateOf,
  YearMonthDayHour: (at: Parts) => `${dateOf(at)}T${at.clock.slice(0, 2)}Z`,
  YearMonthDayHourMinute: (at: Parts) => `${dateOf(at)}T${at.clock.slice(0, 5)}Z`,
  RFC3339: (at: Parts) => `${dateOf(at)}T${at.clock}Z`,
  RFC3339Milli: (at: Parts) => `${dateOf(at)}T${at.clock}${fractionOf(at, 3)}Z`,
  RFC3339Micro: (at: Parts) => `${dateOf(at)}T${at.clock}${fractionOf(at, 6)}Z`,
  RFC3339Nano: (at: Parts) => `${dateOf(at)}T${at.clock}${fractionOf(at, 9)}Z`,
  RFC1123Z: (at: Parts) => `${DAYS[at.weekday]}, ${two(at.day)} ${MONTHS[at.month]} ${at.year} ${at.clock} +0000`,
}

export type TimeFormat = keyof typeof formats

/** Names of the forms that times are written in. */
export const timeFormats = Object.keys(formats) as TimeFormat[]

/** In UTC, as Hubble writes them. */
export function formatTime(time: Timestamp | undefined, format: TimeFormat): string {
  if (time === undefined) return 'N/A'
  const fraction = ((time % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n
  const date = new Date(Number((time - fraction) / 1_000_000n))
  return formats[format]({
    year: String(date.getUTCFullYear()).padStart(4, '0'),
    month: date.getUTCMonth(),
    day: date.getUTCDate(),
    weekday: date.getUTCDay(),
    clock: [date.getUTCHours(), date.getUTCMinutes(), date.getUTCSeconds()].map(two).join(':'),
    fraction: String(fraction).padStart(9, '0'),
  })
}
