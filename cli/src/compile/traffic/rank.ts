/** Which of several routes that match a request comes first: the Gateway API compares what they ask for, and then the resources. */
import type { Resource } from '../../resources/resource.ts'
import type { RouteConfig } from './model.ts'

export interface Rank {
  /** The greater ones come first, from the first number on that differs. */
  specific: readonly number[]
  route: Resource
  /** Of the rule. */
  index: number
}

export interface RankedRoute {
  rank: Rank
  config: RouteConfig
}

export function compareRanks(a: Rank, b: Rank): number {
  const at = a.specific.findIndex((number, index) => number !== b.specific[index])
  if (at >= 0) return b.specific[at]! - a.specific[at]!
  if (a.route === b.route) return a.index - b.index
  const older = compareAges(a.route, b.route)
  if (older !== 0) return older
  return nameOf(a.route) < nameOf(b.route) ? -1 : 1
}

/** The oldest comes first. */
export function compareAges(a: Resource, b: Resource): number {
  const [first, second] = [age(a), age(b)]
  return first === second ? 0 : first - second
}

/** Of a resource that has no timestamp it is not known: it counts as the newest. */
function age({ metadata }: Resource): number {
  const { creationTimestamp } = metadata as { creationTimestamp?: unknown }
  const time = typeof creationTimestamp === 'string' ? Date.parse(creationTimestamp) : NaN
  return Number.isNaN(time) ? Infinity : time
}

const nameOf = ({ metadata }: Resource) => `${metadata.namespace}/${metadata.name}`
