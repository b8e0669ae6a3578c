// Rules as an index. Each way in which a rule can match (one entry of `from`, one of `to`, all of `when`) is an *alternative*: conditions that must all
// hold. Each alternative waits at one of its conditions, its *pivot*: the one whose patterns the fewest alternatives share. A request's value of an
// attribute is looked up once, which gives the patterns that it matches, and these the few alternatives that are worth a closer look.

import { Bytes } from '@meshscript/sdk'
import { Ints } from '../regex/ints'
import { Conditions, HOLDS_IF_UNKNOWN, NEGATED } from './conditions'
import { Attribute, Dimension } from './dimension'
import { Directory } from './directory'
import { sortedOrder } from './order'
import { Matches } from './matches'
import { Pivots } from './pivots'

/** So many attributes of a directory's kind are looked at one by one. */
const MIN_DIRECTORY: i32 = 8

/** A rule of an index; what it stands for is up to the filter. */
export abstract class IndexedRule {
  constructor(
    /** Comes before rules with a higher rank. */
    readonly rank: i32,
    /** Within a rank, the least in byte order comes first. */
    readonly id: Bytes,
  ) {}
}

/**
 * Finds the first rule that a request matches, or all of them, at a cost that does not grow with the number of rules
 * where they differ in exact values, prefixes, suffixes, regular expressions or blocks of addresses.
 *
 * ```ts
 * const index = new RuleIndex<MyRule>()
 * const path = index.dimension(new PathAttribute(request))
 * index.beginAlternative(rule)
 * index.addPattern(path.addText(PatternKind.Prefix, utf8('/admin/')))
 * index.addCondition(path)
 * index.compile()
 * …
 * const found = index.first()
 * ```
 */
export class RuleIndex<R extends IndexedRule> {
  private dimensions: Dimension[] = []
  private conditions: Conditions = new Conditions()
  /** Rule of each alternative. */
  private rules: R[] = []
  /** Where each alternative's conditions begin; one more at the end. */
  private starts: Ints = new Ints(64)
  /** The conditions of the alternatives. Once compiled, without their pivots. */
  private members: Ints = new Ints(128)
  private patterns: Ints = new Ints(16)
  private pivots: Pivots | null = null
  /** Counts the requests. */
  private request: u32 = 0
  /** Tells which of very many attributes need a look; null where there are few. To be set before `compile`. */
  directory: Directory | null = null
  /** Places in the pivots' dimensions of those that the directory does not know. */
  private others: Ints = new Ints(4)

  /** Number of alternatives. */
  get size(): i32 {
    return this.rules.length
  }

  /** The dimension of an attribute; the same for the same one. */
  dimension(attribute: Attribute): Dimension {
    const dimensions = this.dimensions
    for (let i = 0; i < dimensions.length; i++) {
      if (dimensions[i].attribute.key.equals(attribute.key)) return dimensions[i]
    }
    const added = new Dimension(attribute)
    dimensions.push(added)
    return added
  }

  /** Begins a way in which the rule can match. Without conditions it always does. */
  beginAlternative(rule: R): void {
    this.rules.push(rule)
    this.starts.push(this.members.length)
  }

  /** A pattern for the next condition: a number that its dimension has given. */
  addPattern(pattern: i32): void {
    this.patterns.push(pattern)
  }

  /** Adds a condition to the alternative that was begun last: one of the patterns matches, or, `isNegated`, none of them does. */
  addCondition(dimension: Dimension, isNegated: bool = false, holdsIfUnknown: bool = false): void {
    const flags = (isNegated ? NEGATED : 0) | (holdsIfUnknown ? HOLDS_IF_UNKNOWN : 0)
    this.members.push(this.conditions.add(this.dimensions.indexOf(dimension), flags, this.patterns))
    this.patterns.length = 0
  }

  /** Call it once, after the last rule. */
  compile(): void {
    const dimensions = this.dimensions
    for (let i = 0; i < dimensions.length; i++) dimensions[i].compile()
    this.starts.push(this.members.length)
    this.conditions.compile()
    this.sort()
    const pivots = new Pivots(dimensions, this.conditions, this.starts, this.members)
    this.pivots = pivots
    this.fill(pivots)
  }

  private fill(pivots: Pivots): void {
    const directory = this.directory
    const used = pivots.dimensions
    if (directory && used.length > MIN_DIRECTORY) {
      for (let d = 0; d < used.length; d++) {
        if (!directory.add(this.dimensions[used[d]].attribute, d)) this.others.push(d)
      }
      if (used.length - this.others.length > MIN_DIRECTORY) return
    }
    this.directory = null
    this.others.length = 0
    for (let d = 0; d < used.length; d++) this.others.push(d)
  }

