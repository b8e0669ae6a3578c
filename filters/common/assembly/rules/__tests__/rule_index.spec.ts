import { Bytes, utf8 } from '@meshscript/sdk'
import { Attribute, Dimension } from '../dimension'
import { IndexedRule, RuleIndex } from '../rule_index'
import { PatternKind } from '../text_patterns'

/** xorshift32: the same numbers in every run. */
let seed: u32 = 1

function below(limit: i32): i32 {
  seed ^= seed << 13
  seed ^= seed >> 17
  seed ^= seed << 5
  return <i32>((seed >> 8) % <u32>limit)
}

class Rule extends IndexedRule {
  constructor(
    rank: i32,
    readonly name: string,
  ) {
    super(rank, Bytes.from(name))
  }
}

enum Kind {
  Exact,
  Prefix,
  Suffix,
  Present,
  PresentNotEmpty,
  Regex,
  Block,
  Range,
}

const REGEXES = ['a*', '.*b', '(?:a|b)b?', '[^a]{2,3}']

/** `REGEXES` by hand. */
function matchesRegex(which: i32, text: string): bool {
  if (which == 0) return text == 'a'.repeat(text.length)
  if (which == 1) return text.endsWith('b')
  if (which == 2) return text == 'a' || text == 'b' || text == 'ab' || text == 'bb'
  return text.length >= 2 && text.length <= 3 && !text.includes('a')
}

class Pattern {
  constructor(
    readonly kind: Kind,
    readonly text: string,
    /** Which regular expression, first number of a range, address. */
    readonly from: u32 = 0,
    /** Last number of a range, length of a block. */
    readonly to: u32 = 0,
  ) {}

  static text(): Pattern {
    const kind = <Kind>below(6)
    if (kind == Kind.Regex) return new Pattern(kind, '', below(REGEXES.length))
    if (kind == Kind.Present || kind == Kind.PresentNotEmpty) return new Pattern(kind, '')
    const text = randomText()
    return new Pattern(kind, kind == Kind.Exact || text.length ? text : 'a')
  }

  static block(): Pattern {
    const length = [0, 8, 15, 16, 30, 32][below(6)]
    return new Pattern(Kind.Block, '', randomAddress(), length)
  }

  static range(): Pattern {
    const from = below(8)
    return new Pattern(Kind.Range, '', from, from + below(3))
  }

  add(dimension: Dimension): i32 {
    const text = utf8(this.text)
    if (this.kind == Kind.Exact) return dimension.addText(PatternKind.Exact, text)
    if (this.kind == Kind.Prefix) return dimension.addText(PatternKind.Prefix, text)
    if (this.kind == Kind.Suffix) return dimension.addText(PatternKind.Suffix, text)
    if (this.kind == Kind.Regex) return dimension.addRegex(utf8(REGEXES[this.from]))
    if (this.kind == Kind.Block) return dimension.addBlock(utf8(dotted(this.from) + '/' + this.to.toString()))
    if (this.kind == Kind.Range) return dimension.addRange(this.from, this.to)
    return dimension.addPresent(this.kind == Kind.PresentNotEmpty)
  }

  matches(value: Value): bool {
    const text = value.text
    if (this.kind == Kind.Exact) return text == this.text
    if (this.kind == Kind.Prefix) return text.startsWith(this.text)
    if (this.kind == Kind.Suffix) return text.endsWith(this.text)
    if (this.kind == Kind.Regex) return matchesRegex(this.from, text)
    if (this.kind == Kind.Block) return !this.to || (value.number ^ this.from) >> (32 - this.to) == 0
    if (this.kind == Kind.Range) return value.number >= this.from && value.number <= this.to
    return this.kind == Kind.Present || text.length > 0
  }
}

class Value {
  constructor(
    readonly text: string,
    readonly number: u32,
  ) {}
}

/** An attribute whose values the test sets. */
class Given extends Attribute {
  values: Value[] = []
  isKnown: bool = true
  reads: i32 = 0

