/** Linkerd's ServiceProfiles, and its annotations of Services → routes. */
import { linkerdKeys, readAnnotations, type LinkerdAnnotations } from '../../resources/linkerd/annotations.ts'
import {
  authorityOf,
  overrideWeight,
  serviceOf,
  type ProfileRoute,
  type ResponseMatch,
  type ServiceProfile,
} from '../../resources/linkerd/service-profile.ts'
import type { Path } from '../../resources/nodes.ts'
import type { Resource } from '../../resources/resource.ts'
import { serviceName, type TrafficSplit } from '../../resources/smi/traffic-split.ts'
import { conditionMatches, ConditionError } from './conditions.ts'
import type { TrafficContext } from './context.ts'
import type { DestinationConfig, MatchConfig, RouteConfig, VirtualHostConfig } from './model.ts'
import { annotationsConfig, profileRetries } from './resilience.ts'
import { destinationsOf } from './smi.ts'

/** Profiles of the workload's own namespace come before those of the Service's namespace; others are not for it. */
export function compileProfiles(context: TrafficContext): VirtualHostConfig<RouteConfig>[] {
  const profiles = context.resources.filter(
    ({ group, kind }) => group === 'linkerd.io' && kind === 'ServiceProfile',
  ) as ServiceProfile[]
  const { namespace } = context.workload
  const own = profiles.filter(({ metadata }) => metadata.namespace === namespace)
  const others = profiles.filter(
    (profile) =>
      profile.metadata.namespace === serviceOf(profile)!.namespace &&
      !own.some(({ metadata }) => metadata.name === profile.metadata.name),
  )
  return [...new Set([...own, ...others])].flatMap((profile) => compileProfile(profile, context) ?? [])
}

function compileProfile(profile: ServiceProfile, context: TrafficContext): VirtualHostConfig<RouteConfig> | undefined {
  const { registry, diagnostics, workload } = context
  const host = profile.metadata.name
  const { namespace } = serviceOf(profile)!
  const { routes = [], retryBudget, opaquePorts = [] } = profile.spec
  const missing = registry.missing(host)
  if (missing) profile.report(diagnostics, 'warning', 'MS1221', ['metadata', 'name'], missing.message, missing.hint)
  const port = registry.portOf(host)
  if (port === undefined) {
    const hint = 'add the Service to the input, or give --port'
    profile.report(diagnostics, 'error', 'MS1221', ['metadata', 'name'], `the port of ${host} is not known`, hint)
    return undefined
  }
  if (opaquePorts.some((range) => isWithin(port, range))) {
    const message = `port ${port} is opaque: its requests are not looked at`
    profile.report(diagnostics, 'info', 'MS1423', ['spec', 'opaquePorts'], message)
    return undefined
  }
  if (!context.hosts.claim(host, profile, ['metadata', 'name'])) return undefined
  if (retryBudget && routes.some(({ isRetryable }) => isRetryable)) {
    const message = 'no request header tells Envoy a budget: each request is repeated once at most'
    const hint = "write the cluster's circuit_breakers.retry_budget for it"
    profile.report(diagnostics, 'warning', 'MS1301', ['spec', 'retryBudget'], message, hint)
  }
  const destinations = profileDestinations(profile, port, context)
  const compiled = routes.flatMap((route, index) => profileRoute(profile, route, index, destinations, context) ?? [])
  return {
    name: `${profile.metadata.namespace}/${host}`,
    domains: registry.domainsOf(host, namespace, workload.namespace),
    // What no route is for goes on, without anything.
    routes: [...compiled, { destinations }],
  }
}

/** `8080` or `8000-9000`. */
function isWithin(port: number, range: string): boolean {
  const [from, to = from] = range.split('-').map(Number)
  return port >= from! && port <= to!
}

/** A TrafficSplit of the Service goes with its profile, as the adaptor of Linkerd SMI makes one of both. */
function profileDestinations(profile: ServiceProfile, port: number, context: TrafficContext): DestinationConfig[] {
  const { registry, resources, hosts } = context
  const { dstOverrides = [] } = profile.spec
  const host = profile.metadata.name
  const { name, namespace } = serviceOf(profile)!
  if (dstOverrides.length) {
    const parts = dstOverrides.flatMap(({ authority, weight }) => {
      const { host, port: own = port } = authorityOf(authority)!
      const part = overrideWeight(weight)!
      return part > 0 ? [{ cluster: registry.clusterName(host, own), weight: part }] : []
    })
    return parts.length === 1 ? [{ cluster: parts[0]!.cluster }] : parts
  }
  const split = resources.find(
    ({ group, kind, metadata, spec }) =>
      group === 'split.smi-spec.io' &&
      kind === 'TrafficSplit' &&
      metadata.namespace === namespace &&
      serviceName((spec as TrafficSplit['spec']).service, namespace) === name,
  ) as TrafficSplit | undefined
  if (!split || split.spec.matches?.length) return [{ cluster: registry.clusterName(host, port) }]
  hosts.join(split)
  return destinationsOf(split, port, context)
}

