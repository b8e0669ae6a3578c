/** SMI's routes: what an HTTPRouteGroup and a TCPRoute allow. */
import type { Diagnostics } from '../../resources/diagnostics.ts'
import { nearest } from '../../resources/nearest.ts'
import type { Path } from '../../resources/nodes.ts'
import type { Resource } from '../../resources/resource.ts'
import {
  headersOf,
  readMatches,
  type RouteMatch,
  type TargetRule,
  type TrafficTarget,
} from '../../resources/smi/index.ts'
import type { ConditionConfig, OperationConfig, RuleConfig } from '../authorization-config.ts'

/** A rule without its sources, and where the TrafficTarget asks for it. */
export interface Allowed {
  rule: RuleConfig
  path: Path
}

export class Routes {
  readonly #routes = new Map<string, Resource>()
  readonly #diagnostics: Diagnostics

  constructor(resources: readonly Resource[], diagnostics: Diagnostics) {
    this.#diagnostics = diagnostics
    for (const each of resources) {
      if (each.group !== 'specs.smi-spec.io') continue
      this.#routes.set(`${each.kind} ${each.metadata.namespace}/${each.metadata.name}`, each)
    }
  }

  /** Each HTTP match on each of the ports. No port at all means every port, no HTTP route every request on the ports. */
  resolve(target: TrafficTarget): Allowed[] {
    const ports = this.#ports(target)
    // What only speaks of UDP, or of no port, allows no HTTP request.
    if (ports === 'none') return []
    const on = (operation: OperationConfig): Pick<RuleConfig, 'to'> => {
      const to = { ...operation, ...(ports !== 'all' && { ports }) }
      return Object.keys(to).length > 0 ? { to: [to] } : {}
    }
    const groups = target.rules.some(({ kind }) => kind === 'HTTPRouteGroup')
    if (!groups) return [{ rule: on({}), path: target.rulesPath }]
    return target.rules.flatMap((rule, index) => {
      if (rule.kind !== 'HTTPRouteGroup') return []
      const path = [...target.rulesPath, index]
      return this.#matches(rule, target, path).map(({ match, path }) => {
        const when = conditions(match)
        return { rule: { ...on(operation(match)), ...(when.length > 0 && { when }) }, path }
      })
    })
  }

  #ports(target: TrafficTarget): number[] | 'all' | 'none' {
    const { destination, rules } = target
    const own = destination.port === undefined ? [] : [destination.port]
    const routes = rules.flatMap((rule, index) => (rule.kind === 'TCPRoute' ? [{ rule, index }] : []))
    const lists = routes.map(({ rule, index }) => {
      const route = this.#find(rule, target, [...target.rulesPath, index])
      const { matches } = (route?.spec ?? {}) as { matches?: { ports?: number[] } }
      return matches?.ports ?? []
    })
    if (lists.length === 0 && rules.every(({ kind }) => kind === 'UDPRoute')) {
      const message = 'UDP routes alone allow no HTTP request'
      target.resource.report(this.#diagnostics, 'info', 'MS1423', target.rulesPath, message)
      return 'none'
    }
    // A route without ports means all.
    if (lists.length === 0 || lists.some((list) => list.length === 0)) return own.length > 0 ? own : 'all'
    const ports = [...new Set(lists.flat())].filter((port) => own.length === 0 || own.includes(port))
    if (ports.length === 0) {
      const message = `no TCPRoute has the port ${own[0]} of the destination: nothing is allowed`
      target.resource.report(this.#diagnostics, 'warning', 'MS1401', [...target.path, 'destination', 'port'], message)
      return 'none'
    }
    return ports
  }

  #matches(rule: TargetRule, target: TrafficTarget, path: Path): { match: RouteMatch; path: Path }[] {
    const route = this.#find(rule, target, path)
    if (!route) return []
    const { matches } = readMatches(route)
    if (!rule.matches?.length) return matches.map((match) => ({ match, path }))
    return rule.matches.flatMap((name, index) => {
      const at = [...path, 'matches', index]
      const match = matches.find((each) => each.name === name)
      if (match) return [{ match, path: at }]
      const names = matches.map((each) => each.name)
      const near = nearest(name, names)
      const hint = near ? `did you mean ${near}?` : `its matches: ${names.join(', ') || 'none'}`
      target.resource.report(
        this.#diagnostics,
        'error',
        'MS1221',
        at,
        `HTTPRouteGroup ${rule.name} has no match ${JSON.stringify(name)}`,
        hint,
      )
      return []
    })
  }

  #find({ kind, name }: TargetRule, target: TrafficTarget, path: Path): Resource | undefined {
    const { namespace } = target.resource.metadata
    const found = this.#routes.get(`${kind} ${namespace}/${name}`)
    if (found) return found
    const names = [...this.#routes.values()].filter(
      (each) => each.kind === kind && each.metadata.namespace === namespace,
    )
    const near = nearest(
      name,
      names.map((each) => each.metadata.name),
    )
    const message = `the input has no ${kind} ${namespace}/${name}`
    const hint = near ? `did you mean ${near}?` : 'add it to the input'
    target.resource.report(this.#diagnostics, 'error', 'MS1221', [...path, 'name'], message, hint)
    return undefined
  }
}

function operation({ methods = [], pathRegex }: RouteMatch): OperationConfig {
  return {
    ...(methods.length > 0 && !methods.includes('*') && { methods: methods.map((method) => ({ exact: method })) }),
    ...(pathRegex !== undefined && !matchesAll(pathRegex) && { paths: [{ regex: anchorStart(pathRegex) }] }),
  }
}

/** Values of a repeated header are compared as one, as Envoy does. */
function conditions(match: RouteMatch): ConditionConfig[] {
  return headersOf(match).map(({ name, regex }) => {
    const lower = name.toLowerCase()
    return { header: lower === 'host' ? ':authority' : lower, joined: true, values: [{ regex }] }
  })
}

/** The filter matches whole texts, SMI only their start. */
const anchorStart = (regex: string) => `(?:${regex})(?s:.*)`

const matchesAll = (regex: string) => regex === '' || /^\^?\.\*\$?$/.test(regex)