  constructor(
    readonly kind: Kind,
    name: string,
    cost: i32,
  ) {
    super(Bytes.from(name), cost)
  }

  read(dimension: Dimension): bool {
    this.reads++
    // What was given before the value turned out not to be known must not count.
    for (let i = 0; i < this.values.length; i++) {
      const value = this.values[i]
      if (this.kind == Kind.Block) dimension.address(utf8(dotted(value.number)))
      else if (this.kind == Kind.Range) dimension.number(value.number)
      else dimension.text(utf8(value.text))
    }
    return this.isKnown
  }

  randomize(): void {
    this.isKnown = below(5) > 0
    this.values = []
    // Addresses and numbers are one or none.
    const count = this.kind == Kind.Exact ? below(4) : below(4) ? 1 : 0
    for (let i = 0; i < count; i++) {
      this.values.push(new Value(randomText(), this.kind == Kind.Block ? randomAddress() : below(10)))
    }
  }
}

class Condition {
  patterns: Pattern[] = []

  constructor(
    readonly attribute: Given,
    readonly isNegated: bool,
    readonly holdsIfUnknown: bool,
  ) {}

  holds(): bool {
    if (!this.attribute.isKnown) return this.holdsIfUnknown
    for (let i = 0; i < this.patterns.length; i++) {
      for (let n = 0; n < this.attribute.values.length; n++) {
        if (this.patterns[i].matches(this.attribute.values[n])) return !this.isNegated
      }
    }
    return this.isNegated
  }
}

class Alternative {
  conditions: Condition[] = []

  constructor(readonly rule: Rule) {}

  holds(): bool {
    for (let i = 0; i < this.conditions.length; i++) if (!this.conditions[i].holds()) return false
    return true
  }
}

/** Alternatives that are gone through one by one, and the index of them. */
class Both {
  index: RuleIndex<Rule> = new RuleIndex<Rule>()
  alternatives: Alternative[] = []
  attributes: Given[] = [
    new Given(Kind.Exact, 'free text', 0),
    new Given(Kind.Exact, 'another text', 0),
    new Given(Kind.Exact, 'text', 1),
    new Given(Kind.Block, 'address', 1),
    new Given(Kind.Range, 'number', 1),
  ]

  begin(rule: Rule): void {
    this.alternatives.push(new Alternative(rule))
    this.index.beginAlternative(rule)
  }

  condition(attribute: i32, patterns: Pattern[], isNegated: bool = false, holdsIfUnknown: bool = false): void {
    const given = this.attributes[attribute]
    const condition = new Condition(given, isNegated, holdsIfUnknown)
    condition.patterns = patterns
    this.alternatives[this.alternatives.length - 1].conditions.push(condition)
    const dimension = this.index.dimension(given)
    for (let i = 0; i < patterns.length; i++) this.index.addPattern(patterns[i].add(dimension))
    this.index.addCondition(dimension, isNegated, holdsIfUnknown)
  }

  /** One to three conditions of one to three patterns, mostly. */
  addRandom(rules: Rule[], pool: Pattern[][]): void {
    this.begin(rules[below(rules.length)])
    for (let left = below(8) ? 1 + below(3) : 0; left > 0; left--) {
      const attribute = below(this.attributes.length)
      const patterns: Pattern[] = []
      const choice = pool[attribute]
      for (let i = 1 + below(3); i > 0; i--) patterns.push(choice[below(choice.length)])
      this.condition(attribute, patterns, below(3) == 0, below(2) == 0)
    }
  }

  /** Says of one request what either finds; the same text where they agree. */
  agree(): void {
    const rules: Rule[] = []
    let first: Rule | null = null
    for (let i = 0; i < this.alternatives.length; i++) {
      const alternative = this.alternatives[i]
      if (!alternative.holds()) continue
      const rule = alternative.rule
      if (!rules.includes(rule)) rules.push(rule)
      if (!first || rule.rank < first.rank || (rule.rank == first.rank && rule.name < first.name)) first = rule
    }
    const found = this.index.first()
    expect(found ? found.name : 'none').toBe(first ? first.name : 'none')
    const all: Rule[] = []
    this.index.all(all)
    expect(namesOf(all)).toBe(namesOf(rules))
  }
}

