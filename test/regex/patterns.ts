/** Patterns and texts made from a seed. */

import type { Random } from '../json/documents.ts'

export interface Pattern {
  /** Latin1: a byte per character, since not every pattern is valid UTF-8. */
  text: string
  /** The same, as older versions of RE2 want it. */
  old: string
  /** Makes a text that the pattern matches, most times. */
  sample: (random: Random) => string
}

const utf8 = (text: string) => Buffer.from(text).toString('latin1')

/** Characters that were in Unicode long ago, in all lengths of UTF-8, with those whose case is peculiar. */
const CHARACTERS = [
  ...'aAbBkKsSzZ09_-./ \n\t',
  'é',
  'É',
  'ß',
  'ſ',
  'K',
  'σ',
  'ς',
  'Σ',
  'я',
  'Ω',
  'Ω',
  'ǆ',
  'ǅ',
  'Ǆ',
  '中',
  'ｱ',
  '€',
  '٣',
]
CHARACTERS.push(
  '𝒳',
  '😀',
  '\u{10ffff}',
  '\u0000',
  '\u007f',
  '\u0080',
  '\u07ff',
  '\u0800',
  '\uffff',
  '\ufffd',
  '\u0345',
  'ι',
  'Ა',
  'ა',
  'Å',
  'å',
)
const COMMON = [...'aabbcx/0']
const PERL = ['\\d', '\\D', '\\s', '\\S', '\\w', '\\W']
const CLASSES = ['\\pL', '\\PL', '\\pN', '\\p{Lu}', '\\P{Lu}', '\\p{^Lu}', '\\p{Ll}', '\\p{Lt}', '\\pM']
CLASSES.push(
  '\\p{Greek}',
  '\\P{Greek}',
  '\\p{Han}',
  '\\p{Latin}',
  '\\p{Cyrillic}',
  '\\p{Any}',
  '\\P{Any}',
  '\\pP',
  '\\p{Sm}',
  '\\pZ',
  '\\p{Nd}',
  '\\p{Common}',
)
CLASSES.push(
  '\\p{Inherited}',
  '\\pS',
  '\\p{Katakana}',
  '\\p{Zs}',
  '\\p{Cc}',
  '\\p{Co}',
  '\\p{Cs}',
  '\\p{Lo}',
  '\\p{Lm}',
)
const POSIX = [
  'alnum',
  'alpha',
  'ascii',
  'blank',
  'cntrl',
  'digit',
  'graph',
  'lower',
  'print',
  'punct',
  'space',
  'upper',
  'word',
  'xdigit',
]
/** What damage is made of. */
const TOKENS = [
  ...'()[]{}|*+?^$.\\-,:=!<>&',
  '(?',
  '(?:',
  '(?i)',
  '(?s)',
  '(?m)',
  '(?U)',
  '(?-i)',
  '(?i-s:',
  '(?P<n>',
  '(?P<',
  '(?P=n)',
  '(?=',
  '(?<!',
  '(?#',
]
TOKENS.push(
  '\\b',
  '\\B',
  '\\A',
  '\\z',
  '\\Z',
  '\\G',
  '\\C',
  '\\Q',
  '\\E',
  '\\1',
  '\\07',
  '\\x41',
  '\\x{263a}',
  '\\x{110000}',
  '\\x',
  '\\p',
  '\\pX',
  '\\p{',
  '\\k<n>',
  '\\8',
)
TOKENS.push(
  '{2}',
  '{0}',
  '{1,}',
  '{2,1}',
  '{1001}',
  '{1000}',
  '{,2}',
  '{01}',
  '[^',
  '[]',
  '[:alpha:]',
  '[[:alpha:]]',
  '[[:^digit:]]',
  '[[:foo:]]',
  '[a-',
  '*?',
  '+?',
  '??',
  '**',
  '\xff',
  '\xc3',
  'a',
  'b',
  'é',
)
TOKENS.push(
  ...PERL,
  ...CLASSES,
  '\\_',
  '\\a',
  '\\e',
  '\\h',
  '\\R',
  '\\X',
  '\\u0041',
  '(?i',
  '(?)',
  '(?-)',
  '(?i-)',
  '(?^)',
  '(?P<1>',
  '(?P<é>',
  '(?P<->',
)

