import { expect, test } from 'vitest'
import { contains, normalizeBlock, parseBlock } from './cidr.ts'

test.each(['10.0.0.0/8', '10.0.0.1', '::/0', 'fd00::1', '0.0.0.0/0', '10.1.2.3/8'])('%s is a block', (text) =>
  expect(parseBlock(text)).toBeDefined(),
)

test.each(['', '10.0.0.0/33', '10.0.0/8', '10.0.0.0/08', '10.0.0.0/8/8', '::/129', 'fe80::1%eth0', 'a.b', '10.0.0.0/'])(
  '%j is none',
  (text) => expect(parseBlock(text)).toBeUndefined(),
)

test('an address gets its length', () => {
  expect(['10.0.0.1', 'fd00::1', '10.0.0.0/8'].map(normalizeBlock)).toEqual([
    '10.0.0.1/32',
    'fd00::1/128',
    '10.0.0.0/8',
  ])
})

test.each([
  ['10.0.0.0/8', '10.9.0.0/16', true],
  ['10.0.0.0/8', '10.9.0.1', true],
  ['10.0.0.0/8', '10.0.0.0/8', true],
  ['10.0.0.0/8', '11.0.0.1', false],
  ['10.0.0.0/16', '10.0.0.0/8', false],
  ['0.0.0.0/0', '1.2.3.4', true],
  ['0.0.0.0/0', '::1', false],
  ['fd00::/8', 'fd12::/16', true],
])('%s contains %s: %s', (outer, inner, expected) => expect(contains(outer, inner)).toBe(expected))
