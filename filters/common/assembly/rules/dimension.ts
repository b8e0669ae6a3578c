import { Bytes, ByteString } from '@meshscript/sdk'
import { CidrTrie } from '../cidr'
import { RegexSet } from '../regex'
import { Ints } from '../regex/ints'
import { Matches } from './matches'
import { PatternKind, TextPatterns } from './text_patterns'

/** Something of a request that rules look at: its path, a header, the peer's identity. */
export abstract class Attribute {
  /** Says which one: attributes with the same key are the same. */
  readonly key: Bytes
  /** What reading it costs: 0 where it comes with what is read anyway, 1 for a hostcall. */
  readonly cost: i32

  constructor(key: Bytes, cost: i32) {
    this.key = key
    this.cost = cost
  }

  /**
   * Gives the request's values to the dimension: `text` for each, or `address`, or `number`. None where the request has none.
   * Answers false where the value can't be known; then conditions answer what they were told to for that.
   */
  abstract read(dimension: Dimension): bool
}

/** One attribute with all patterns that rules compare it with. A request's value is read and compared at most once. */
@final
export class Dimension {
  /** False when this request's value can't be known. Valid after `look`. */
  isKnown: bool = true
  /** The patterns that this request's values match. Valid after `look`. */
  matches: Matches = new Matches(0)
  /** Number of patterns. */
  size: i32 = 0

  private texts: TextPatterns = new TextPatterns()
  private hasTexts: bool = false
  private regexes: RegexSet | null = null
  /** Pattern by the number in the set. */
  private regexIds: Ints = new Ints(4)
  private blocks: CidrTrie | null = null
  private blockIds: Map<u32, i32> = new Map<u32, i32>()
  private blockTexts: Bytes[] = []
  /** Ranges of numbers: from, to, pattern. */
  private ranges: Ints = new Ints(6)
  private present: i32 = -1
  private presentNotEmpty: i32 = -1
  /** The request that `matches` is about. */
  private request: u32 = 0

  constructor(readonly attribute: Attribute) {}

  /** Number of a pattern for exact texts, prefixes or suffixes; the same for the same pattern. */
  addText(kind: PatternKind, text: ByteString): i32 {
    this.hasTexts = true
    return this.count(this.texts.add(kind, text, this.size))
  }

  /** Number of the pattern that any value matches, or any that is not empty. */
  addPresent(isNotEmpty: bool): i32 {
    if (isNotEmpty) {
      if (this.presentNotEmpty < 0) this.presentNotEmpty = this.size++
      return this.presentNotEmpty
    }
    if (this.present < 0) this.present = this.size++
    return this.present
  }

  /** Number of a regular expression in RE2's syntax; -1 when it is refused, `regexError` saying why. */
  addRegex(regex: ByteString): i32 {
    let set = this.regexes
    if (!set) this.regexes = set = new RegexSet()
    const number = set.add(regex)
    if (number < 0) return -1
    if (number == this.regexIds.length) this.regexIds.push(this.size++)
    return this.regexIds.at(number)
  }

  /** Why `addRegex` has refused; of no use before. */
  get regexError(): string {
    return this.regexes!.error
  }

  /** Number of a block of addresses; -1 when it is none. */
  addBlock(block: ByteString): i32 {
    let hash = block.hash()
    while (this.blockIds.has(hash)) {
      const id = this.blockIds.get(hash)
      if (this.blockTexts[id].equals(block)) return id
      hash++
    }
    let trie = this.blocks
    if (!trie) this.blocks = trie = new CidrTrie()
    // All patterns of a dimension of addresses are blocks, so that numbers and texts go together.
    if (!trie.add(block, this.size)) return -1
    this.blockIds.set(hash, this.size)
    this.blockTexts.push(block.persist())
    return this.size++
  }

  /** Number of a range of integers. */
  addRange(from: i32, to: i32): i32 {
    const ranges = this.ranges
    for (let i = 0; i < ranges.length; i += 3) {
      if (ranges.at(i) == from && ranges.at(i + 1) == to) return ranges.at(i + 2)
    }
    ranges.push(from)
    ranges.push(to)
    ranges.push(this.size)
    return this.size++
  }

  private count(id: i32): i32 {
    if (id == this.size) this.size++
    return id
  }

  /** Call it once, after the last pattern. */
  compile(): void {
    const regexes = this.regexes
    if (regexes) regexes.compile()
    this.blockIds = new Map<u32, i32>()
    this.blockTexts = []
    this.matches = new Matches(this.size)
  }

  /** Reads and compares the value of request number `request`, unless that was done. */
  look(request: u32): void {
    if (this.request == request) return
    this.request = request
    this.matches.clear()
    this.isKnown = this.attribute.read(this)
  }

  // What an attribute gives:

  /** A text, which may be one of several. Regular expressions see `whole` of it. */
  text(value: ByteString, whole: ByteString = value): void {
    const matches = this.matches
    if (this.present >= 0) matches.add(this.present)
    if (this.presentNotEmpty >= 0 && value.length) matches.add(this.presentNotEmpty)
    if (this.hasTexts) this.texts.find(value, matches)
    this.regexText(whole)
  }

  /** A text for regular expressions only. */
  regexText(value: ByteString): void {
    const regexes = this.regexes
    if (!regexes) return
    const count = regexes.match(value)
    for (let i = 0; i < count; i++) this.matches.add(this.regexIds.at(unchecked(regexes.matched[i])))
  }

  /** That there is a value, whatever it is. */
  anything(): void {
    if (this.present >= 0) this.matches.add(this.present)
    if (this.presentNotEmpty >= 0) this.matches.add(this.presentNotEmpty)
  }

  /** An address without a port; false where it is none. */
  address(value: ByteString): bool {
    const blocks = this.blocks
    if (!blocks) return true
    const count = blocks.match(value)
    for (let i = 0; i < count; i++) this.matches.add(unchecked(blocks.matched[i]))
    return count >= 0
  }

  /** A number. */
  number(value: i32): void {
    const ranges = this.ranges
    for (let i = 0; i < ranges.length; i += 3) {
      if (value >= ranges.at(i) && value <= ranges.at(i + 1)) this.matches.add(ranges.at(i + 2))
    }
  }
}
