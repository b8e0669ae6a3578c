/** Which flows are shown: filters as `hubble observe` combines them. */

import { UsageError } from '../errors.ts'
import type { Endpoint, Flow, Service } from './flow.ts'
import { type Predicate, predicates } from './predicates.ts'

const SIDES = ['source', 'destination'] as const
type Side = (typeof SIDES)[number]
type Way = 'from' | 'to' | 'any'

/** A filter as it was given: its option without dashes, its value. */
export type Given = readonly [option: string, value: string]

/** Filters that say the same thing twice, or against each other. */
const CONFLICTS: readonly (readonly string[])[] = [
  ...['from', 'to'].flatMap((way) => [
    [
      `${way}-fqdn`,
      `${way}-ip`,
      'ip',
      'fqdn',
      `${way}-namespace`,
      'namespace',
      `${way}-all-namespaces`,
      'all-namespaces',
    ],
    [`${way}-fqdn`, `${way}-ip`, 'ip', 'fqdn', `${way}-pod`, 'pod'],
    [`${way}-pod`, 'namespace', 'all-namespaces'],
    [`${way}-service`, 'namespace', 'all-namespaces'],
    ...['label', 'service', 'port', 'identity', 'workload'].map((kind) => [kind, `${way}-${kind}`]),
  ]),
  ['encrypted', 'unencrypted'],
]

/** One way to match: filters of one kind are alternatives, and one of every kind has to match. */
class Alternative {
  readonly names = {
    source: { pod: [] as string[], service: [] as string[] },
    destination: { pod: [] as string[], service: [] as string[] },
  }
  readonly #kinds = new Map<string, Predicate[]>()

  add(kind: string, test: Predicate): void {
    this.#kinds.set(kind, [...(this.#kinds.get(kind) ?? []), test])
  }

  /** A namespace is part of a name: without one, any pod of it will do. */
  restrict(side: Side, namespaces: readonly string[]): void {
    if (!namespaces.length) return
    const names = this.names[side]
    if (!names.pod.length && !names.service.length) names.pod = ['']
    const within = (name: string) => (name.includes('/') ? [name] : namespaces.map((space) => `${space}/${name}`))
    names.pod = names.pod.flatMap(within)
    names.service = names.service.flatMap(within)
  }

  build(): Predicate {
    for (const side of SIDES) {
      const { pod, service } = this.names[side]
      for (const name of pod) this.add(`${side}-pod`, (flow) => hasName(name, podOf(flow[side])))
      for (const name of service) this.add(`${side}-service`, (flow) => hasName(name, flow[`${side}Service`]))
    }
    const kinds = [...this.#kinds.values()]
    return (flow) => kinds.every((alternatives) => alternatives.some((test) => test(flow)))
  }
}

const podOf = (endpoint: Endpoint | undefined): Service | undefined =>
  endpoint && { namespace: endpoint.namespace, name: endpoint.pod }

/** `NAMESPACE/PREFIX`; a name alone is one of the namespace `default`. */
function hasName(wanted: string, found: Service | undefined): boolean {
  if (!found || (!found.namespace && !found.name)) return false
  const [first = '', second] = wanted.split('/')
  const namespace = second === undefined && first ? 'default' : second === undefined ? '' : first
  return found.name.startsWith(second ?? first) && (!namespace || namespace === found.namespace)
}

/** Filters that are either all wanted, or all unwanted (`--not`). */
class FilterSet {
  /** A filter without a direction is one for the source or one for the destination. */
  readonly #left = new Alternative()
  readonly #right = new Alternative()
  readonly #namespaces = { from: [] as string[], to: [] as string[], any: [] as string[] }
  readonly #used = new Set<string>()
  readonly #types: string[] = []

