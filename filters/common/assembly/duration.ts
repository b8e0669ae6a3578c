import { ByteString, JsonValue } from '@meshscript/sdk'

/** A duration, as `1.5s`, `250ms` or `1h30m`, in milliseconds. With a default it may be missing. */
export function readDuration(json: JsonValue, fallback: f64 = NaN): f64 {
  if (!json.exists && !isNaN(fallback)) return fallback
  const milliseconds = parseDuration(json.byteString())
  if (milliseconds >= 0) return milliseconds
  json.fail('expected a duration, e.g. 1.5s, 250ms or 1h30m')
  return 0
}

/** Milliseconds; -1 where the text is no duration. */
export function parseDuration(text: ByteString): f64 {
  let total: f64 = 0
  let at = 0
  while (at < text.length) {
    let digits = 0
    let value: f64 = 0
    let scale: f64 = 0
    for (; at < text.length; at++) {
      const byte = text.byteAt(at)
      if (byte == 0x2e && !scale) scale = 1
      else if (<u32>(byte - 0x30) < 10) {
        value = value * 10 + <f64>(byte - 0x30)
        scale *= 10
        digits++
      } else break
    }
    const start = at
    while (at < text.length && isLetter(text.byteAt(at))) at++
    const unit = millisecondsOf(text.slice(start, at))
    if (!digits || !unit) return -1
    total += (value / max<f64>(scale, 1)) * unit
  }
  return text.length ? total : -1
}

function isLetter(byte: i32): bool {
  return byte != 0x2e && <u32>(byte - 0x30) >= 10
}

function millisecondsOf(unit: ByteString): f64 {
  if (unit.equals('ms')) return 1
  if (unit.equals('s')) return 1000
  if (unit.equals('m')) return 60_000
  if (unit.equals('h')) return 3_600_000
  if (unit.equals('us') || unit.equals('µs')) return 0.001
  return unit.equals('ns') ? 0.000001 : 0
}
