import { describe, expect, it } from 'vitest'
import { HeaderMap } from './header_map.ts'

describe('HeaderMap', () => {
  it('keeps lines in order, names in lower case, pseudo-headers in front', () => {
    const map = new HeaderMap('request', [
      ['X-B', '1'],
      ['x-a', '2'],
    ])
    map.add(':path', '/')
    expect(map.entries).toEqual([
      [':path', '/'],
      ['x-b', '1'],
      ['x-a', '2'],
    ])
  })

  it('reads the first value, or all of them joined', () => {
    const map = new HeaderMap('request', [
      ['x-m', '1'],
      ['x-m', '2'],
    ])
    expect(map.get('X-M')).toBe('1')
    expect(map.joined('x-m')).toBe('1,2')
    expect(map.get('none')).toBeUndefined()
  })

  it('joins lines of headers that Envoy keeps single', () => {
    const map = new HeaderMap('request', [
      ['accept', 'a'],
      ['accept', 'b'],
      ['cookie', 'c=1'],
      ['cookie', 'd=2'],
    ])
    expect(map.entries).toEqual([
      ['accept', 'a,b'],
      ['cookie', 'c=1'],
      ['cookie', 'd=2'],
    ])
  })

  it('replaces all lines by one at the end', () => {
    const map = new HeaderMap('response', [
      ['x-m', '1'],
      ['x-o', 'o'],
      ['x-m', '2'],
    ])
    map.set('x-m', '9')
    expect(map.entries).toEqual([
      ['x-o', 'o'],
      ['x-m', '9'],
    ])
  })

  it('takes host for :authority', () => {
    const map = new HeaderMap('request', [
      [':authority', 'a'],
      [':path', '/'],
    ])
    map.set('Host', 'b')
    expect(map.entries).toEqual([
      [':path', '/'],
      [':authority', 'b'],
    ])
  })

  it('counts bytes of names and values', () => {
    expect(
      new HeaderMap('trailers', [
        ['ab', 'c'],
        ['d', ''],
      ]).byteSize,
    ).toBe(4)
  })
})
