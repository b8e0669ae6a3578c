import { describe, expect, it } from 'vitest'
import { type Pair, parsePairs, serializePairs } from './pairs.ts'

describe('pairs', () => {
  it('are count, lengths, and bytes with a NUL behind each', () => {
    expect(serializePairs([['a', 'bc']]).toString('hex')).toBe('01000000' + '01000000' + '02000000' + '6100' + '626300')
  })

  it('come back as they were, whatever the bytes', () => {
    const pairs: Pair[] = [
      [':path', '/'],
      ['', ''],
      ['x-\0', 'é\xff'],
    ]
    expect(parsePairs(serializePairs(pairs))).toEqual(pairs)
  })

  it('are empty when anything is malformed', () => {
    const good = serializePairs([
      ['a', 'b'],
      ['c', 'd'],
    ])
    for (let size = 0; size < good.length; size++) expect(parsePairs(good.subarray(0, size))).toEqual([])
    expect(parsePairs(Buffer.concat([good, Buffer.from([0])]))).toEqual([])
    const noTerminator = Buffer.from(good)
    noTerminator[noTerminator.length - 1] = 1
    expect(parsePairs(noTerminator)).toEqual([])
    const hugeLength = Buffer.from(good)
    hugeLength.writeUInt32LE(0xffffffff, 4)
    expect(parsePairs(hugeLength)).toEqual([])
  })

  it('are limited in number and size', () => {
    const many = (count: number) => serializePairs(Array.from({ length: count }, (): Pair => ['k', 'v']))
    expect(parsePairs(many(1024))).toHaveLength(1024)
    expect(parsePairs(many(1025))).toEqual([])
    expect(parsePairs(serializePairs([['k', 'x'.repeat(1 << 20)]]))).toEqual([])
  })
})
