/** VirtualServices of a gateway, as its proxy has them. Source: Istio, pilot/pkg/networking/core/gateway.go and route/route.go. */
import { fullName } from '../../../resources/networking/hosts.ts'
import type { HttpMatch, VirtualService } from '../../../resources/networking/virtual-service.ts'
import type { ObjectName } from '../../workload.ts'
import type { TrafficContext } from '../context.ts'
import type { VirtualHostConfig } from '../model.ts'
import { compareAges } from '../rank.ts'
import {
  isExportedTo,
  RouteReader,
  virtualServicesOf,
  type Matching,
  type ReadRoute,
} from '../virtual-service-routes.ts'
import { intersection } from './hostnames.ts'
import { isOpenTo, readServers, type ServerHost, type Servers } from './servers.ts'

/** What is known of a host while the VirtualServices are read. */
interface HostRoutes<R> {
  services: VirtualService[]
  routes: R[]
}

/** The hosts that the gateway takes. `toHttps`: what leads a request to HTTPS, where a server says so. */
export function gatewayHostsOf<R extends Matching>(
  context: TrafficContext,
  gateway: ObjectName,
  read: ReadRoute<R>,
  toHttps: R,
): VirtualHostConfig<R>[] {
  const servers = readServers(context, gateway)
  if (servers === undefined) return []
  const known = servers === 'missing' ? undefined : servers
  const services = attachedServices(context, gateway)
  const [first] = services
  if (!known && first) {
    const index = first.spec.gateways!.findIndex((name) => isNamed(name, first, gateway))
    const message = `the Gateway ${gateway.namespace}/${gateway.name} is not in the input: hosts are taken as they stand`
    const hint = 'add it, so that only what its servers take is compiled'
    first.report(context.diagnostics, 'info', 'MS1221', ['spec', 'gateways', index], message, hint)
  }
  const port = context.port ?? known?.port
  const isFor = (match: HttpMatch, service: VirtualService) => isForGateway(match, service, { context, gateway, port })
  const reader = new RouteReader(context, read, isFor, true)
  const hosts = new Map<string, HostRoutes<R>>()
  for (const service of services) {
    const routes = untilCatchAll(reader.routesOf(service))
    for (const host of hostsOf(service, known, context)) {
      const entry = hosts.get(host) ?? { services: [], routes: [] }
      hosts.set(host, { services: [...entry.services, service], routes: [...entry.routes, ...routes] })
    }
  }
  return virtualHosts(hosts, known?.hosts ?? [], toHttps)
}

/** Those that may be seen, in the order in which Istio joins them: of this namespace alone, of some, of all; the oldest first. */
function attachedServices({ resources, workload }: TrafficContext, gateway: ObjectName): VirtualService[] {
  const reach = ({ metadata, spec }: VirtualService): number => {
    const { exportTo = [] } = spec
    if (exportTo.length === 0 || exportTo.includes('*')) return 2
    return metadata.namespace === workload.namespace ? 0 : 1
  }
  return virtualServicesOf(resources)
    .filter(({ spec }) => spec.hosts?.length && spec.http?.length)
    .filter((service) => service.spec.gateways?.some((name) => isNamed(name, service, gateway)))
    .filter((service) => isExportedTo(service, workload.namespace))
    .sort((a, b) => reach(a) - reach(b) || compareAges(a, b) || compareNames(a, b))
}

function compareNames({ metadata: a }: VirtualService, { metadata: b }: VirtualService): number {
  const [one, other] = [`${a.name}.${a.namespace}`, `${b.name}.${b.namespace}`]
  return one < other ? -1 : one > other ? 1 : 0
}

/** `NAME`, `./NAME`, `NAMESPACE/NAME`, or `NAME.NAMESPACE…` as in Istio's first versions. */
function isNamed(text: string, { metadata }: VirtualService, { namespace, name }: ObjectName): boolean {
  const own = metadata.namespace
  if (text === 'mesh') return false
  const slash = text.indexOf('/')
  if (slash >= 0) {
    const of = text.slice(0, slash)
    return (of === '.' ? own : of) === namespace && text.slice(slash + 1) === name
  }
  const [short, of = own] = text.split('.')
  return short === name && of === namespace
}

