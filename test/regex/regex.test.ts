import { expect, test } from 'vitest'
import { Random } from '../json/documents.ts'
import regex from './assembly/index.ts?filter'
import { RegexModule } from './module.ts'
import { makePattern, makeText } from './patterns.ts'
import { compileRE2 } from './reference.ts'

/** More pairs, or others: MESHSCRIPT_REGEX_PAIRS=1000000 MESHSCRIPT_REGEX_SEED=7. */
const PAIRS = Number(process.env['MESHSCRIPT_REGEX_PAIRS'] ?? 100_000)
const SEED = Number(process.env['MESHSCRIPT_REGEX_SEED'] ?? 20261123)

const latin1 = (text: string) => Buffer.from(text, 'latin1')

test(`${PAIRS} pairs of pattern and text match as RE2 says (seed ${SEED})`, { timeout: 60_000 + PAIRS * 2 }, () => {
  const module = new RegexModule(regex)
  const random = new Random(SEED)
  const count = { pairs: 0, matches: 0, accepted: 0, refused: 0, large: 0 }
  let warm = 0
  while (count.pairs < PAIRS) {
    const patterns = Array.from({ length: random.pick([1, 1, 1, 2, 10]) }, () => makePattern(random))
    const texts = Array.from({ length: 5 * patterns.length }, () => makeText(random, patterns))
    const errors = module.compile(patterns.map(({ text }) => latin1(text)))
    const found = module.match(texts)
    // The same pattern twice has one number.
    const numbers = new Map<string, number>()
    for (const [i, { text, old }] of patterns.entries()) {
      const reference = compileRE2(old)
      const error = errors[i] ?? ''
      const number = numbers.get(text) ?? numbers.size
      if (!error) numbers.set(text, number)
      // How much is too much differs, and so does what a pattern costs.
      if (reference.error.includes('too large') || error.includes('instructions')) count.large++
      else {
        expect(error !== '', `${JSON.stringify(text)}: ${error || reference.error}`).toBe(reference.error !== '')
        if (error) count.refused++
        else {
          count.accepted++
          for (const [j, bytes] of texts.entries()) {
            const matches = reference.matches(bytes)
            if (matches === undefined) continue
            if (found[j]?.includes(number) !== matches) {
              const shown = JSON.stringify(Buffer.from(bytes).toString('latin1'))
              expect.fail(`${JSON.stringify(text)} with ${shown}: RE2 says ${matches}`)
            }
            count.pairs++
            if (matches) count.matches++
          }
        }
      }
      reference.free()
    }
    if (!warm && count.pairs > PAIRS / 2) warm = module.memory
  }
  expect(module.memory).toBeLessThanOrEqual(warm * 2)
  // None of these would be worth much without the others.
  expect(count.matches).toBeGreaterThan(PAIRS / 20)
  expect(count.accepted).toBeGreaterThan(PAIRS / 100)
  expect(count.refused).toBeGreaterThan(PAIRS / 500)
  expect(count.large).toBeLessThan(count.accepted / 50)
})

test('many patterns with the same beginnings match as each of them alone', () => {
  const module = new RegexModule(regex)
  const random = new Random(SEED)
  // JavaScript reads these as RE2 does.
  const pieces = [
    'a',
    'b',
    'ab',
    'é',
    '[ab]',
    '[a-c]',
    '[^a]',
    '.',
    'a*',
    '(a|bb)',
    '(a|bb)?',
    'c{2,3}',
    '(?:b|)',
    '.*',
  ]
  const makePattern = () => Array.from({ length: 1 + random.below(5) }, () => random.pick(pieces)).join('')
  const patterns = [...new Set(Array.from({ length: 3000 }, makePattern))]
  expect(module.compile(patterns).filter(Boolean)).toEqual([])
  const texts = Array.from({ length: 300 }, () =>
    Array.from({ length: random.below(7) }, () => random.pick(['a', 'b', 'c', 'é'])).join(''),
  )
  const found = module.match(texts)
  for (const [i, text] of texts.entries()) {
    const expected = patterns.flatMap((pattern, number) =>
      new RegExp(`^(?:${pattern})$`, 'u').test(text) ? [number] : [],
    )
    expect(found[i], JSON.stringify(text)).toEqual(expected)
  }
})

test('syntax that older versions of RE2 lack, and what is refused', () => {
  const module = new RegexModule(regex)
  const cases: [pattern: string, text: string][] = [
    ['(?<name>a)(?P<other>b)', 'ab'],
    ['(?P<größe>a)', 'a'],
    ['\\p{Kawi}', '\u{11f04}'],
  ]
  expect(module.compile(cases.map(([pattern]) => pattern))).toEqual(cases.map(() => ''))
  expect(module.match(cases.map(([, text]) => text))).toEqual(cases.map((_, i) => [i]))

  const refused: [pattern: string, error: string][] = [
    ['(a)\\1', 'backreferences are not supported at byte 3'],
    ['a(?=b)', 'lookaround is not supported at byte 1'],
    ['a(?<!b)', 'lookaround is not supported at byte 1'],
    ['ab(', 'missing ) at byte 3'],
    ['a)', 'unexpected ) at byte 1'],
    ['[a', 'missing ] at byte 0'],
    ['a{1001}', 'invalid repetition size at byte 1'],
    ['(a{100}){11}', 'more than 1000 repetitions at byte 8'],
    ['\\p{Klingon}', 'unknown Unicode class at byte 0'],
    ['(?P<a b>c)', 'invalid group name at byte 0'],
    [`${'('.repeat(1001)}${')'.repeat(1001)}`, 'groups nested too deeply at byte 1000'],
    ['\\pL{1000}', 'it needs more than 32768 instructions, or all patterns more than 1048576'],
  ]
  expect(module.compile(refused.map(([pattern]) => pattern))).toEqual(refused.map(([, error]) => error))
  // A pattern that is refused half-way takes nothing away, and adds nothing.
  expect(module.compile(['ab', 'ac|ad|a\\pL{1000}', 'ae'])).toEqual(['', expect.stringContaining('instructions'), ''])
  expect(module.match(['ab', 'ac', 'ad', 'ae'])).toEqual([[0], [], [], [1]])
  const deep = `${'('.repeat(1000)}a${')+'.repeat(1000)}`
  expect(module.compile([deep])).toEqual([''])
  expect(module.match(['aaa', 'b'])).toEqual([[0], []])
})
