import { describe, expect, test } from 'vitest'
import { find } from './compare.ts'

describe('what a page shows', () => {
  test('is what was printed', () => {
    expect(find('one\ntwo\n', 'one\ntwo\n')).toBe(2)
    expect(find('one\n', 'one\ntwo\n')).toBeUndefined()
    expect(find('one\ntwo\n', 'one\n')).toBeUndefined()
    expect(find('', 'one\n')).toBeUndefined()
  })

  test('may leave out parts of a line, and lines', () => {
    expect(find('a … c\n', 'a b c\n')).toBe(1)
    expect(find('a … c\n', 'a b d\n')).toBeUndefined()
    expect(find('…\nlast\n', 'one\ntwo\nlast\n')).toBe(3)
    expect(find('one\n…\n', 'one\ntwo\nlast\n')).toBe(3)
    expect(find('one\n…\ntwo\n', 'one\nlast\n')).toBeUndefined()
  })

  test('may show times of another machine, and sizes of another release', () => {
    expect(find('x.wasm  20.0 KB  300 ms\n', 'x.wasm  24.9 KB  2 ms\n')).toBe(1)
    expect(find('x.wasm  20.0 KB  300 ms\n', 'x.wasm  25.1 KB  2 ms\n')).toBeUndefined()
    expect(find('took 1.2s\n', 'took 900ms\n')).toBe(1)
    expect(find('3 tests\n', '4 tests\n')).toBeUndefined()
  })

  test('may be part of what is printed', () => {
    expect(find('two\n', 'one\ntwo\nthree\n', true)).toBe(2)
    expect(find('four\n', 'one\ntwo\nthree\n', true)).toBeUndefined()
  })
})
