/** Documents made from a seed: valid ones in every spelling, and ones with a few bytes damaged. */

/** A small generator of random numbers (mulberry32), so that a failure can be repeated. */
export class Random {
  constructor(private state: number) {}

  /** An integer from 0 to before `limit`. */
  below(limit: number): number {
    this.state = (this.state + 0x6d2b79f5) | 0
    let t = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 0x100000000) * limit)
  }

  pick<T>(values: readonly T[]): T {
    return values[this.below(values.length)]!
  }
}

const NAMES = ['a', 'b', 'path', 'rules', 'x-user', '', 'ä', 'a"b', '\n', '__proto__', '1', '😀']
const PIECES = ['a', 'Z', ' ', '0', '/', 'ß', '€', '😀', '\u0000', '\u001f', '\u007f', '\ud7ff', '\ue000', '"', '\\']
/** What damage is made of: everything that means something in JSON or UTF-8. */
const BYTES = [...Buffer.from('{}[]:,"\\ \n\tu0129eE+-.truefalsn/x'), 0, 0x1f, 0x7f, 0x80, 0xbf, 0xc0, 0xc3, 0xe2, 0xed]
BYTES.push(0xef, 0xf0, 0xf4, 0xff)

export function makeDocument(random: Random): Uint8Array {
  const valid = Buffer.from(blank(random) + value(random, 0) + blank(random))
  return random.below(2) ? valid : damage(random, valid)
}

function value(random: Random, depth: number): string {
  switch (random.below(depth > 4 ? 5 : 8)) {
    case 0:
      return random.pick(['null', 'true', 'false'])
    case 1:
    case 2:
      return number(random)
    case 3:
    case 4:
      return string(random, text(random))
    case 5:
      return bracketed(random, '[', ']', () => value(random, depth + 1))
    case 6:
      return bracketed(random, '{', '}', () => {
        const name = string(random, random.below(3) ? random.pick(NAMES) + random.below(50) : random.pick(NAMES))
        return `${name}${blank(random)}:${blank(random)}${value(random, depth + 1)}`
      })
    default: {
      const levels = random.below(4) ? random.below(8) : random.below(80)
      return '['.repeat(levels) + value(random, depth + 1) + ']'.repeat(levels)
    }
  }
}

function bracketed(random: Random, open: string, close: string, item: () => string): string {
  const items = Array.from({ length: random.below(7) }, () => blank(random) + item() + blank(random))
  return `${open}${items.join(',')}${items.length ? '' : blank(random)}${close}`
}

function blank(random: Random): string {
  return random.below(4) ? '' : random.pick([' ', '\n', '\r\n', '\t', '  '])
}

function digits(random: Random, count: number): string {
  return Array.from({ length: count }, () => random.below(10)).join('')
}

function number(random: Random): string {
  const sign = random.pick(['', '', '-'])
  const whole = random.below(3)
    ? String(random.below(1000))
    : `${1 + random.below(9)}${digits(random, random.below(24))}`
  const fraction = random.below(2) ? `.${digits(random, 1 + random.below(random.below(8) ? 6 : 40))}` : ''
  const size = random.pick([3, 30, 330])
  const exponent = random.below(3)
    ? ''
    : `${random.pick(['e', 'E'])}${random.pick(['', '+', '-'])}${random.below(size)}`
  return sign + whole + fraction + exponent
}

function text(random: Random): string {
  return Array.from({ length: random.below(10) }, () => random.pick(PIECES)).join('')
}

/** A string with some characters escaped that need not be, and at times half of a surrogate pair. */
function string(random: Random, text: string): string {
  let quoted = ''
  for (const unit of JSON.stringify(text)
    .slice(1, -1)
    .match(/\\u....|\\.|./gsu) ?? []) {
    if (unit.startsWith('\\') || random.below(6)) quoted += unit
    else quoted += [...Array(unit.length).keys()].map((i) => escape(random, unit.charCodeAt(i))).join('')
  }
  return `"${quoted}${random.below(60) ? '' : random.pick(['\\ud800', '\\udc00', '\\uDFFFx'])}"`
}

function escape(random: Random, code: number): string {
  const hex = code.toString(16).padStart(4, '0')
  return `\\u${random.below(2) ? hex : hex.toUpperCase()}`
}

/** Changes one to three places. */
export function damage(random: Random, valid: Uint8Array): Uint8Array {
  const bytes = [...valid]
  for (let i = 1 + random.below(3); i--;) {
    const at = random.below(bytes.length + 1)
    switch (random.below(5)) {
      case 0:
        bytes.splice(at, 1 + random.below(3))
        break
      case 1:
        bytes.splice(at, 0, random.pick(BYTES))
        break
      case 2:
        bytes.splice(at, 1, random.pick(BYTES))
        break
      case 3:
        bytes.splice(at, 0, ...bytes.slice(random.below(bytes.length), random.below(bytes.length)))
        break
      default:
        bytes.length = Math.min(bytes.length, at)
    }
  }
  return Uint8Array.from(bytes)
}
