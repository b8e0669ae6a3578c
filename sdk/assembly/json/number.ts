// Decimal text to numbers, exactly. The text is known to be a JSON number.

/** What `toInteger` made of its last number. */
export enum Fault {
  None,
  NotAnInteger,
  TooLarge,
  TooSmall,
}
export let fault: Fault = Fault.None

/** Where the digits end: at the `e`, or at the end. */
let digitsEnd: usize = 0
/** The number is its digits, taken as an integer, times ten to this. */
let exponent: i64 = 0

/** Finds where the digits end and what they are to be multiplied with. `at` is behind the sign. */
function scan(at: usize, end: usize): void {
  let fraction: i64 = 0
  let isFraction = false
  exponent = 0
  for (; at < end && load<u8>(at) <= 0x39; at++) {
    if (isFraction) fraction++
    else if (load<u8>(at) == 0x2e) isFraction = true
  }
  digitsEnd = at
  if (at < end) {
    const sign = load<u8>(++at)
    if (sign < 0x30) at++
    for (; at < end; at++) {
      // Larger than any document is long, so that digits can't make up for it.
      if (exponent < 1 << 40) exponent = exponent * 10 + load<u8>(at) - 0x30
    }
    if (sign == 0x2d) exponent = -exponent
  }
  exponent -= fraction
}

/** The exact value, if it is an integer (`1e3` and `1.0` are) of 64 bits; else `fault` says what is wrong. */
export function toInteger(at: usize, end: usize): i64 {
  const isNegative = load<u8>(at) == 0x2d
  if (isNegative) at++
  scan(at, end)
  const most = <u64>i64.MAX_VALUE + u64(isNegative)
  let value: u64 = 0
  let isOver = false
  // The last ones of `count` digits are the fraction, if the exponent is negative.
  let count: i64 = 0
  for (let i = at; i < digitsEnd; i++) count += i64(load<u8>(i) != 0x2e)
  let whole = count + exponent
  for (; at < digitsEnd; at++) {
    const digit = <u64>load<u8>(at) - 0x30
    if (digit > 9) continue
    if (whole-- > 0) {
      if (value > (most - digit) / 10) isOver = true
      else value = value * 10 + digit
    } else if (digit) {
      fault = Fault.NotAnInteger
      return 0
    }
  }
  for (; whole > 0 && value && !isOver; whole--) {
    if (value > most / 10) isOver = true
    else value *= 10
  }
  fault = !isOver ? Fault.None : isNegative ? Fault.TooSmall : Fault.TooLarge
  return isNegative ? -value : value
}

// Large integers: 32-bit limbs, the lowest first. Two zeros below make room for taking the top 96 bits of a short one.
// 800 digits are 84 limbs; dividing adds 26, and a carry one.

// @ts-ignore: decorator
@inline const MAX_DIGITS: i32 = 800
// @ts-ignore: decorator
@inline const SHIFT: usize = 26
const limbs: usize = memory.data(464, 8) + 8
let size: usize = 0
/** A part below the limbs was dropped. */
let isInexact: bool = false

/**
 * The nearest double, ties to even: what `JSON.parse` gives for every number. Infinity where it is too large.
 *
 * Digits become a large integer, which is multiplied or divided by powers of five; powers of two go to the exponent.
 */
export function toNumber(at: usize, end: usize): f64 {
  const isNegative = load<u8>(at) == 0x2d
  if (isNegative) at++
  scan(at, end)
  size = 0
  isInexact = false
  let count = 0
  for (; at < digitsEnd; at++) {
    const digit = <u32>load<u8>(at) - 0x30
    if (digit > 9) continue
    if (count < MAX_DIGITS) {
      multiply(10, digit)
      if (size) count++
    } else {
      // A double and the middle between two have fewer digits: of further ones only matters whether there are any.
      exponent++
      if (digit) isInexact = true
    }
  }
  let value = Infinity
  const magnitude = exponent + count
  if (!size || magnitude < -330) value = 0
  else if (magnitude < 311) {
    let binary = <i32>exponent
    if (exponent < 0) {
      memory.copy(limbs + SHIFT * 4, limbs, size * 4)
      memory.fill(limbs, 0, SHIFT * 4)
      size += SHIFT
      binary -= <i32>SHIFT * 32
    }
    for (; exponent > 0; exponent--) multiply(5, 0)
    for (; exponent < 0; exponent++) divideBy5()
    value = round(binary)
  }
  return isNegative ? -value : value
}

function multiply(factor: u64, carry: u64): void {
  for (let i: usize = 0; i < size; i++) {
    carry += factor * load<u32>(limbs + i * 4)
    store<u32>(limbs + i * 4, <u32>carry)
    carry >>= 32
  }
  if (carry) store<u32>(limbs + size++ * 4, <u32>carry)
}

function divideBy5(): void {
  let rest: u64 = 0
  for (let i = size; i--;) {
    rest = (rest << 32) | load<u32>(limbs + i * 4)
    store<u32>(limbs + i * 4, <u32>(rest / 5))
    rest %= 5
  }
  if (rest) isInexact = true
  if (!load<u32>(limbs + size * 4 - 4)) size--
}

/** The limbs times two to `binary`, rounded to a double. */
function round(binary: i32): f64 {
  const top = limbs + size * 4 - 4
  // The top 64 bits, the highest of them set.
  const zeros = clz(load<u32>(top))
  const low = (<u64>load<u32>(top - 8)) << zeros
  const bits = (load<u64>(top - 4) << zeros) | (low >> 32)
  if (<u32>low) isInexact = true
  for (let at = limbs; at < top - 8 && !isInexact; at += 4) isInexact = load<u32>(at) != 0
  binary += <i32>size * 32 - <i32>zeros
  // How many of them the double has room for; fewer when it is subnormal.
  const keep = min(53, binary + 1074)
  if (keep < 0) return 0
  let mantissa = keep ? bits >> (64 - keep) : 0
  const rest = bits << keep
  if (rest > 1 << 63 || (rest == 1 << 63 && (isInexact || mantissa & 1))) mantissa++
  binary -= keep
  if (binary > 971) return Infinity
  const factor: u64 = binary < -1022 ? 1 << (binary + 1074) : (<u64>(binary + 1023)) << 52
  return <f64>mantissa * reinterpret<f64>(factor)
}
