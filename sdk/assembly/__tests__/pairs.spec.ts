import { allocate, reset } from '../memory/arena'
import { ByteString, Bytes, encode } from '../memory/bytes'
import { Headers, Pairs } from '../memory/pairs'

/** The encoding of one line `a: b`, by hand. */
const ONE: StaticArray<u8> = [1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0x61, 0, 0x62, 0]

function bytesOf(array: StaticArray<u8>, length: i32): ByteString {
  const copy = allocate(length)
  memory.copy(copy, changetype<usize>(array), length)
  return ByteString.at(copy, length)
}

describe('header lines', () => {
  beforeEach(() => {
    reset()
  })

  test('are encoded as the ABI says', () => {
    const bytes = new Headers().add('a', 'b').encode()
    expect(bytes.length).toBe(16)
    expect(memory.compare(bytes.ptr, changetype<usize>(ONE), 16)).toBe(0)
  })

  test('no lines are no bytes', () => {
    expect(new Headers().encode().length).toBe(0)
    expect(Pairs.decode(ByteString.empty).length).toBe(0)
  })

  test('are decoded as they were encoded, in order', () => {
    const headers = new Headers().add(':path', '/ä').add('x', '').add('', 'v').add('x', 'second')
    const pairs = Pairs.decode(headers.encode())
    expect(pairs.length).toBe(4)
    expect(pairs.name(0).toString()).toBe(':path')
    expect(pairs.value(0).toString()).toBe('/ä')
    expect(pairs.name(2).toString()).toBe('')
    expect(pairs.value(2).toString()).toBe('v')
    expect(pairs.value(3).toString()).toBe('second')
    expect(pairs.get('x')!.length).toBe(0)
    expect(pairs.get('none')).toBeNull()
    expect(pairs.indexOf('x')).toBe(1)
    expect(pairs.indexOf('x', 2)).toBe(3)
    expect(pairs.indexOf('x', 4)).toBe(-1)
  })

  test('outside there is nothing', () => {
    const pairs = Pairs.decode(bytesOf(ONE, 16))
    expect(pairs.length).toBe(1)
    expect(pairs.name(1).length).toBe(0)
    expect(pairs.value(-1).length).toBe(0)
  })

  test('persisted ones outlive the arena', () => {
    const headers = new Headers().add('name', Bytes.from('value')).persist()
    reset()
    encode('something that takes their place in the arena')
    const pairs = Pairs.decode(headers.encode())
    expect(pairs.get('name')!.toString()).toBe('value')
  })

  test('malformed ones read as none: every length but the right one', () => {
    for (let length = 0; length < 16; length++) {
      expect(Pairs.decode(bytesOf(ONE, length)).length).toBe(0)
    }
  })

  test('malformed ones read as none: counts and lengths that lie', () => {
    const bytes = bytesOf(ONE, 16)
    for (let at = 0; at < 12; at += 4) {
      const right = load<u32>(bytes.ptr + at)
      for (let i = 0; i < 5; i++) {
        const wrong = i == 0 ? 0 : i == 1 ? 2 : i == 2 ? 0x7fffffff : i == 3 ? 0x80000000 : 0xffffffff
        store<u32>(bytes.ptr + at, wrong)
        expect(Pairs.decode(bytes).length).toBe(0)
      }
      store<u32>(bytes.ptr + at, right)
    }
    expect(Pairs.decode(bytes).length).toBe(1)
  })

  test('malformed ones read as none: lengths whose sum wraps around', () => {
    const bytes = bytesOf(ONE, 16)
    store<u32>(bytes.ptr + 4, 0xffffffff)
    store<u32>(bytes.ptr + 8, 3)
    expect(Pairs.decode(bytes).length).toBe(0)
  })
})
