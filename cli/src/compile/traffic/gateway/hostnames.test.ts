import { describe, expect, test } from 'vitest'
import { intersection, isWithin, overlap } from './hostnames.ts'

describe('a host', () => {
  test.each([
    ['a.example.com', 'a.example.com', true],
    ['a.example.com', 'b.example.com', false],
    ['a.example.com', '*.example.com', true],
    ['a.b.example.com', '*.example.com', true],
    ['example.com', '*.example.com', false],
    ['*.example.com', 'a.example.com', false],
    ['*.a.example.com', '*.example.com', true],
    ['*.example.com', '*.a.example.com', false],
    ['*.example.com', '*', true],
    ['*', '*', true],
    ['*', '*.example.com', false],
  ])('%s is within %s: %s', (host, other, expected) => expect(isWithin(host, other)).toBe(expected))

  test('overlaps another whichever is the wider one', () => {
    expect([overlap('*', 'a'), overlap('a', '*'), overlap('*.a.b', '*.b'), overlap('*.a.b', '*.c.b')]).toEqual([
      true,
      true,
      true,
      false,
    ])
  })
})

test('of two lists the narrower names are taken, each once', () => {
  expect(intersection(['*'], ['a.com', '*.b.com'])).toEqual(['a.com', '*.b.com'])
  expect(intersection(['x.a.com', '*.b.com'], ['*.a.com', 'y.b.com', 'z.c.com'])).toEqual(['x.a.com', 'y.b.com'])
  expect(intersection(['*', '*.com'], ['a.com'])).toEqual(['a.com'])
})
