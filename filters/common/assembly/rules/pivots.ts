import { Ints, sort } from '../regex/ints'
import { Conditions, HOLDS_IF_UNKNOWN, NEGATED } from './conditions'
import { Dimension } from './dimension'

/** How many more alternatives a pivot may be shared by before a hostcall for another attribute pays. */
const HOSTCALL: i32 = 32

/** The alternatives that wait at one dimension, by pattern. */
@final
export class PivotLists {
  /** Number of patterns. */
  readonly patterns: i32
  private starts: StaticArray<i32>
  /** Alternatives, twice as large; odd where the pivot holds for a value that can't be known. */
  private items: StaticArray<i32>

  constructor(counts: StaticArray<i32>) {
    const patterns = counts.length
    this.patterns = patterns
    const starts = new StaticArray<i32>(patterns + 1)
    for (let i = 0; i < patterns; i++) starts[i + 1] = starts[i] + counts[i]
    this.starts = starts
    this.items = new StaticArray<i32>(starts[patterns])
  }

  /** `left`: how many of the pattern's are still to come. */
  add(pattern: i32, left: i32, alternative: i32, holdsIfUnknown: bool): void {
    this.items[this.starts[pattern + 1] - left] = alternative * 2 + i32(holdsIfUnknown)
  }

  // @ts-ignore: decorator
  @inline
  start(pattern: i32): i32 {
    return unchecked(this.starts[pattern])
  }

  // @ts-ignore: decorator
  @inline
  alternative(i: i32): i32 {
    return unchecked(this.items[i]) >> 1
  }

  holdsIfUnknown(i: i32): bool {
    return (unchecked(this.items[i]) & 1) != 0
  }
}

/** Which condition each alternative waits at. */
@final
export class Pivots {
  /** Alternatives that wait at none, in order: without a condition that asks for something. */
  always: Ints = new Ints(4)
  /** Numbers of the dimensions where some wait, the cheapest first. */
  dimensions: StaticArray<i32>
  /** By the place in `dimensions`. */
  lists: StaticArray<PivotLists>

  /** Takes the pivots out of `members`. */
  constructor(dimensions: Dimension[], conditions: Conditions, starts: Ints, members: Ints) {
    const usage = countUsage(dimensions, conditions, members)
    const size = starts.length - 1
    const chosen = new StaticArray<i32>(size)
    const counts = new StaticArray<StaticArray<i32> | null>(dimensions.length)
    for (let i = 0; i < size; i++) {
      const condition = choose(dimensions, conditions, usage, starts.at(i), starts.at(i + 1), members)
      chosen[i] = condition
      if (condition < 0) continue
      const dimension = conditions.dimension(condition)
      let count = counts[dimension]
      if (!count) counts[dimension] = count = new StaticArray<i32>(dimensions[dimension].size)
      for (let n = 0; n < conditions.size(condition); n++) count[conditions.pattern(condition, n)]++
    }

    const used = new Ints(dimensions.length * 2 + 2)
    for (let i = 0; i < counts.length; i++) {
      if (!counts[i]) continue
      used.push(dimensions[i].attribute.cost)
      used.push(i)
    }
    sort(used.data, 0, used.length >> 1, 2)
    const ordered = new StaticArray<i32>(used.length >> 1)
    const lists: PivotLists[] = []
    const places = new StaticArray<i32>(dimensions.length)
    for (let i = 0; i < ordered.length; i++) {
      const dimension = used.at(i * 2 + 1)
      ordered[i] = dimension
      places[dimension] = i
      lists.push(new PivotLists(counts[dimension]!))
    }
    this.dimensions = ordered
    this.lists = StaticArray.fromArray(lists)
    this.place(conditions, starts, members, chosen, counts, places)
  }

  private place(
    conditions: Conditions,
    starts: Ints,
    members: Ints,
    chosen: StaticArray<i32>,
    counts: StaticArray<StaticArray<i32> | null>,
    places: StaticArray<i32>,
  ): void {
    let to = 0
    for (let i = 0; i < chosen.length; i++) {
      const condition = chosen[i]
      const from = starts.at(i)
      const end = starts.at(i + 1)
      starts.set(i, to)
      for (let n = from; n < end; n++) if (members.at(n) != condition) members.set(to++, members.at(n))
      if (condition < 0) {
        this.always.push(i)
        continue
      }
      const dimension = conditions.dimension(condition)
      const left = counts[dimension]!
      const holds = (conditions.flags(condition) & HOLDS_IF_UNKNOWN) != 0
      for (let n = 0; n < conditions.size(condition); n++) {
        const pattern = conditions.pattern(condition, n)
        this.lists[places[dimension]].add(pattern, left[pattern]--, i, holds)
      }
    }
    starts.set(chosen.length, to)
    members.length = to
  }
}

/** By dimension and pattern: how many alternatives ask for it. */
function countUsage(dimensions: Dimension[], conditions: Conditions, members: Ints): StaticArray<i32>[] {
  const usage: StaticArray<i32>[] = []
  for (let i = 0; i < dimensions.length; i++) usage.push(new StaticArray<i32>(dimensions[i].size))
  for (let i = 0; i < members.length; i++) {
    const condition = members.at(i)
    if (conditions.flags(condition) & NEGATED) continue
    const counts = usage[conditions.dimension(condition)]
    for (let n = 0; n < conditions.size(condition); n++) counts[conditions.pattern(condition, n)]++
  }
  return usage
}

/** The condition of an alternative that the fewest share; -1 when it has none that asks for something. */
function choose(
  dimensions: Dimension[],
  conditions: Conditions,
  usage: StaticArray<i32>[],
  start: i32,
  end: i32,
  members: Ints,
): i32 {
  let best = -1
  let least = i32.MAX_VALUE
  for (let i = start; i < end; i++) {
    const condition = members.at(i)
    if (conditions.flags(condition) & NEGATED) continue
    const dimension = conditions.dimension(condition)
    let shared = 0
    for (let n = 0; n < conditions.size(condition); n++) {
      shared = max(shared, usage[dimension][conditions.pattern(condition, n)])
    }
    const cost = shared + dimensions[dimension].attribute.cost * HOSTCALL
    if (cost >= least) continue
    least = cost
    best = condition
  }
  return best
}