export function makePattern(random: Random): Pattern {
  const pattern = random.below(8) ? alternation(random, 0) : soup(random)
  return random.below(5) ? pattern : damage(random, pattern)
}

/** A text for one of `patterns`. */
export function makeText(random: Random, patterns: readonly Pattern[]): Uint8Array {
  let text = random.below(10) ? random.pick(patterns).sample(random) : characters(random, random.below(12))
  for (let i = random.below(3) ? 0 : 1 + random.below(2); i--;) {
    const at = random.below(text.length + 1)
    const what = random.below(4)
    if (what === 0) text = text.slice(0, at) + text.slice(at + 1)
    else if (what === 1) text = text.slice(0, at) + characters(random, 1) + text.slice(at)
    else if (what === 2)
      text = text.slice(0, at) + String.fromCharCode(random.below(256)) + text.slice(at + random.below(2))
    else text += text.slice(at)
  }
  return Buffer.from(text.slice(0, 300), 'latin1')
}

function characters(random: Random, count: number): string {
  return Array.from({ length: count }, () => character(random)).join('')
}

function character(random: Random): string {
  return utf8(random.below(3) ? random.pick(COMMON) : random.pick(CHARACTERS))
}

function of(text: string, sample: Pattern['sample'], old = text): Pattern {
  return { text, old, sample }
}

function alternation(random: Random, depth: number): Pattern {
  const parts = Array.from({ length: random.below(3) ? 1 : 1 + random.below(4) }, () => concatenation(random, depth))
  return of(
    parts.map(({ text }) => text).join('|'),
    (r) => r.pick(parts).sample(r),
    parts.map(({ old }) => old).join('|'),
  )
}

function concatenation(random: Random, depth: number): Pattern {
  const parts = Array.from({ length: random.below(6) }, () => repetition(random, depth))
  return of(
    parts.map(({ text }) => text).join(''),
    (r) => parts.map(({ sample }) => sample(r)).join(''),
    parts.map(({ old }) => old).join(''),
  )
}

function repetition(random: Random, depth: number): Pattern {
  const part = atom(random, depth)
  const least = random.below(3)
  const most = least + random.below(3)
  const [suffix, from, to] = random.pick<[string, number, number]>([
    ['', 1, 1],
    ['', 1, 1],
    ['', 1, 1],
    ['*', 0, 3],
    ['+', 1, 3],
    ['?', 0, 1],
    [`{${least}}`, least, least],
    [`{${least},}`, least, least + 2],
    [`{${least},${most}}`, least, most],
  ])
  const lazy = suffix && !random.below(4) ? '?' : ''
  return of(
    part.text + suffix + lazy,
    (r) => Array.from({ length: from + r.below(to - from + 1) }, () => part.sample(r)).join(''),
    part.old + suffix + lazy,
  )
}

function atom(random: Random, depth: number): Pattern {
  switch (random.below(depth > 3 ? 8 : 11)) {
    case 0:
      return of('.', character)
    case 1:
      return of(
        random.pick(['^', '$', '\\b', '\\B', '\\A', '\\z', '(?i)', '(?s)', '(?m)', '(?-i)', '(?-s)', '(?U)', '(?m-s)']),
        () => '',
      )
    case 2:
      return of(className(random), character)
    case 3:
      return bracket(random)
    case 4:
      return escaped(random)
    case 5:
    case 6:
    case 7:
      return literal(random)
    default:
      return group(random, depth)
  }
}

/** RE2 takes long to compile Unicode's classes. */
function className(random: Random): string {
  return random.pick(random.below(6) ? PERL : CLASSES)
}

function literal(random: Random): Pattern {
  const one = character(random)
  return of(/^[.]$/.test(one) ? `\\${one}` : one, (r) => (r.below(6) ? one : otherCase(one)))
}

