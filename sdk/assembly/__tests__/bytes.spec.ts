import { reset } from '../memory/arena'
import { Bytes, ByteString, encode } from '../memory/bytes'

function trimmed(text: string): string {
  return encode(text).trim().toString()
}

describe('byte strings', () => {
  beforeEach(() => {
    reset()
  })

  test('bytes by index, -1 outside', () => {
    const bytes = encode('aé')
    expect(bytes.length).toBe(3)
    expect(bytes.byteAt(0)).toBe(0x61)
    expect(bytes.byteAt(2)).toBe(0xa9)
    expect(bytes.byteAt(3)).toBe(-1)
    expect(bytes.byteAt(-1)).toBe(-1)
    expect(ByteString.empty.byteAt(0)).toBe(-1)
    expect(ByteString.empty.isEmpty).toBe(true)
    expect(bytes.isEmpty).toBe(false)
  })

  test('equality with strings and bytes', () => {
    const bytes = encode('/path')
    expect(bytes.equals('/path')).toBe(true)
    expect(bytes.equals(encode('/path'))).toBe(true)
    expect(bytes.equals(Bytes.from('/path'))).toBe(true)
    expect(bytes.equals('/pathx')).toBe(false)
    expect(bytes.equals('/pat')).toBe(false)
    expect(bytes.equals('/patH')).toBe(false)
    expect(encode('').equals(ByteString.empty)).toBe(true)
  })

  test('ASCII letters of either case are the same, and nothing else is', () => {
    expect(encode('X-User').equalsIgnoreCase('x-uSER')).toBe(true)
    expect(encode('[').equalsIgnoreCase('{')).toBe(false)
    expect(encode('@').equalsIgnoreCase('`')).toBe(false)
    expect(encode('É').equalsIgnoreCase('é')).toBe(false)
    expect(encode('ab').equalsIgnoreCase('a')).toBe(false)
  })

  test('prefixes and suffixes', () => {
    const bytes = encode('/api/v1')
    expect(bytes.startsWith('/api')).toBe(true)
    expect(bytes.startsWith('')).toBe(true)
    expect(bytes.startsWith('/api/v1')).toBe(true)
    expect(bytes.startsWith('/api/v1/')).toBe(false)
    expect(bytes.startsWith('api')).toBe(false)
    expect(bytes.endsWith('/v1')).toBe(true)
    expect(bytes.endsWith('')).toBe(true)
    expect(bytes.endsWith('v')).toBe(false)
    expect(bytes.endsWith('x/api/v1')).toBe(false)
  })

  test('searching', () => {
    const bytes = encode('abcabc')
    expect(bytes.indexOf('bc')).toBe(1)
    expect(bytes.indexOf('bc', 2)).toBe(4)
    expect(bytes.indexOf('bc', 5)).toBe(-1)
    expect(bytes.indexOf('abcabcd')).toBe(-1)
    expect(bytes.indexOf('')).toBe(0)
    expect(bytes.indexOf('a', -5)).toBe(0)
    expect(bytes.includes('cab')).toBe(true)
    expect(bytes.includes('cb')).toBe(false)
    expect(bytes.indexOfByte(0x63)).toBe(2)
    expect(bytes.indexOfByte(0x63, 3)).toBe(5)
    expect(bytes.indexOfByte(0x78)).toBe(-1)
    expect(bytes.lastIndexOfByte(0x61)).toBe(3)
    expect(bytes.lastIndexOfByte(0x78)).toBe(-1)
  })

  test('slices stay inside', () => {
    const bytes = encode('0123456789')
    expect(bytes.slice(2, 4).toString()).toBe('23')
    expect(bytes.slice(8).toString()).toBe('89')
    expect(bytes.slice(-3, 2).toString()).toBe('01')
    expect(bytes.slice(5, 3).length).toBe(0)
    expect(bytes.slice(20, 30).length).toBe(0)
    expect(bytes.slice(0, i32.MAX_VALUE).length).toBe(10)
    expect(bytes.slice(2).slice(3).toString()).toBe('56789')
  })

  test('trimming', () => {
    expect(trimmed(' \t a b \t')).toBe('a b')
    expect(trimmed('ab')).toBe('ab')
    expect(trimmed(' \t ')).toBe('')
    expect(trimmed('')).toBe('')
  })

  test('lower case and concatenation make copies', () => {
    const bytes = encode('ÀBC-Z[')
    expect(bytes.toLowerCase().toString()).toBe('Àbc-z[')
    expect(bytes.toString()).toBe('ÀBC-Z[')
    expect(bytes.concat('é').concat(Bytes.from('!')).toString()).toBe('ÀBC-Z[é!')
  })

  test('integers', () => {
    expect(encode('0').parseInt()).toBe(0)
    expect(encode('-42').parseInt()).toBe(-42)
    expect(encode('999999999999999999').parseInt()).toBe(999999999999999999)
    expect(encode('1000000000000000000').parseInt(-1)).toBe(-1)
    expect(encode('').parseInt(7)).toBe(7)
    expect(encode('-').parseInt(7)).toBe(7)
    expect(encode('1x').parseInt(7)).toBe(7)
    expect(encode('+1').parseInt(7)).toBe(7)
    expect(encode(' 1').parseInt(7)).toBe(7)
    expect(encode('1/').parseInt(7)).toBe(7)
    expect(encode('1:').parseInt(7)).toBe(7)
  })

  test('the hash is FNV-1a', () => {
    expect(encode('').hash()).toBe(0x811c9dc5)
    expect(encode('a').hash()).toBe(0xe40c292c)
    expect(encode('foobar').hash()).toBe(0xbf9cf968)
  })

  test('persisted bytes outlive the arena', () => {
    const kept = encode('kept').persist()
    reset()
    encode('overwritten')
    expect(kept.toString()).toBe('kept')
    expect(kept.length).toBe(4)
    expect(kept.view.startsWith('ke')).toBe(true)
    expect(kept.equals(Bytes.from('kept'))).toBe(true)
    expect(Bytes.from('').length).toBe(0)
  })
})
