import { Bytes, ByteString } from '@meshscript/sdk'
import { Automaton } from './automaton'
import { Parser } from './parser'
import { PatternTree } from './pattern_tree'
import { MAX_PATTERN, MAX_PROGRAM } from './program'

/**
 * Regular expressions in RE2's syntax, all matched in one pass over a text. As in Envoy, an expression must match the whole text.
 *
 * Time is linear in the text and memory is bounded, whatever the expressions: what they have in common at their beginning is done once,
 * and the automaton's states are made when texts need them, in at most 1 MB.
 *
 * ```ts
 * const paths = new RegexSet()
 * const number = paths.add(pattern)
 * if (number < 0) return configuration.fail(paths.error)
 * paths.compile()
 * const count = paths.match(path) // paths.matched[0] … paths.matched[count - 1]
 * ```
 */
@final
export class RegexSet {
  /** Why `add` answered -1. */
  error: string = ''

  private parser: Parser | null = new Parser()
  private tree: PatternTree | null = new PatternTree()
  /** Numbers by pattern, until `compile`. */
  private numbers: Map<u32, i32> = new Map<u32, i32>()
  private patterns: Bytes[] = []
  private automaton: Automaton | null = null
  private none: StaticArray<i32> = new StaticArray<i32>(0)

  /** Number of patterns. */
  size: i32 = 0

  /** Adds a pattern. Answers its number (0, 1, 2…; the same text has the same number), or -1 when it is refused; then see `error`. */
  add(pattern: ByteString): i32 {
    const parser = this.parser
    const tree = this.tree
    if (!parser || !tree) {
      this.error = 'the set is compiled already'
      return -1
    }
    const patterns = this.patterns
    let hash = pattern.hash()
    while (this.numbers.has(hash)) {
      const number = this.numbers.get(hash)
      if (patterns[number].equals(pattern)) return number
      hash++
    }
    if (!parser.parse(pattern)) {
      this.error = parser.error
      return -1
    }
    if (!tree.addPattern(parser, patterns.length)) {
      this.error = `it needs more than ${MAX_PATTERN} instructions, or all patterns more than ${MAX_PROGRAM}`
      return -1
    }
    this.numbers.set(hash, patterns.length)
    patterns.push(pattern.persist())
    return this.size++
  }

  /** Call it once, after the last `add`. */
  compile(): void {
    const tree = this.tree
    if (!tree) return
    const program = tree.program
    this.automaton = new Automaton(
      program.toStaticArray(),
      StaticArray.slice(program.sets.data, 0, program.sets.length),
      program.assertions,
      this.patterns.length,
    )
    this.parser = null
    this.tree = null
    this.numbers = new Map<u32, i32>()
    this.patterns = []
  }

  /** Answers how many patterns match the whole text. Their numbers are in `matched`, ascending. */
  match(text: ByteString): i32 {
    const automaton = this.automaton
    return automaton ? automaton.match(text) : 0
  }

  /** Numbers of the patterns that the last text matched; as many are valid as `match` has answered. */
  get matched(): StaticArray<i32> {
    const automaton = this.automaton
    return automaton ? automaton.matched : this.none
  }
}
