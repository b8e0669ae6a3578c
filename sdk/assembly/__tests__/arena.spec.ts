import { allocate, epoch, reset } from '../memory/arena'

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
})
