import { BlockList, isIP } from 'node:net'
import { expect, test } from 'vitest'
import { Random } from '../json/documents.ts'
import regex from './assembly/index.ts?filter'
import { RegexModule } from './module.ts'

const ADDRESSES = 20_000
const PIECES = [
  '0',
  '1',
  '9',
  '10',
  '255',
  '256',
  '00',
  '01',
  'f',
  'FFFF',
  'ab12',
  '12345',
  '.',
  '.',
  '.',
  ':',
  ':',
  ':',
  '::',
  '%',
  '%eth0',
  ' ',
  '/',
  'g',
  '-1',
]

/** Few values, so that addresses and blocks meet. */
function address(random: Random): string {
  const byte = () => random.pick([0, 1, 10, 127, 128, 192, 254, 255, random.below(256)])
  if (random.below(2)) return Array.from({ length: 4 }, byte).join('.')
  const groups = Array.from({ length: 8 }, () =>
    random.pick([0, 0, 0, 1, 0xfd00, 0xffff, random.below(65_536)]).toString(16),
  )
  const form = random.below(4)
  if (form === 0) return groups.join(':')
  const from = random.below(7)
  const short = `${groups.slice(0, from).join(':')}::${groups.slice(from + 2 + random.below(6)).join(':')}`
  if (form === 1) return short.toUpperCase()
  return form === 2 ? `::ffff:${Array.from({ length: 4 }, byte).join('.')}` : short
}

function soup(random: Random): string {
  return Array.from({ length: 1 + random.below(9) }, () => random.pick(PIECES)).join('')
}

test(`${ADDRESSES} addresses are in the blocks that node:net says`, () => {
  const module = new RegexModule(regex)
  const random = new Random(11)
  const count = { in: 0, out: 0, refused: 0 }
  for (let done = 0; done < ADDRESSES;) {
    const blocks = Array.from({ length: 1 + random.below(20) }, () => {
      const ip = random.below(10) ? address(random) : soup(random)
      const bits = ip.includes(':') ? 128 : 32
      return random.below(6) ? `${ip}/${random.below(8) ? random.below(bits + 1) : random.below(200)}` : ip
    })
    const lists = blocks.map((block) => {
      const [ip = '', length] = block.split('/')
      const kind = isIP(ip)
      const bits = kind === 6 ? 128 : 32
      const list = new BlockList()
      if (!kind || block.split('/').length > 2 || Number(length ?? bits) > bits) return undefined
      list.addSubnet(ip.split('%')[0] ?? '', Number(length ?? bits), kind === 6 ? 'ipv6' : 'ipv4')
      return { list, kind }
    })
    expect(module.blocks(blocks), blocks.join()).toEqual(lists.map((list) => list !== undefined))
    const addresses = Array.from({ length: 50 }, () => (random.below(8) ? address(random) : soup(random)))
    for (const [i, found] of module.addresses(addresses).entries()) {
      const ip = addresses[i] ?? ''
      const kind = isIP(ip)
      // Unlike Node's lists, ours never take an IPv6 address for an IPv4 one.
      const expected = lists.flatMap((entry, number) =>
        entry?.kind === kind && entry.list.check(ip.split('%')[0] ?? '', kind === 6 ? 'ipv6' : 'ipv4') ? [number] : [],
      )
      expect(found, `${ip} in ${blocks.join()}`).toEqual(kind ? expected : undefined)
      if (!kind) count.refused++
      else if (expected.length) count.in++
      else count.out++
      done++
    }
  }
  expect(Math.min(count.in, count.out, count.refused)).toBeGreaterThan(ADDRESSES / 40)
})

test('IPv4 and IPv6 do not mix; bits after the length, and zones, do not count', () => {
  const module = new RegexModule(regex)
  expect(module.blocks(['10.1.2.3/8', '::ffff:10.0.0.0/104', '0.0.0.0/0', '::/0', 'fe80::1%eth0/64'])).toEqual(
    Array(5).fill(true),
  )
  expect(module.addresses(['10.9.9.9', '::ffff:10.9.9.9', 'fe80::2%lo', '11.0.0.1:80', ''])).toEqual([
    [0, 2],
    [1, 3],
    [3, 4],
    undefined,
    undefined,
  ])
})

test('10 000 blocks', () => {
  const module = new RegexModule(regex)
  const blocks = Array.from({ length: 10_000 }, (_, i) => `10.${i >> 8}.${i & 255}.0/24`)
  expect(module.blocks(blocks).every(Boolean)).toBe(true)
  expect(module.addresses(['10.39.15.7', '10.39.16.7'])).toEqual([[9999], []])
  expect(module.memory).toBeLessThan(8 << 20)
})
