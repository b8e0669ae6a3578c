/** VirtualServices → routes. */
import type { Diagnostics } from '../../resources/diagnostics.ts'
import { fullName } from '../../resources/networking/hosts.ts'
import type { HttpMatch, HttpRoute, VirtualService } from '../../resources/networking/virtual-service.ts'
import type { Path } from '../../resources/nodes.ts'
import type { Resource } from '../../resources/resource.ts'
import type { Workload } from '../workload.ts'
import type { Hosts, TrafficContext } from './context.ts'
import { EVERYTHING, matchConfig } from './match.ts'
import type { MatchConfig, RouteConfig, VirtualHostConfig } from './model.ts'
import type { Registry } from './registry.ts'
import { routeConfig } from './route.ts'

const isVirtualService = ({ group, kind }: Resource): boolean =>
  group === 'networking.istio.io' && kind === 'VirtualService'

/** Those of the mesh, as a sidecar of the workload has them. */
export function compileVirtualServices(context: TrafficContext): VirtualHostConfig<RouteConfig>[] {
  return virtualHostsOf(context, routing)
}

/** Makes what a filter wants of a route, which stands at `path` in its resource; its `match` is read elsewhere. */
export type ReadRoute<R> = (context: TrafficContext, service: VirtualService, route: HttpRoute, path: Path) => R

/** The hosts of the VirtualServices, each with what is made of its routes. */
export function virtualHostsOf<R extends Matching>(
  context: TrafficContext,
  read: ReadRoute<R>,
): VirtualHostConfig<R>[] {
  return new Compiler(context, read).compile()
}

interface Matching {
  name?: string
  match?: MatchConfig[]
}

const routing: ReadRoute<RouteConfig> = ({ registry, diagnostics }, service, route, path) => {
  const refuse = (at: Path, message: string, hint?: string) =>
    service.report(diagnostics, 'error', 'MS1301', [...path, ...at], message, hint)
  return routeConfig(
    route,
    (destination, at) => {
      const cluster = registry.clusterOf(destination, service.metadata.namespace)
      if (cluster !== undefined) return cluster
      const hint = 'add the Service to the input, write port.number, or give --port'
      const message = `the port of ${destination.host} is not known`
      service.report(diagnostics, 'error', 'MS1221', [...path, ...at], message, hint)
      return ''
    },
    refuse,
  )
}

class Compiler<R extends Matching> {
  private readonly services: readonly VirtualService[]
  private readonly registry: Registry
  private readonly workload: Workload
  private readonly port: number | undefined
  private readonly hosts: Hosts
  private readonly diagnostics: Diagnostics

  constructor(
    private readonly context: TrafficContext,
    private readonly read: ReadRoute<R>,
  ) {
    const { resources, registry, workload, port, hosts, diagnostics } = context
    this.services = resources.filter(isVirtualService) as VirtualService[]
    this.registry = registry
    this.workload = workload
    this.port = port
    this.hosts = hosts
    this.diagnostics = diagnostics
  }

  compile(): VirtualHostConfig<R>[] {
    const virtualHosts: VirtualHostConfig<R>[] = []
    for (const service of this.services) {
      const { hosts = [], gateways = ['mesh'], http = [] } = service.spec
      const { namespace } = service.metadata
      if (hosts.length === 0 || http.length === 0 || !gateways.includes('mesh') || !this.sees(service)) continue
      const routes = http.flatMap((route, index) => this.routesOf(service, route, ['spec', 'http', index]))
      const own = hosts.filter((host, index) =>
        this.hosts.claim(fullName(host, namespace), service, ['spec', 'hosts', index]),
      )
      const domains = own.flatMap((host) => this.registry.domainsOf(host, namespace, this.workload.namespace))
      if (domains.length) virtualHosts.push({ name: `${namespace}/${service.metadata.name}`, domains, routes })
    }
    return virtualHosts
  }

  /** Whether it is exported to the workload's namespace. */
  private sees({ metadata, spec }: VirtualService): boolean {
    const { exportTo = [] } = spec
    const { namespace } = this.workload
    if (exportTo.length === 0) return true
    return exportTo.some((to) => to === '*' || to === namespace || (to === '.' && metadata.namespace === namespace))
  }

  /** Several for one that delegates, none for one that is not for this workload. */
  private routesOf(service: VirtualService, route: HttpRoute, path: Path): R[] {
    const match = this.matchesOf(route)
    if (match === undefined) return []
    if (route.delegate) return this.delegated(service, route, match, path)
    const { name, ...rest } = this.read(this.context, service, route, path)
    return [{ ...(name !== undefined && { name }), ...(match.length && { match }), ...rest } as R]
  }

