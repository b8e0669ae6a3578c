import { utf8 } from '@meshscript/sdk'
import { CidrTrie } from '../cidr'

/** The numbers of the blocks that contain the address, with commas; `?` when it is none. */
function found(trie: CidrTrie, address: string): string {
  const count = trie.match(utf8(address))
  return count < 0 ? '?' : trie.matched.slice<i32[]>(0, count).join()
}

describe('blocks of addresses', () => {
  test('IPv4', () => {
    const trie = new CidrTrie()
    expect(trie.add(utf8('10.0.0.0/8'), 3)).toBe(true)
    expect(trie.add(utf8('10.1.255.255/16'), 1)).toBe(true)
    expect(trie.add(utf8('10.1.2.3'), 2)).toBe(true)
    expect(found(trie, '10.1.2.3')).toBe('1,2,3')
    expect(found(trie, '10.1.0.0')).toBe('1,3')
    expect(found(trie, '10.2.0.0')).toBe('3')
    expect(found(trie, '11.0.0.0')).toBe('')
    expect(found(trie, '::ffff:10.1.2.3')).toBe('')
  })

  test('IPv6', () => {
    const trie = new CidrTrie()
    expect(trie.add(utf8('2001:DB8::/32'), 0)).toBe(true)
    expect(trie.add(utf8('::1'), 1)).toBe(true)
    expect(trie.add(utf8('::/0'), 2)).toBe(true)
    expect(found(trie, '2001:db8:1::')).toBe('0,2')
    expect(found(trie, '0:0:0:0:0:0:0:1')).toBe('1,2')
    expect(found(trie, '::1%eth0')).toBe('1,2')
    expect(found(trie, '127.0.0.1')).toBe('')
  })

  test('a block may have several numbers, and a number several blocks', () => {
    const trie = new CidrTrie()
    trie.add(utf8('10.0.0.0/8'), 7)
    trie.add(utf8('10.0.0.0/8'), -1)
    trie.add(utf8('10.0.0.0/9'), 7)
    expect(found(trie, '10.0.0.1')).toBe('-1,7')
  })

  test('what is no address', () => {
    const trie = new CidrTrie()
    const blocks = [
      '',
      '10.0.0.0/33',
      '10.0.0/8',
      '10.0.0.0/',
      '10.0.0.0/-1',
      '::/129',
      '1::2::3',
      '01.2.3.4',
      'a',
      '1.2.3.4/8/8',
    ]
    for (let i = 0; i < blocks.length; i++) expect(trie.add(utf8(blocks[i]), 0)).toBe(false, blocks[i])
    expect(found(trie, '10.0.0.1:80')).toBe('?')
    expect(found(trie, '')).toBe('?')
  })
})
