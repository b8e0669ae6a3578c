import { ByteString, utf8 } from '@meshscript/sdk'
import { RegexSet } from '../regex/index'

/** The numbers of the patterns that match, with commas. */
function found(set: RegexSet, text: string): string {
  const count = set.match(utf8(text))
  return set.matched.slice<i32[]>(0, count).join()
}

function setOf(patterns: string[]): RegexSet {
  const set = new RegexSet()
  for (let i = 0; i < patterns.length; i++) expect(set.add(utf8(patterns[i]))).toBe(i, set.error)
  set.compile()
  return set
}

function errorOf(pattern: string): string {
  const set = new RegexSet()
  expect(set.add(utf8(pattern))).toBe(-1)
  return set.error
}

describe('regular expressions', () => {
  test('match the whole text, several at once, by ascending number', () => {
    const set = setOf(['/a/.*', 'b', '/a/b', '(?:/a)?/b', '^/a/b$', ''])
    expect(found(set, '/a/b')).toBe('0,2,3,4')
    expect(found(set, '/b')).toBe('3')
    expect(found(set, 'b')).toBe('1')
    expect(found(set, '')).toBe('5')
    expect(found(set, 'x/a/b')).toBe('')
    expect(found(set, '/a/b\n')).toBe('')
  })

  test('the same pattern has one number', () => {
    const set = new RegexSet()
    expect(set.add(utf8('a+'))).toBe(0)
    expect(set.add(utf8('b+'))).toBe(1)
    expect(set.add(utf8('a+'))).toBe(0)
    expect(set.size).toBe(2)
    set.compile()
    expect(set.size).toBe(2)
  })

  test('what begins alike is told apart', () => {
    const set = setOf(['ab+c', 'ab+d', 'ab*c', 'abx', 'a(?:b|c)x', '[ab]bx'])
    expect(found(set, 'abbc')).toBe('0,2')
    expect(found(set, 'abd')).toBe('1')
    expect(found(set, 'ac')).toBe('2')
    expect(found(set, 'abx')).toBe('3,4,5')
    expect(found(set, 'bbx')).toBe('5')
  })

  test('repetitions', () => {
    const set = setOf(['a{2}', 'a{2,}', 'a{0,3}', 'a{0}', '(a*)+', '(?:aa?){2}', 'a{,2}'])
    expect(found(set, '')).toBe('2,3,4')
    expect(found(set, 'aa')).toBe('0,1,2,4,5')
    expect(found(set, 'aaaa')).toBe('1,4,5')
    expect(found(set, 'a{,2}')).toBe('6')
  })

  test('assertions and flags', () => {
    const set = setOf(['(?m)^a$\n^b$', 'a\\b.+', 'a\\B.+', '(?s)a.b', '(?i)straße', '\\Qa.b\\E', 'a.b'])
    expect(found(set, 'a\nb')).toBe('0,3')
    expect(found(set, 'axb')).toBe('2,3,6')
    expect(found(set, 'a.b')).toBe('1,3,5,6')
    expect(found(set, 'STRAẞE')).toBe('4')
  })

  test('classes, of code points', () => {
    const set = setOf(['\\p{Greek}+', '\\PL', '[^a-z]', '[[:alpha:]]', '(?i)k', 'é{2}', '\\C\\C'])
    expect(found(set, 'λ')).toBe('0,2,6')
    expect(found(set, 'q')).toBe('3')
    expect(found(set, '7')).toBe('1,2')
    expect(found(set, '\u212a')).toBe('2,4')
    expect(found(set, 'éé')).toBe('5')
  })

  test('what is not UTF-8 matches only \\C', () => {
    const set = setOf(['.', '(?s).*', '\\C'])
    const bytes: StaticArray<u8> = [0xff]
    expect(set.match(ByteString.at(changetype<usize>(bytes), 1))).toBe(1)
    expect(set.matched[0]).toBe(2)
  })

  test('an error says what is wrong, and where', () => {
    expect(errorOf('a(b')).toBe('missing ) at byte 3')
    expect(errorOf('a**')).toBe('a repetition of a repetition at byte 1')
    expect(errorOf('(?=a)')).toBe('lookaround is not supported at byte 0')
    expect(errorOf('*')).toBe('nothing to repeat at byte 0')
    expect(errorOf('[b-a]')).toBe('a range that ends before it begins at byte 1')
  })

  test('a set takes no more patterns when it is compiled, and matches nothing before', () => {
    const set = new RegexSet()
    set.add(utf8('a'))
    expect(set.match(utf8('a'))).toBe(0)
    set.compile()
    expect(set.match(utf8('a'))).toBe(1)
    expect(set.add(utf8('b'))).toBe(-1)
    expect(new RegexSet().match(utf8(''))).toBe(0)
  })
})