  /** Those of a route that may be met here; empty: every request; undefined: none. */
  private matchesOf({ match = [] }: HttpRoute): MatchConfig[] | undefined {
    if (match.length === 0) return []
    const configs = match.filter((each) => this.isFor(each)).map(matchConfig)
    if (configs.length === 0) return undefined
    return configs.includes(EVERYTHING) ? [] : (configs as MatchConfig[])
  }

  /** What of a match is decided here: it is about the workload, not about the request. */
  private isFor({ port, gateways = [], sourceLabels = {}, sourceNamespace }: HttpMatch): boolean {
    const { labels, namespace } = this.workload
    if (port !== undefined && port !== 0 && this.port !== undefined && port !== this.port) return false
    if (gateways.length && !gateways.includes('mesh')) return false
    if (sourceNamespace && sourceNamespace !== namespace) return false
    return Object.entries(sourceLabels).every(([key, value]) => labels[key] === value)
  }

  private delegated(service: VirtualService, route: HttpRoute, match: MatchConfig[], path: Path): R[] {
    const { name = '', namespace = service.metadata.namespace } = route.delegate!
    const target = this.services.find(
      ({ metadata, spec }) => metadata.name === name && metadata.namespace === namespace && !spec.hosts?.length,
    )
    if (!target) {
      const message = `there is no VirtualService ${namespace}/${name} without hosts in the input`
      service.report(this.diagnostics, 'error', 'MS1221', [...path, 'delegate'], message)
      return []
    }
    return (target.spec.http ?? []).flatMap((inner, index) => {
      const at = ['spec', 'http', index]
      return this.routesOf(target, inherit(route, inner), at).flatMap((compiled) => {
        const both = combine(match, compiled.match ?? [])
        if (both === undefined) {
          const message = 'a match that is delegated to must be part of one that delegates'
          target.report(this.diagnostics, 'error', 'MS1301', [...at, 'match'], message)
          return []
        }
        const { match: _, ...rest } = compiled
        return [{ ...(both.length && { match: both }), ...rest } as R]
      })
    })
  }
}

/** What a route that delegates says holds where the other one says nothing of it. Source: Istio, pilot/pkg/model/virtualservice.go. */
function inherit({ match: _, delegate: __, name, ...outer }: HttpRoute, inner: HttpRoute): HttpRoute {
  const names = [name, inner.name].filter((each) => each)
  return { ...outer, ...inner, ...(names.length > 0 && { name: names.join('-') }) }
}

/** Each pair of both lists. Undefined where two say different things of one field. */
function combine(outer: MatchConfig[], inner: MatchConfig[]): MatchConfig[] | undefined {
  if (!outer.length || !inner.length) return outer.length ? outer : inner
  const pairs = inner.flatMap((each) =>
    outer.map((other) => merge(other, each)).filter((merged) => merged !== undefined),
  )
  return pairs.length ? pairs : undefined
}

function merge(outer: MatchConfig, inner: MatchConfig): MatchConfig | undefined {
  const merged: MatchConfig = { ...outer, ...inner }
  if (outer.path && inner.path && !isWithin(inner.path, outer.path)) return undefined
  for (const field of ['method', 'scheme', 'authority'] as const)
    if (outer[field] && inner[field] && !isWithin(inner[field], outer[field])) return undefined
  for (const field of ['headers', 'withoutHeaders', 'queryParams'] as const) {
    if (!outer[field] || !inner[field]) continue
    for (const [name, value] of Object.entries(inner[field]))
      if (outer[field][name] && !isWithin(value, outer[field][name])) return undefined
    merged[field] = { ...outer[field], ...inner[field] }
  }
  if (outer.claims && inner.claims) merged.claims = [...outer.claims, ...inner.claims]
  return merged
}

/** Whether all that `inner` matches, `outer` does. Of regular expressions that is said only of the same ones. */
function isWithin(inner: NonNullable<MatchConfig['path']>, outer: NonNullable<MatchConfig['path']>): boolean {
  if (JSON.stringify(inner) === JSON.stringify(outer) || 'present' in outer) return true
  if (!('prefix' in outer)) return false
  const text = 'exact' in inner ? inner.exact : 'prefix' in inner ? inner.prefix : undefined
  return text?.startsWith(outer.prefix) === true
}