/** The names of the rules in order, each once. */
function namesOf(rules: Rule[]): string {
  const names: string[] = []
  for (let i = 0; i < rules.length; i++) if (!names.includes(rules[i].name)) names.push(rules[i].name)
  return names.sort().join()
}

function randomText(): string {
  let text = ''
  for (let length = below(4); length > 0; length--) text += below(2) ? 'a' : 'b'
  return text
}

function randomAddress(): u32 {
  return ((<u32>[10, 11, 192][below(3)]) << 24) | ((<u32>below(3)) << 16) | (<u32>below(8))
}

function dotted(address: u32): string {
  let text = ''
  for (let shift = 24; shift >= 0; shift -= 8) text += ((address >> shift) & 255).toString() + (shift ? '.' : '')
  return text
}

function makeRules(count: i32): Rule[] {
  const rules: Rule[] = []
  for (let i = 0; i < count; i++) rules.push(new Rule(below(2), 'rule[' + i.toString() + ']'))
  return rules
}

/** The patterns of each attribute; few, so that alternatives share them. */
function makePool(size: i32): Pattern[][] {
  const pool: Pattern[][] = [[], [], [], [], []]
  for (let i = 0; i < size; i++) {
    for (let n = 0; n < 3; n++) pool[n].push(Pattern.text())
    pool[3].push(Pattern.block())
    pool[4].push(Pattern.range())
  }
  return pool
}

function ask(both: Both, requests: i32): void {
  for (let i = 0; i < requests; i++) {
    for (let n = 0; n < both.attributes.length; n++) both.attributes[n].randomize()
    both.agree()
  }
}

describe('an index finds what going through all rules finds', () => {
  test('of random rules', () => {
    seed = 0x2545f491
    for (let i = 0; i < 2000; i++) {
      const both = new Both()
      const rules = makeRules(1 + below(12))
      const pool = makePool(1 + below(8))
      for (let left = below(20); left > 0; left--) both.addRandom(rules, pool)
      both.index.compile()
      ask(both, 8)
    }
  })

  test('of many', () => {
    seed = 0x9e3779b9
    for (let i = 0; i < 6; i++) {
      const both = new Both()
      const rules = makeRules(300)
      const pool = makePool(40)
      for (let n = 0; n < 500; n++) both.addRandom(rules, pool)
      both.index.compile()
      ask(both, 50)
    }
  })

  test('where all share their patterns', () => {
    seed = 77
    const both = new Both()
    const rules = makeRules(200)
    for (let i = 0; i < rules.length; i++) {
      both.begin(rules[i])
      both.condition(0, [new Pattern(Kind.Prefix, 'a')])
      both.condition(2, [new Pattern(Kind.Exact, 'ab'), new Pattern(Kind.Suffix, 'b')], false, i % 2 == 0)
      if (i % 3) both.condition(4, [new Pattern(Kind.Range, '', i % 7, i % 7)], i % 2 == 0)
    }
    both.index.compile()
    ask(both, 500)
  })

  test('of a grid', () => {
    seed = 78
    const both = new Both()
    const texts = ['', 'a', 'b', 'aa', 'ab', 'ba', 'bb', 'aaa', 'aba', 'bab']
    for (let x = 0; x < texts.length; x++) {
      for (let y = 0; y < texts.length; y++) {
        both.begin(new Rule(below(2), texts[x] + '/' + texts[y]))
        both.condition(0, [new Pattern(Kind.Exact, texts[x])])
        both.condition(1, [new Pattern(Kind.Exact, texts[y])])
      }
    }
    both.index.compile()
    ask(both, 500)
  })

  test('where every condition is negated', () => {
    seed = 79
    for (let i = 0; i < 100; i++) {
      const both = new Both()
      const rules = makeRules(20)
      const pool = makePool(4)
      for (let n = 0; n < rules.length; n++) {
        both.begin(rules[n])
        for (let a = 0; a < 5; a++) both.condition(a, [pool[a][below(4)]], true, below(2) == 0)
      }
      both.index.compile()
      ask(both, 20)
    }
  })

  test('where a condition has more patterns than a value matches', () => {
    seed = 80
    const both = new Both()
    const many: Pattern[] = []
    for (let i = 0; i < 200; i++) many.push(new Pattern(Kind.Exact, i.toString()))
    many.push(new Pattern(Kind.Exact, 'ab'))
    const rules = makeRules(2)
    both.begin(rules[0])
    both.condition(0, many)
    both.condition(1, many.slice(100))
    both.begin(rules[1])
    both.condition(0, many, true)
    both.condition(1, [new Pattern(Kind.Present, '')])
    both.index.compile()
    ask(both, 1000)
  })
})