  add(option: string, value: string): void {
    this.#used.add(option)
    this.#checkConflicts(option)
    const [, way = 'any', kind] = /^(?:(from|to)-)?(.*)$/.exec(option)! as unknown as [string, Way | undefined, string]
    if (kind === 'namespace') this.#namespaces[way].push(nonEmpty(option, value))
    else if (kind === 'all-namespaces') this.#namespaces[way].push('')
    else if (kind === 'pod' || kind === 'service') {
      for (const [alternative, side] of this.#targets(way)) alternative.names[side][kind].push(nonEmpty(option, value))
    } else this.#addTest(option, kind, way, value)
    if (option === 'type') this.#types.push(value)
    this.#checkNamespaces()
  }

  #addTest(option: string, kind: string, way: Way, value: string): void {
    const make = predicates[kind]!
    const test = (side: Side) => {
      try {
        return make(value, side)
      } catch (error) {
        throw error instanceof RangeError ? wrong(option, value, error.message) : error
      }
    }
    if (make.length === 1) {
      for (const alternative of [this.#left, this.#right]) alternative.add(KINDS[kind] ?? kind, test('source'))
    } else for (const [alternative, side] of this.#targets(way)) alternative.add(`${side}-${kind}`, test(side))
  }

  #targets(way: Way): [Alternative, Side][] {
    const [left, right] = [this.#left, this.#right]
    if (way === 'any')
      return [
        [left, 'source'],
        [right, 'destination'],
      ]
    const side = way === 'from' ? 'source' : 'destination'
    return [
      [left, side],
      [right, side],
    ]
  }

  #checkConflicts(option: string): void {
    for (const group of CONFLICTS.filter((group) => group.includes(option))) {
      const other = group.find((name) => name !== option && this.#used.has(name))
      if (other) throw new UsageError(`--${other} and --${option} cannot be combined; leave one of them out`, 'OBS002')
    }
  }

  #checkNamespaces(): void {
    const { from, to, any } = this.#namespaces
    for (const { names } of [this.#left, this.#right]) {
      for (const [side, namespaces] of [
        ['source', from],
        ['destination', to],
      ] as const) {
        const { pod, service } = names[side]
        for (const name of [...pod, ...service]) {
          const other = [...any, ...namespaces].find((space) => spaceOf(name) && spaceOf(name) !== space)
          if (other !== undefined) throw conflict(`the namespace ${JSON.stringify(other)}`, name)
        }
        const foreign = (one: string) => service.find((name) => spaceOf(name) !== spaceOf(one))
        const one = pod.find((name) => spaceOf(name) && foreign(name) !== undefined)
        if (one !== undefined) throw conflict(`the pod ${one}`, `the service ${foreign(one)}`)
      }
    }
  }

  build(): Predicate {
    const l7 = this.#types.length === 0 || this.#types.some((type) => /^(l7|129)(:|$)/.test(type))
    const http = [...this.#used].find((option) => option.startsWith('http-'))
    if (http && !l7) {
      throw new UsageError(`--${http} needs flows of --type l7; leave --type out, or name l7 too`, 'OBS002')
    }
    const { from, to, any } = this.#namespaces
    for (const alternative of [this.#left, this.#right]) {
      alternative.restrict('destination', to)
      alternative.restrict('source', from)
    }
    this.#left.restrict('source', any)
    this.#right.restrict('destination', any)
    const [left, right] = [this.#left.build(), this.#right.build()]
    return (flow) => left(flow) || right(flow)
  }
}

/** Options that ask for the same thing by other words. */
const KINDS: Readonly<Record<string, string>> = { unencrypted: 'encrypted', ipv4: 'ip-version', ipv6: 'ip-version' }

const spaceOf = (name: string) => (name.includes('/') ? name.slice(0, name.indexOf('/')) : '')

const conflict = (one: string, other: string) =>
  new UsageError(`${one} and ${other} do not go together; name one namespace`, 'OBS002')

const wrong = (option: string, value: string, reason: string) =>
  new UsageError(`--${option} ${JSON.stringify(value)}: ${reason}`, 'OBS001')

function nonEmpty(option: string, value: string): string {
  if (value === '') throw wrong(option, value, 'expected a name')
  return value
}

/** A predicate of filters in the order that they were given; `not` is for the one that follows. */
export function buildFilters(given: readonly Given[]): Predicate {
  let isWanted = true
  let wanted: FilterSet | undefined
  let unwanted: FilterSet | undefined
  for (const [option, value] of given) {
    if (option !== 'not') {
      const set = isWanted ? (wanted ??= new FilterSet()) : (unwanted ??= new FilterSet())
      set.add(option, value)
      isWanted = true
    } else if (isWanted) isWanted = false
    else throw new UsageError('--not follows --not; it stands before the filter that it reverses', 'OBS002')
  }
  if (!isWanted)
    throw new UsageError('--not is the last filter; it stands before the filter that it reverses', 'OBS002')
  const [allow, deny] = [wanted?.build(), unwanted?.build()]
  return (flow: Flow) => (allow?.(flow) ?? true) && !deny?.(flow)
}
