/** The routes of a VirtualService, with those that it delegates to, for one proxy. */
import type { HttpMatch, HttpRoute, VirtualService } from '../../resources/networking/virtual-service.ts'
import type { Path } from '../../resources/nodes.ts'
import type { Resource } from '../../resources/resource.ts'
import type { TrafficContext } from './context.ts'
import { EVERYTHING, matchConfig } from './match.ts'
import type { MatchConfig } from './model.ts'

/** Makes what a filter wants of a route, which stands at `path` in its resource; its `match` is read elsewhere. */
export type ReadRoute<R> = (context: TrafficContext, service: VirtualService, route: HttpRoute, path: Path) => R

/** What every filter's routes have. */
export interface Matching {
  name?: string
  match?: MatchConfig[]
}

/** What of a match is decided when it is compiled: it is about the proxy, not about the request. */
export type IsFor = (match: HttpMatch, service: VirtualService) => boolean

export const virtualServicesOf = (resources: readonly Resource[]): VirtualService[] =>
  resources.filter(
    ({ group, kind }) => group === 'networking.istio.io' && kind === 'VirtualService',
  ) as VirtualService[]

/** Whether it is exported to the workload's namespace. */
export function isExportedTo({ metadata, spec }: VirtualService, namespace: string): boolean {
  const { exportTo = [] } = spec
  if (exportTo.length === 0) return true
  return exportTo.some((to) => to === '*' || to === namespace || (to === '.' && metadata.namespace === namespace))
}

/** `splits`: a route that takes every request beside some that its other matches name becomes two, so that the second can be moved. */
export class RouteReader<R extends Matching> {
  private readonly services: readonly VirtualService[]

  constructor(
    private readonly context: TrafficContext,
    private readonly read: ReadRoute<R>,
    private readonly isFor: IsFor,
    private readonly splits = false,
  ) {
    this.services = virtualServicesOf(context.resources)
  }

  /** In the order in which they are tried. */
  routesOf(service: VirtualService): R[] {
    const { http = [] } = service.spec
    return http.flatMap((route, index) => this.compile(service, route, ['spec', 'http', index]))
  }

  /** Several for one that delegates, none for one that is not for this proxy. */
  private compile(service: VirtualService, route: HttpRoute, path: Path): R[] {
    const match = this.matchesOf(route, service)
    if (match === undefined) return []
    if (route.delegate) return this.delegated(service, route, match.includes(EVERYTHING) ? [] : plain(match), path)
    const { name, ...rest } = this.read(this.context, service, route, path)
    return this.alternatives(match).map(
      (each) => ({ ...(name !== undefined && { name }), ...(each.length && { match: each }), ...rest }) as R,
    )
  }

  /** Those of a route that may be met here; undefined: none. */
  private matchesOf({ match = [] }: HttpRoute, service: VirtualService) {
    if (match.length === 0) return [EVERYTHING] as const
    const configs = match.filter((each) => this.isFor(each, service)).map(matchConfig)
    return configs.length === 0 ? undefined : configs
  }

  /** Matches of which one must hold, by route; empty: every request. */
  private alternatives(match: readonly (MatchConfig | typeof EVERYTHING)[]): MatchConfig[][] {
    const catchAll = match.indexOf(EVERYTHING)
    if (catchAll < 0) return [plain(match)]
    return catchAll > 0 && this.splits ? [plain(match.slice(0, catchAll)), []] : [[]]
  }

  private delegated(service: VirtualService, route: HttpRoute, match: MatchConfig[], path: Path): R[] {
    const { diagnostics } = this.context
    const { name = '', namespace = service.metadata.namespace } = route.delegate!
    const target = this.services.find(
      ({ metadata, spec }) => metadata.name === name && metadata.namespace === namespace && !spec.hosts?.length,
    )
    if (!target) {
      const message = `there is no VirtualService ${namespace}/${name} without hosts in the input`
      service.report(diagnostics, 'error', 'MS1221', [...path, 'delegate'], message)
      return []
    }
    return (target.spec.http ?? []).flatMap((inner, index) => {
      const at = ['spec', 'http', index]
      return this.compile(target, inherit(route, inner), at).flatMap((compiled) => {
        const both = combine(match, compiled.match ?? [])
        if (both === undefined) {
          const message = 'a match that is delegated to must be part of one that delegates'
          target.report(diagnostics, 'error', 'MS1301', [...at, 'match'], message)
          return []
        }
        const { match: _, ...rest } = compiled
        return [{ ...(both.length && { match: both }), ...rest } as R]
      })
    })
  }
}

const plain = (match: readonly (MatchConfig | typeof EVERYTHING)[]): MatchConfig[] =>
  match.filter((each) => each !== EVERYTHING)

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
