/** SMI's TrafficSplits → routes. */
import { nearest } from '../../resources/nearest.ts'
import { headersOf, readMatches, type RouteMatch } from '../../resources/smi/index.ts'
import { serviceName, weightOf, type TrafficSplit } from '../../resources/smi/traffic-split.ts'
import type { TrafficContext } from './context.ts'
import type { DestinationConfig, MatchConfig, RouteConfig, VirtualHostConfig } from './model.ts'
import { oneOf, startsWith } from './patterns.ts'

/** Those of one service are one virtual host: splits of some requests first, then the one of all others. */
export function compileSplits(context: TrafficContext): VirtualHostConfig<RouteConfig>[] {
  const splits = context.resources.filter(
    ({ group, kind }) => group === 'split.smi-spec.io' && kind === 'TrafficSplit',
  ) as TrafficSplit[]
  const byHost = new Map<string, TrafficSplit[]>()
  for (const split of splits) {
    const host = hostOf(split, split.spec.service)
    byHost.set(host, [...(byHost.get(host) ?? []), split])
  }
  return [...byHost].flatMap(([host, splits]) => compileHost(host, splits, context) ?? [])
}

function hostOf({ metadata }: TrafficSplit, service: string): string {
  return `${serviceName(service, metadata.namespace)}.${metadata.namespace}.svc.cluster.local`
}

function compileHost(
  host: string,
  splits: readonly TrafficSplit[],
  context: TrafficContext,
): VirtualHostConfig<RouteConfig> | undefined {
  const { registry, diagnostics, workload } = context
  const [first] = splits
  const { namespace } = first!.metadata
  const isOurs = context.hosts.claim(host, first!, ['spec', 'service'])
  const whole = splits.filter(({ spec }) => !spec.matches?.length)
  for (const other of whole.slice(1)) {
    const message = `ignored: ${whole[0]!.title} splits all requests of ${host} too, and the first counts`
    other.report(diagnostics, 'warning', 'MS1410', ['spec', 'service'], message, 'merge the two')
  }
  const missing = registry.missing(host)
  if (missing) first!.report(diagnostics, 'warning', 'MS1221', ['spec', 'service'], missing.message, missing.hint)
  const port = registry.portOf(host)
  if (port === undefined) {
    const hint = 'add the Service to the input, or give --port: its requests are split port by port'
    const message = `the port of requests for ${first!.spec.service} is not known`
    first!.report(diagnostics, 'error', 'MS1221', ['spec', 'service'], message, hint)
  }
  if (!isOurs || port === undefined) return undefined

  const partial = splits.filter(({ spec }) => spec.matches?.length)
  const routes = [...partial, ...whole.slice(0, 1)].flatMap((split) => routeOf(split, port, context) ?? [])
  // What no split is for goes to the service that was asked for.
  if (!whole.length) routes.push({ destinations: [{ cluster: registry.clusterName(host, port) }] })
  const domains = registry.domainsOf(host, namespace, workload.namespace)
  return { name: `${namespace}/${first!.metadata.name}`, domains, routes }
}

function routeOf(split: TrafficSplit, port: number, context: TrafficContext): RouteConfig | undefined {
  const match = split.spec.matches?.length ? matchesOf(split, context) : []
  const destinations = destinationsOf(split, port, context)
  if (!match || !destinations.length) return undefined
  return { name: split.metadata.name, ...(match.length && { match }), destinations }
}

/** The parts of a split. A Service that has not the root's port gets nothing, as the specification says. */
export function destinationsOf(split: TrafficSplit, port: number, context: TrafficContext): DestinationConfig[] {
  const { registry, diagnostics } = context
  const parts = split.spec.backends.flatMap(({ service, weight: written }, index) => {
    const weight = weightOf(written, split.version)!
    if (weight === 0) return []
    const host = hostOf(split, service)
    const at = ['spec', 'backends', index, 'service']
    const ports = registry.portsOf(host)
    if (ports && !ports.includes(port)) {
      const message = `${service} has no port ${port}: it gets no requests`
      split.report(diagnostics, 'warning', 'MS1412', at, message, `its ports: ${ports.join(', ') || 'none'}`)
      return []
    }
    const missing = registry.missing(host)
    if (missing) split.report(diagnostics, 'warning', 'MS1221', at, missing.message, missing.hint)
    return [{ cluster: registry.clusterName(host, port), weight }]
  })
  if (!parts.length) {
    const message = `no backend has port ${port}: requests would go nowhere`
    split.report(diagnostics, 'error', 'MS1221', ['spec', 'backends'], message)
  }
  return parts.length === 1 ? [{ cluster: parts[0]!.cluster }] : parts
}

/** All matches of all groups; undefined where one of them cannot be had. */
function matchesOf(split: TrafficSplit, context: TrafficContext): MatchConfig[] | undefined {
  const { resources, diagnostics } = context
  const { namespace } = split.metadata
  const groups = resources.filter(
    (each) =>
      each.group === 'specs.smi-spec.io' && each.kind === 'HTTPRouteGroup' && each.metadata.namespace === namespace,
  )
  let isWhole = true
  const configs = split.spec.matches!.flatMap(({ name }, index): (MatchConfig | undefined)[] => {
    const group = groups.find(({ metadata }) => metadata.name === name)
    const at = ['spec', 'matches', index, 'name']
    const fail = (message: string, hint: string) => {
      isWhole = false
      split.report(diagnostics, 'error', 'MS1221', at, message, hint)
      return []
    }
    if (!group) {
      const near = nearest(
        name,
        groups.map(({ metadata }) => metadata.name),
      )
      const hint = near ? `did you mean ${near}?` : 'add it to the input'
      return fail(`the input has no HTTPRouteGroup ${namespace}/${name}`, hint)
    }
    const { matches } = readMatches(group)
    if (!matches.length) return fail(`HTTPRouteGroup ${name} has no matches: nothing would be split`, 'add some')
    return matches.map(matchOf)
  })
  if (!isWhole) return undefined
  return configs.includes(undefined) ? [] : (configs as MatchConfig[])
}

/** Undefined: it matches every request. */
function matchOf(match: RouteMatch): MatchConfig | undefined {
  const { pathRegex, methods = [] } = match
  const path = pathRegex === undefined ? undefined : startsWith(pathRegex)
  const headers = headersOf(match)
  const named = headers.filter(({ name }) => !/^host$/i.test(name))
  const host = headers.find(({ name }) => /^host$/i.test(name))
  const config: MatchConfig = {
    ...(path && { path }),
    ...(methods.length && !methods.includes('*') && { method: oneOf(methods) }),
    ...(host && { authority: { regex: host.regex } }),
    ...(named.length && {
      headers: Object.fromEntries(named.map(({ name, regex }) => [name.toLowerCase(), { regex }])),
    }),
  }
  return Object.keys(config).length ? config : undefined
}
