import { allocate, epoch, mark, reset, rewind } from '../memory/arena'

describe('the arena', () => {
  beforeEach(() => {
    reset()
  })

  test('pieces do not overlap and are aligned to 8', () => {
    const first = allocate(5)
    const second = allocate(1)
    const third = allocate(0)
    expect(first & 7).toBe(0)
    expect(second).toBe(first + 8)
    expect(third).toBe(second + 8)
  })

  test('a reset begins anew, in the same place', () => {
    const first = allocate(100)
    allocate(100)
    const before = epoch
    reset()
    expect(allocate(1)).toBe(first)
    expect(epoch).toBe(before + 1)
  })

  test('what the main block has no room for gets a block of its own', () => {
    const main = allocate(16000)
    const large = allocate(1000)
    const small = allocate(8)
    expect(large < main || large >= main + 16384).toBe(true)
    expect(small).toBe(main + 16000, 'the main block is still used')
    memory.fill(large, 0xff, 1000)
    expect(load<u8>(large + 999)).toBe(0xff)
  })

  test('overflow blocks are given back', () => {
    allocate(100_000)
    reset()
    const pages = memory.size()
    for (let i = 0; i < 1000; i++) {
      allocate(100_000)
      allocate(200_000)
      reset()
    }
    expect(memory.size() - pages).toBeLessThan(16)
  })

  test('a size that cannot be had is 0, not a trap', () => {
    expect(allocate(0x3fff_0001)).toBe(0)
    expect(allocate(0x7fff_ffff)).toBe(0)
    expect(allocate(0xffff_ffff)).toBe(0)
    expect(allocate(0xffff_fff9)).toBe(0)
    expect(allocate(8)).not.toBe(0)
  })

  test('the main block can be used to its last byte', () => {
    const start = allocate(16384)
    expect(start & 7).toBe(0)
    const next = allocate(0)
    expect(next).toBe(start + 16384)
    expect(allocate(1) - start >= 16384).toBe(true)
  })

  test('small pieces share an overflow block', () => {
    allocate(16384)
    const first = allocate(5)
    expect(first & 7).toBe(0)
    expect(allocate(60)).toBe(first + 8)
    const large = allocate(5000)
    memory.fill(large, 0xff, 5000)
    expect(allocate(8)).toBe(first + 72)
    for (let i = 0; i < 10_000; i++) store<u64>(allocate(8), i)
    reset()
  })

  test('what was taken since a mark is taken again, in reverse order', () => {
    const before = allocate(8)
    const outer = mark()
    expect(outer).toBe(before + 8)
    allocate(16200)
    allocate(300)
    const middle = mark()
    const small = allocate(300)
    for (let i = 0; i < 100; i++) allocate(1000)
    allocate(100_000)
    const pages = memory.size()
    rewind(middle)
    for (let i = 0; i < 1000; i++) {
      const inner = mark()
      expect(allocate(300)).toBe(small)
      for (let j = 0; j < 50; j++) allocate(1000)
      allocate(100_000)
      rewind(inner)
    }
    expect(memory.size()).toBe(pages)
    rewind(outer)
    expect(allocate(8)).toBe(before + 8)
  })
})
