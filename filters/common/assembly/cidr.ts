import { ByteString } from '@meshscript/sdk'
import { Ints, sort } from './regex/ints'

/** Integers of a node: where bit 0 leads, where bit 1 leads, its entry (0: none). */
const STRIDE: i32 = 3

/**
 * Blocks of IPv4 and IPv6 addresses. An address is looked up bit by bit, however many blocks there are.
 *
 * As in Envoy, the two kinds never mix: `::ffff:10.0.0.1` is an IPv6 address, which no IPv4 block contains.
 */
@final
export class CidrTrie {
  /** Numbers of the blocks that contain the last address; as many are valid as `match` has answered. */
  matched: StaticArray<i32> = new StaticArray<i32>(0)

  /** The first two nodes are the roots of IPv4 and IPv6; 0 as a target is none. */
  private nodes: Ints = new Ints(64 * STRIDE)
  /** Numbers of blocks: number, next entry of the same block. */
  private entries: Ints = new Ints(64)
  private address: StaticArray<u8> = new StaticArray<u8>(16)

  constructor() {
    this.addNode()
    this.addNode()
    this.entries.push(0)
    this.entries.push(0)
  }

  /**
   * Adds a block like `10.0.0.0/8` or `::1` (one address) under a number. Bits after the length are ignored.
   * Answers false when it is no block.
   */
  add(block: ByteString, number: i32): bool {
    const slash = block.indexOfByte(0x2f)
    const bits = this.parse(block.ptr, slash < 0 ? block.length : slash)
    if (!bits) return false
    let length = bits
    if (slash >= 0) {
      length = parseLength(block, slash + 1)
      if (length < 0 || length > bits) return false
    }
    const nodes = this.nodes
    let node = bits == 32 ? 0 : STRIDE
    for (let i = 0; i < length; i++) {
      const branch = node + this.bit(i)
      if (!nodes.at(branch)) {
        // Adding may move the nodes.
        const child = this.addNode()
        nodes.set(branch, child)
      }
      node = nodes.at(branch)
    }
    for (let entry = nodes.at(node + 2); entry; entry = this.entries.at(entry + 1)) {
      if (this.entries.at(entry) == number) return true
    }
    this.entries.push(number)
    this.entries.push(nodes.at(node + 2))
    nodes.set(node + 2, this.entries.length - 2)
    if (this.matched.length < this.entries.length >> 1) this.matched = new StaticArray<i32>(this.entries.length)
    return true
  }

  /** Answers how many blocks contain the address, or -1 when it is no IP address. Their numbers are in `matched`, ascending. */
  match(address: ByteString): i32 {
    const bits = this.parse(address.ptr, address.length)
    if (!bits) return -1
    const nodes = this.nodes
    const entries = this.entries
    let count = 0
    let node = bits == 32 ? 0 : STRIDE
    for (let i = 0; ; i++) {
      for (let entry = nodes.at(node + 2); entry; entry = entries.at(entry + 1)) {
        unchecked((this.matched[count++] = entries.at(entry)))
      }
      if (i == bits) break
      node = nodes.at(node + this.bit(i))
      if (!node) break
    }
    if (count > 1) {
      sort(this.matched, 0, count, 1)
      count = this.unique(count)
    }
    return count
  }

  private unique(count: i32): i32 {
    let kept = 1
    for (let i = 1; i < count; i++) {
      const number = unchecked(this.matched[i])
      if (number != unchecked(this.matched[kept - 1])) unchecked((this.matched[kept++] = number))
    }
    return kept
  }

  private addNode(): i32 {
    for (let i = 0; i < STRIDE; i++) this.nodes.push(0)
    return this.nodes.length - STRIDE
  }

  // @ts-ignore: decorator
  @inline
  private bit(index: i32): i32 {
    return ((<i32>unchecked(this.address[index >> 3])) >> (7 - (index & 7))) & 1
  }

  /** Reads an address into `address`. Answers how many bits it has, 0 when it is none. */
  private parse(text: usize, length: i32): i32 {
    for (let i = 0; i < length; i++) {
      if (load<u8>(text + i) == 0x3a) return this.parseIPv6(text, length) ? 128 : 0
    }
    return parseIPv4(text, length, changetype<usize>(this.address)) ? 32 : 0
  }

  private parseIPv6(text: usize, textLength: i32): bool {
    const address = changetype<usize>(this.address)
    // A zone says by which link, not which address.
    let length = 0
    while (length < textLength && load<u8>(text + length) != 0x25) length++
    if (length == textLength - 1) return false
    for (let i = length + 1; i < textLength; i++) if (!isZoneByte(load<u8>(text + i))) return false
    let size = 0
    /** Where :: stands for zeros. */
    let gap = -1
    let i = 0
    if (length >= 2 && load<u16>(text) == 0x3a3a) {
      gap = 0
      i = 2
    }
    while (i < length) {
      if (size == 16) return false
      let value = 0
      let digits = 0
      const start = i
      for (; i < length && digits < 5; i++, digits++) {
        const digit = hexadecimalDigit(load<u8>(text + i))
        if (digit < 0) break
        value = (value << 4) | digit
      }
      if (i < length && load<u8>(text + i) == 0x2e) {
        if (size > 12 || !parseIPv4(text + start, length - start, address + size)) return false
        size += 4
        break
      }
      if (digits == 0 || digits > 4) return false
      store<u8>(address + size, value >> 8)
      store<u8>(address + size, value, 1)
      size += 2
      if (i == length) break
      if (load<u8>(text + i) != 0x3a || ++i == length) return false
      if (load<u8>(text + i) == 0x3a) {
        if (gap >= 0) return false
        gap = size
        i++
      }
    }
    if (gap < 0) return size == 16
    if (size == 16) return false
    memory.copy(address + gap + 16 - size, address + gap, size - gap)
    memory.fill(address + gap, 0, 16 - size)
    return true
  }
}

/** Four decimal numbers; no leading zeros. */
function parseIPv4(text: usize, length: i32, into: usize): bool {
  let i = 0
  for (let part = 0; part < 4; part++) {
    if (part) {
      if (i >= length || load<u8>(text + i) != 0x2e) return false
      i++
    }
    const start = i
    let value: u32 = 0
    for (; i < length && i < start + 4; i++) {
      const digit = <u32>load<u8>(text + i) - 0x30
      if (digit > 9) break
      value = value * 10 + digit
    }
    if (i == start || value > 255 || (i > start + 1 && load<u8>(text + start) == 0x30)) return false
    store<u8>(into + part, value)
  }
  return i == length
}

/** The decimal number from `at` to the end, or -1. */
function parseLength(block: ByteString, at: i32): i32 {
  const digits = block.length - at
  if (digits < 1 || digits > 3) return -1
  let value = 0
  for (let i = at; i < block.length; i++) {
    const digit = block.byteAt(i) - 0x30
    if (<u32>digit > 9) return -1
    value = value * 10 + digit
  }
  return value
}

function hexadecimalDigit(c: i32): i32 {
  if (<u32>(c - 0x30) < 10) return c - 0x30
  const letter = (c | 0x20) - 0x61
  return <u32>letter < 6 ? letter + 10 : -1
}

/** Letters, digits, and -.: */
function isZoneByte(c: i32): bool {
  return <u32>((c | 0x20) - 0x61) < 26 || <u32>(c - 0x30) <= 10 || c == 0x2d || c == 0x2e
}
