import { describe, expect, test } from 'vitest'
import type { PathNormalization } from '../../resources/mesh-config.ts'
import { neverMatches } from './values.ts'

describe('paths as the connection manager leaves them', () => {
  const hint = (value: string, normalization?: PathNormalization) => neverMatches('paths', value, normalization)?.hint

  test.each([
    ['/ä', 'write "/%C3%A4"'],
    ['/a b*', 'write "/a%20b*"'],
    ['*|"', 'write "*%7C%22"'],
    ['/%61dmin', 'write "/admin"'],
    ['/a\\b', 'write "/a/b"'],
    ['/a/../b', 'write it without the segments "." and ".."'],
    ['/a/.', 'write it without the segments "." and ".."'],
    ['/a?b', 'write the part before "?" or "#"'],
    ['a', 'write "/a"'],
  ])('%j never matches: %s', (value, expected) => expect(hint(value)).toBe(expected))

  test.each([
    '*',
    '/.*',
    '/..*',
    '*./a',
    '/.well-known',
    '/a//b',
    '/a%2fb',
    '/%c3%a4',
    '/%7C',
    '/%',
    "/!$&'()+,;:@=[]~",
  ])('%j may match', (value) => expect(hint(value)).toBeUndefined())

  test('it depends on what the mesh makes of paths', () => {
    expect(hint('/a/../ä', 'NONE')).toBeUndefined()
    expect(hint('/a//b%2fc*', 'MERGE_SLASHES')).toBe('write "/a/b%2fc*"')
    expect(hint('/a//b%2fc*', 'DECODE_AND_MERGE_SLASHES')).toBe('write "/a/b/c*"')
  })
})

test.each([
  ['https://a.example/b', 'write "a.example"'],
  ['a.example/b', 'write "a.example"'],
  ['a.example:8080', undefined],
  ['*.example', undefined],
])('a host is %j: %s', (value, hint) => expect(neverMatches('hosts', value)?.hint).toBe(hint))
