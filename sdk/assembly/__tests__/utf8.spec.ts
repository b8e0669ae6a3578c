import { reset } from '../memory/arena'
import { encode, encodeAt, utf8 } from '../memory/bytes'

/** Bytes as hexadecimal digits. */
function hex(text: string): string {
  const bytes = encode(text)
  let result = ''
  for (let i = 0; i < bytes.length; i++) result += (bytes.byteAt(i) | 0x100).toString(16).substr(1)
  return result
}

describe('UTF-8', () => {
  beforeEach(() => {
    reset()
  })

  test('every length of a character, at its limits', () => {
    expect(hex('')).toBe('')
    expect(hex('\0A\x7f')).toBe('00417f')
    expect(hex('\x80\u07ff')).toBe('c280dfbf')
    expect(hex('\u0800\ud7ff\ue000\uffff')).toBe('e0a080ed9fbfee8080efbfbf')
    expect(hex('\ud800\udc00\u{1f600}\udbff\udfff')).toBe('f0908080f09f9880f48fbfbf')
  })

  test('half of a surrogate pair becomes U+FFFD', () => {
    expect(hex('\ud800')).toBe('efbfbd')
    expect(hex('\udc00')).toBe('efbfbd')
    expect(hex('a\ud800b')).toBe('61efbfbd62')
    expect(hex('\ud800\ud800\udc00')).toBe('efbfbdf0908080')
    expect(hex('\udc00\ud800')).toBe('efbfbdefbfbd')
    expect(hex('\udc00\udc01')).toBe('efbfbdefbfbd')
  })

  test('every other character is encoded as AssemblyScript does', () => {
    let wrong = 0
    for (let code = 0; code < 0x110000; code += code < 0x3000 ? 1 : 37) {
      if (code >= 0xd800 && code < 0xe000) continue
      reset()
      const text = String.fromCodePoint(code)
      const expected = String.UTF8.encode(text)
      const bytes = encode(text)
      if (
        bytes.length != expected.byteLength ||
        memory.compare(bytes.ptr, changetype<usize>(expected), bytes.length) != 0
      ) {
        wrong++
      }
    }
    expect(wrong).toBe(0)
  })

  test('only as many units as asked for are read', () => {
    const at = encode('------').ptr
    expect(encodeAt(at, 'a\u{1f600}', 2) - at).toBe(4)
    expect(load<u8>(at + 1)).toBe(0xef, 'the pair is cut in two')
    expect(encodeAt(at, 'abc', 0)).toBe(at)
  })

  test('literals outlive the arena', () => {
    const literal = utf8('kept ✓')
    reset()
    encode('something else')
    expect(literal.toString()).toBe('kept ✓')
    expect(literal.length).toBe(8)
  })
})
