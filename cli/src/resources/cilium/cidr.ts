/** Address blocks as Cilium writes them. */
import { BlockList, isIP } from 'node:net'

/** A block with its length; a single address stands for itself. Undefined: it is neither. */
export function parseBlock(text: string): { address: string; length: number; family: 'ipv4' | 'ipv6' } | undefined {
  const [address = '', length, ...rest] = text.split('/')
  const version = isIP(address)
  const most = version === 6 ? 128 : 32
  if (!version || rest.length > 0 || address.includes('%')) return undefined
  if (length !== undefined && !/^(0|[1-9]\d{0,2})$/.test(length)) return undefined
  const bits = length === undefined ? most : Number(length)
  return bits > most ? undefined : { address, length: bits, family: version === 6 ? 'ipv6' : 'ipv4' }
}

/** With its length, as the filter's configuration wants it. */
export function normalizeBlock(text: string): string {
  const block = parseBlock(text)
  return block ? `${block.address}/${block.length}` : text
}

/** Whether a block or address lies in another one. */
export function contains(outer: string, inner: string): boolean {
  const [block, part] = [parseBlock(outer), parseBlock(inner)]
  if (!block || !part || block.family !== part.family || part.length < block.length) return false
  const blocks = new BlockList()
  blocks.addSubnet(block.address, block.length, block.family)
  return blocks.check(part.address, part.family)
}