function otherCase(text: string): string {
  const decoded = Buffer.from(text, 'latin1').toString()
  return utf8(decoded === decoded.toLowerCase() ? decoded.toUpperCase() : decoded.toLowerCase())
}

function escaped(random: Random): Pattern {
  const one = random.pick([...CHARACTERS.slice(0, 40)])
  const code = one.codePointAt(0) ?? 0
  switch (random.below(5)) {
    case 0:
      return of(`\\x{${code.toString(16)}}`, () => utf8(one))
    case 1:
      return of(`\\x${(code & 0xff).toString(16).padStart(2, '0')}`, () => utf8(String.fromCharCode(code & 0xff)))
    case 2:
      return of(`\\0${(code & 0x3f).toString(8).padStart(2, '0')}`, () => String.fromCharCode(code & 0x3f))
    case 3: {
      const text = characters(random, random.below(3)) + random.pick(['', '*', '(a', '\\d', '\\'])
      return of(`\\Q${text}\\E`, () => text)
    }
    default: {
      const [text, meant] = random.pick([
        ['\\n', '\n'],
        ['\\.', '.'],
        ['\\t', '\t'],
        ['\\C', 'a'],
        ['\\C', '\xc3'],
        ['\\/', '/'],
        ['\\_', '_'],
        ['\\-', '-'],
      ] as const)
      return of(text, () => meant)
    }
  }
}

function bracket(random: Random): Pattern {
  const samples: string[] = []
  const items = Array.from({ length: 1 + random.below(4) }, () => {
    const one = random.below(2) ? random.pick(COMMON) : random.pick(CHARACTERS)
    samples.push(utf8(one))
    switch (random.below(6)) {
      case 0:
        return className(random)
      case 1:
        return `[:${random.pick(['', '^'])}${random.pick(POSIX)}:]`
      case 2: {
        const [low, high] = [one, random.pick(CHARACTERS)].sort(
          (a, b) => (a.codePointAt(0) ?? 0) - (b.codePointAt(0) ?? 0),
        )
        samples.push(utf8(high ?? ''))
        return utf8(`${low === '-' ? '\\-' : low}-${high === '-' ? '\\-' : high}`)
      }
      default:
        return utf8(one)
    }
  })
  const negated = !random.below(3)
  return of(`[${negated ? '^' : ''}${items.join('')}]`, (r) =>
    negated || !r.below(3) ? character(r) : r.pick(samples),
  )
}

let names = 0

function group(random: Random, depth: number): Pattern {
  const inner = alternation(random, depth + 1)
  const name = `n${names++}`
  const [open, old] = random.pick<[string, string]>([
    ['(', '('],
    ['(?:', '(?:'],
    [`(?P<${name}>`, `(?P<${name}>`],
    [`(?<${name}>`, `(?P<${name}>`],
    ['(?i:', '(?i:'],
    ['(?s-i:', '(?s-i:'],
    ['(?m:', '(?m:'],
  ])
  return of(`${open}${inner.text})`, inner.sample, `${old}${inner.old})`)
}

/** Nothing but tokens. */
function soup(random: Random): Pattern {
  const tokens = Array.from({ length: random.below(8) }, () =>
    random.below(3) ? random.pick(TOKENS) : random.pick(COMMON),
  )
  const text = withOldNames(tokens.join(''))
  return of(text, () => text)
}

function damage(random: Random, { text, sample }: Pattern): Pattern {
  let damaged = text
  for (let i = 1 + random.below(2); i--;) {
    const at = random.below(damaged.length + 1)
    damaged = damaged.slice(0, at) + (random.below(3) ? random.pick(TOKENS) : '') + damaged.slice(at + random.below(3))
  }
  return of(withOldNames(damaged), sample)
}

/** What is no sound pattern may not have a group that older versions of RE2 refuse. */
function withOldNames(text: string): string {
  return text.replaceAll(/\(\?<(?![=!])/g, '(?P<')
}