function profileRoute(
  profile: ServiceProfile,
  route: ProfileRoute,
  index: number,
  destinations: DestinationConfig[],
  { diagnostics }: TrafficContext,
): RouteConfig | undefined {
  const { name, condition, isRetryable, timeout } = route
  const path: Path = ['spec', 'routes', index, 'condition']
  let match: MatchConfig[]
  try {
    match = conditionMatches(condition)
  } catch (error) {
    if (!(error instanceof ConditionError)) throw error
    profile.report(diagnostics, 'error', 'MS1301', path, error.message, 'write several routes instead')
    return undefined
  }
  if (match.length === 0) {
    profile.report(diagnostics, 'warning', 'MS1401', path, 'no request is like that: the route is left out')
    return undefined
  }
  const isAll = match.some((each) => Object.keys(each).length === 0)
  return {
    name,
    ...(!isAll && { match }),
    destinations,
    ...(timeout !== undefined && { timeout }),
    ...(isRetryable && { retries: profileRetries(failuresOf(route)) }),
  }
}

/** The responses that a profile calls failures are asked for again; undefined where it does not say. */
function failuresOf({ responseClasses = [] }: ProfileRoute): number[] | undefined {
  if (!responseClasses.length) return undefined
  return Array.from({ length: 500 }, (_, index) => 100 + index).filter((code) => {
    const found = responseClasses.find(({ condition }) => isResponse(condition, code))
    return found ? found.isFailure : code >= 500
  })
}

/** All fields that are there must hold. A range with one bound is just that code. */
function isResponse({ status, all, any, not }: ResponseMatch, code: number): boolean {
  if (status) {
    const { min = status.max!, max = status.min! } = status
    if (code < min || code > max) return false
  }
  if (all && !all.every((each) => isResponse(each, code))) return false
  if (any && !any.some((each) => isResponse(each, code))) return false
  return !not || !isResponse(not, code)
}

/** Services with annotations that nothing else routes. */
export function compileAnnotations(context: TrafficContext): VirtualHostConfig<RouteConfig>[] {
  const { registry, hosts, diagnostics, workload, port: asked } = context
  return context.resources.filter(isService).flatMap((service) => {
    const [key] = linkerdKeys(service)
    if (key === undefined) return []
    const { name, namespace } = service.metadata
    const host = `${name}.${namespace}.svc.cluster.local`
    const owner = hosts.ownerOf(host)
    const path = ['metadata', 'annotations', key]
    if (owner) {
      // Routes of the Gateway API have taken them already.
      if (/^(HTTP|GRPC)Route$/.test(owner.kind)) return []
      const message = `${owner.title} routes this Service: its annotations say nothing`
      service.report(diagnostics, 'warning', 'MS1413', path, message, 'remove them')
      return []
    }
    const port = registry.portOf(host)
    if (port === undefined) {
      if (asked !== undefined) return []
      const hint = 'give --port: requests are routed port by port'
      service.report(diagnostics, 'error', 'MS1221', path, `the port of requests for ${name} is not known`, hint)
      return []
    }
    const annotations = readAnnotations(service, diagnostics)
    const destinations = [{ cluster: registry.clusterName(host, port) }]
    const routes = [{ name, destinations, ...annotationsConfig(annotations) }]
    return [{ name: `${namespace}/${name}`, domains: registry.domainsOf(host, namespace, workload.namespace), routes }]
  })
}

const isService = ({ group, kind }: Resource) => group === '' && kind === 'Service'

/** Those of a Service, where it is in the input. */
export function serviceAnnotations(host: string, { resources, diagnostics }: TrafficContext): LinkerdAnnotations {
  const service = resources.find(
    (each) => isService(each) && `${each.metadata.name}.${each.metadata.namespace}.svc.cluster.local` === host,
  )
  return service ? readAnnotations(service, diagnostics) : {}
}