interface Place {
  context: TrafficContext
  gateway: ObjectName
  port: number | undefined
}

/** Where a match names gateways, labels and namespace of the source say nothing. */
function isForGateway(match: HttpMatch, service: VirtualService, { context, gateway, port: own }: Place): boolean {
  const { port, gateways = [], sourceLabels = {}, sourceNamespace } = match
  const { labels, namespace } = context.workload
  if (port !== undefined && port !== 0 && own !== undefined && port !== own) return false
  if (gateways.length) return gateways.some((name) => isNamed(name, service, gateway))
  if (sourceNamespace && sourceNamespace !== namespace) return false
  return Object.entries(sourceLabels).every(([key, value]) => labels[key] === value)
}

/** Those of a VirtualService's hosts that a server takes; all of them where the servers are not known. */
function hostsOf(
  service: VirtualService,
  servers: Servers | undefined,
  { diagnostics, hosts }: TrafficContext,
): string[] {
  const { namespace } = service.metadata
  const theirs = servers?.hosts.filter((each) => isOpenTo(each, namespace)).map(({ host }) => host)
  const taken = (service.spec.hosts ?? []).flatMap((text, index) => {
    const host = fullName(text, namespace).toLowerCase()
    const path = ['spec', 'hosts', index]
    if (servers && !servers.takes(host, namespace)) {
      const message = `no server of the Gateway takes ${host}: requests for it are not routed`
      const hint = 'add it to the hosts of a server, or remove it here'
      service.report(diagnostics, 'warning', 'MS1424', path, message, hint)
    }
    const own = theirs ? intersection(theirs, [host]) : [host]
    // Several of this kind are joined.
    for (const each of own) if (!hosts.ownerOf(each)) hosts.claim(each, service, path)
    return own
  })
  return [...new Set(taken)]
}

/** Hosts that the same VirtualServices route are one. */
function virtualHosts<R extends Matching>(
  hosts: ReadonlyMap<string, HostRoutes<R>>,
  servers: readonly ServerHost[],
  toHttps: R,
): VirtualHostConfig<R>[] {
  const leading = servers.filter(({ redirects }) => redirects)
  const groups = new Map<string, VirtualHostConfig<R>>()
  const add = (host: string, { services, routes }: HostRoutes<R>, redirects: boolean) => {
    const name = services.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`).join(' + ')
    const key = `${redirects} ${name}`
    const group = groups.get(key)
    if (group) group.domains.push(host)
    else {
      const all = redirects ? [{ ...toHttps, match: [NOT_HTTPS] }, ...lastCatchAlls(routes)] : lastCatchAlls(routes)
      groups.set(key, { name: name || 'https', domains: [host], routes: all })
    }
  }
  for (const [host, entry] of hosts) {
    const isLed = leading.some((each) => overlapOf(each, host, entry.services))
    if (entry.routes.length || isLed) add(host, entry, isLed)
  }
  for (const { host } of leading) if (!hosts.has(host)) add(host, { services: [], routes: [] }, true)
  return [...groups.values()].map((group) => ({ ...group, domains: [...new Set(group.domains)] }))
}

/** As Envoy's `require_tls`. */
const NOT_HTTPS = { withoutHeaders: { 'x-forwarded-proto': { exact: 'https' } } }

const overlapOf = (server: ServerHost, host: string, services: readonly VirtualService[]) =>
  services.some(({ metadata }) => isOpenTo(server, metadata.namespace)) &&
  intersection([server.host], [host]).includes(host)

/** Whether a route takes every request. */
const isCatchAll = ({ match = [] }: Matching): boolean =>
  match.length === 0 || (match.length === 1 && JSON.stringify(match[0]) === '{"path":{"regex":".*"}}')

/** What comes behind it in one VirtualService is never asked. */
function untilCatchAll<R extends Matching>(routes: readonly R[]): R[] {
  const index = routes.findIndex(isCatchAll)
  return index < 0 ? [...routes] : routes.slice(0, index + 1)
}

/** Of several VirtualServices those that take every request come last. */
const lastCatchAlls = <R extends Matching>(routes: readonly R[]): R[] => [
  ...routes.filter((route) => !isCatchAll(route)),
  ...routes.filter(isCatchAll),
]
