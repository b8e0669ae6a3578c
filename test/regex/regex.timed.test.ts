/** What patterns and texts of the worst kind cost: processor time, which others on the machine lengthen by what they take of its caches. */
import { expect, test } from 'vitest'
import { Random } from '../json/documents.ts'
import regex from './assembly/index.ts?filter'
import { RegexModule } from './module.ts'

/** Random letters a and b: neither do they repeat, nor can anything be forgotten. */
function noise(length: number): string {
  const random = new Random(5)
  return Array.from({ length }, () => 'ab'[random.below(2)]).join('')
}

test.each<[string, (length: number) => string]>([
  ['(a|aa)*b', (n) => 'a'.repeat(n)],
  ['(x+x+)+y', (n) => 'x'.repeat(n)],
  ['(?:a?){500}a{500}', (n) => 'a'.repeat(n)],
  ['(?s).{0,500}x.*y', (n) => 'x'.repeat(n)],
  ['.*a.{8}c', noise],
  ['.*a.{25}b|.*b.{24}a', noise],
  ['(.*a.{30}){3}c', noise],
  ['(((a*)*)*)*b', (n) => 'a'.repeat(n)],
  ['(.{1,30}){1,30}y', (n) => 'x'.repeat(n)],
  ['(\\pL+\\b)*!', (n) => 'é'.repeat(n / 2)],
])('%s takes time in proportion to the text, and bounded memory', (pattern, make) => {
  const module = new RegexModule(regex)
  expect(module.compile([pattern])).toEqual([''])
  const [short, long] = [make(8192), make(65_536)]
  const time = (text: string) => {
    let best = Infinity
    for (let i = 0; i < 3; i++) {
      const start = process.cpuUsage()
      module.match([text])
      const { user, system } = process.cpuUsage(start)
      best = Math.min(best, user + system)
    }
    return best
  }
  time(long)
  const memory = module.memory
  const ratio = time(long) / Math.max(time(short), 500)
  expect(ratio).toBeLessThan(12)
  expect(module.memory).toBe(memory)
  expect(memory).toBeLessThan(8 << 20)
})

test.each<[string, (i: number) => string, string]>([
  ['paths', (i) => `/api/v1/item${i}/[0-9]+`, '/api/v1/item9999/123'],
  ['namespaces', (i) => `.*/ns/foo${i}/.*`, 'spiffe://td/ns/foo9999/sa/x'],
  ['templates', (i) => `/s${i}/[a-zA-Z0-9-._~%!$&'()+,;:@=*]+/x/[a-zA-Z0-9-._~%!$&'()+,;:@=*/]*`, '/s9999/a/x/b/c'],
])('10 000 patterns: %s', (_, make, text) => {
  const module = new RegexModule(regex)
  const patterns = Array.from({ length: 10_000 }, (_, i) => make(i))
  const start = process.cpuUsage()
  expect(module.compile(patterns).filter(Boolean)).toEqual([])
  expect(module.match([text])).toEqual([[9999]])
  const { user, system } = process.cpuUsage(start)
  expect(user + system).toBeLessThan(1_000_000)
  expect(module.memory).toBeLessThan(16 << 20)
})