describe('an index', () => {
  test('without rules finds none', () => {
    const index = new RuleIndex<Rule>()
    index.compile()
    expect(index.first()).toBeNull()
    const all: Rule[] = []
    index.all(all)
    expect(all.length).toBe(0)
  })

  test('finds none before it is compiled', () => {
    const index = new RuleIndex<Rule>()
    index.beginAlternative(new Rule(0, 'all'))
    expect(index.first()).toBeNull()
    index.compile()
    expect(index.first()!.name).toBe('all')
  })

  test('takes the lesser rank, then the lesser id in byte order', () => {
    const both = new Both()
    const names = ['b', 'rule[2]', 'rule[10]', 'rule[1]', 'a']
    for (let i = 0; i < names.length; i++) {
      both.begin(new Rule(i == 0 || i == 4 ? 1 : 0, names[i]))
      both.condition(0, [new Pattern(Kind.Present, '')])
    }
    both.index.compile()
    both.attributes[0].values.push(new Value('x', 0))
    expect(both.index.first()!.name).toBe('rule[10]')
    expect(namesOf(bothAll(both))).toBe('a,b,rule[10],rule[1],rule[2]')
  })

  test('reads an attribute once per request, and only where a rule asks for it', () => {
    const both = new Both()
    const rules = makeRules(20)
    for (let i = 0; i < rules.length; i++) {
      both.begin(rules[i])
      both.condition(0, [new Pattern(Kind.Exact, 'ab')])
      both.condition(2, [new Pattern(Kind.Exact, i.toString())], true)
      both.condition(2, [new Pattern(Kind.Prefix, 'a')])
    }
    both.index.compile()
    both.index.first()
    // Nothing has the first value, so that the second one does not matter.
    expect(both.attributes[0].reads).toBe(1)
    expect(both.attributes[2].reads).toBe(0)
    both.attributes[0].values.push(new Value('ab', 0))
    both.index.first()
    expect(both.attributes[0].reads).toBe(2)
    expect(both.attributes[2].reads).toBe(1)
  })

  test('has one dimension for the same attribute', () => {
    const index = new RuleIndex<Rule>()
    const dimension = index.dimension(new Given(Kind.Exact, 'x', 0))
    expect(index.dimension(new Given(Kind.Exact, 'x', 0)) == dimension).toBe(true)
    expect(index.dimension(new Given(Kind.Exact, 'y', 0)) == dimension).toBe(false)
    const a = dimension.addText(PatternKind.Exact, utf8('a'))
    expect(dimension.addText(PatternKind.Exact, utf8('a'))).toBe(a)
    expect(dimension.addText(PatternKind.Prefix, utf8('a'))).not.toBe(a)
    expect(dimension.addBlock(utf8('10.0.0.0/33'))).toBe(-1)
    expect(dimension.addRegex(utf8('('))).toBe(-1)
    expect(dimension.regexError.length).toBeGreaterThan(0)
  })
})

function bothAll(both: Both): Rule[] {
  const all: Rule[] = []
  both.index.all(all)
  return all
}