  /** Puts the alternatives into the order of their rules. */
  private sort(): void {
    const rules = this.rules
    const order = sortedOrder<R>(rules)
    const starts = new Ints(rules.length + 1)
    const members = new Ints(max(this.members.length, 1))
    const sorted = new Array<R>(rules.length)
    for (let i = 0; i < rules.length; i++) {
      const from = unchecked(order[i])
      sorted[i] = rules[from]
      starts.push(members.length)
      for (let n = this.starts.at(from); n < this.starts.at(from + 1); n++) members.push(this.members.at(n))
    }
    starts.push(members.length)
    this.rules = sorted
    this.starts = starts
    this.members = members
  }

  /** The first rule that the request matches; null when it matches none. */
  first(): R | null {
    const pivots = this.pivots
    if (!pivots) return null
    const request = ++this.request
    const rules = this.rules
    let best = rules.length
    for (let i = 0; i < pivots.always.length; i++) {
      const alternative = pivots.always.at(i)
      if (alternative >= best) break
      if (this.holds(alternative, request)) {
        best = alternative
        break
      }
    }
    const others = this.others
    for (let i = 0; i < others.length; i++) best = this.firstOf(pivots, others.at(i), request, best)
    const directory = this.directory
    if (directory) {
      const count = directory.find()
      for (let i = 0; i < count; i++) best = this.firstOf(pivots, unchecked(directory.found[i]), request, best)
    }
    return best < rules.length ? unchecked(rules[best]) : null
  }

  /** The first of the alternatives that wait at a dimension, if it comes before `best`; else `best`. */
  // @ts-ignore: decorator
  @inline
  private firstOf(pivots: Pivots, d: i32, request: u32, best: i32): i32 {
    const dimension = unchecked(this.dimensions[unchecked(pivots.dimensions[d])])
    dimension.look(request)
    const lists = unchecked(pivots.lists[d])
    const count = dimension.isKnown ? dimension.matches.count : lists.patterns
    for (let m = 0; m < count; m++) {
      // Where the value can't be known, all that wait for one are looked at.
      const pattern = dimension.isKnown ? unchecked(dimension.matches.ids[m]) : m
      for (let i = lists.start(pattern), end = lists.start(pattern + 1); i < end; i++) {
        const alternative = lists.alternative(i)
        if (alternative >= best) break
        if (!dimension.isKnown && !lists.holdsIfUnknown(i)) continue
        if (this.holds(alternative, request)) {
          best = alternative
          break
        }
      }
    }
    return best
  }

  /** Adds all rules that the request matches to `found`, in no order; a rule may be there more than once. */
  all(found: R[]): void {
    const pivots = this.pivots
    if (!pivots) return
    const request = ++this.request
    for (let i = 0; i < pivots.always.length; i++) {
      if (this.holds(pivots.always.at(i), request)) found.push(unchecked(this.rules[pivots.always.at(i)]))
    }
    const used = pivots.dimensions
    for (let d = 0; d < used.length; d++) {
      const dimension = unchecked(this.dimensions[unchecked(used[d])])
      dimension.look(request)
      const lists = unchecked(pivots.lists[d])
      const count = dimension.isKnown ? dimension.matches.count : lists.patterns
      for (let m = 0; m < count; m++) {
        const pattern = dimension.isKnown ? unchecked(dimension.matches.ids[m]) : m
        for (let i = lists.start(pattern), end = lists.start(pattern + 1); i < end; i++) {
          if (!dimension.isKnown && !lists.holdsIfUnknown(i)) continue
          const alternative = lists.alternative(i)
          if (this.holds(alternative, request)) found.push(unchecked(this.rules[alternative]))
        }
      }
    }
  }

  /** Whether all conditions of an alternative hold, its pivot apart. */
  private holds(alternative: i32, request: u32): bool {
    const starts = this.starts
    for (let i = starts.at(alternative), end = starts.at(alternative + 1); i < end; i++) {
      if (!this.holdsCondition(this.members.at(i), request)) return false
    }
    return true
  }

  private holdsCondition(condition: i32, request: u32): bool {
    const conditions = this.conditions
    const dimension = unchecked(this.dimensions[conditions.dimension(condition)])
    dimension.look(request)
    const flags = conditions.flags(condition)
    if (!dimension.isKnown) return (flags & HOLDS_IF_UNKNOWN) != 0
    const matches = dimension.matches
    return this.matches(condition, matches) != ((flags & NEGATED) != 0)
  }

  private matches(condition: i32, matches: Matches): bool {
    const conditions = this.conditions
    const size = conditions.size(condition)
    // Of the two lists the shorter one is gone through.
    if (size <= matches.count * 4) {
      for (let i = 0; i < size; i++) if (matches.has(conditions.pattern(condition, i))) return true
    } else {
      for (let i = 0; i < matches.count; i++) {
        if (conditions.contains(condition, unchecked(matches.ids[i]))) return true
      }
    }
    return false
  }
}
