/** Routes of the Gateway API that are attached to Services → routes. Those of Gateways are no matter of a workload's requests. */
import type { ParentRef } from '../../resources/gateway-api/common.ts'
import type { GrpcRoute } from '../../resources/gateway-api/grpc-route.ts'
import type { GatewayHttpRoute } from '../../resources/gateway-api/http-route.ts'
import { readAnnotations } from '../../resources/linkerd/annotations.ts'
import type { Path } from '../../resources/nodes.ts'
import type { Resource } from '../../resources/resource.ts'
import type { TrafficContext } from './context.ts'
import { grpcRule } from './grpc-rule.ts'
import { httpRule } from './http-rule.ts'
import { serviceAnnotations } from './linkerd.ts'
import type { RouteConfig, VirtualHostConfig } from './model.ts'
import { compareRanks, type RankedRoute } from './rank.ts'

/** A route that is attached to a Service. */
interface Attached {
  route: Resource
  parent: ParentRef
  path: Path
}

const isRoute = ({ group, kind }: Resource) =>
  /^(HTTP|GRPC)Route$/.test(kind) && (group === 'gateway.networking.k8s.io' || group === 'policy.linkerd.io')
/** What they are attached by is the same in both. */
const specOf = (route: Resource) => (route as GatewayHttpRoute | GrpcRoute).spec
const isGrpc = ({ route }: Attached) => route.kind === 'GRPCRoute'

export function compileGatewayRoutes(context: TrafficContext): VirtualHostConfig<RouteConfig>[] {
  const byHost = new Map<string, Attached[]>()
  for (const route of context.resources.filter(isRoute)) {
    for (const { host, ...attached } of attach(route, context)) {
      byHost.set(host, [...(byHost.get(host) ?? []), attached])
    }
  }
  return [...byHost].flatMap(([host, attached]) => compileHost(host, attached, context) ?? [])
}

/** The Services that a route is for, as the workload sees it. */
function attach(route: Resource, context: TrafficContext): (Attached & { host: string })[] {
  const { parentRefs = [], hostnames = [] } = specOf(route)
  const own = route.metadata.namespace
  const attached = parentRefs.flatMap((parent, index) => {
    const path = ['spec', 'parentRefs', index]
    const { group = route.group, kind = 'Gateway', name, namespace = own, sectionName } = parent
    if (kind !== 'Service' || (group !== '' && group !== 'core')) {
      const message = `it is attached to the ${kind} ${name}: that is no matter of requests of a workload`
      const hint =
        'for requests to a Service write group: "" and kind: Service; for the proxy of a Gateway give --gateway'
      route.report(context.diagnostics, 'info', 'MS1404', path, message, hint)
      return []
    }
    if (sectionName !== undefined) {
      const hint = 'write port: NUMBER instead'
      const message = 'ports of Services are not known by name here'
      route.report(context.diagnostics, 'error', 'MS1301', [...path, 'sectionName'], message, hint)
      return []
    }
    // A route for a Service of another namespace is for the requests of its own namespace alone.
    if (namespace !== own && own !== context.workload.namespace) return []
    const host = `${name}.${namespace}.svc.cluster.local`
    const missing = context.registry.missing(host)
    if (missing)
      route.report(context.diagnostics, 'warning', 'MS1221', [...path, 'name'], missing.message, missing.hint)
    return [{ route, parent, path, host }]
  })
  if (attached.length && hostnames.length) {
    const message = 'it is attached to a Service, whose names are the hosts: hostnames say nothing'
    const hint = 'remove them, or match the header Host'
    route.report(context.diagnostics, 'warning', 'MS1413', ['spec', 'hostnames'], message, hint)
  }
  return attached
}

function compileHost(
  host: string,
  all: readonly Attached[],
  context: TrafficContext,
): VirtualHostConfig<RouteConfig> | undefined {
  const { registry, workload, diagnostics, hosts } = context
  const named = [...new Set(all.flatMap(({ parent }) => parent.port ?? []))]
  const port = registry.portOf(host) ?? (named.length === 1 ? named[0] : undefined)
  if (named.length && port === undefined) {
    const { route, path } = all.find(({ parent }) => parent.port !== undefined)!
    const hint = 'give --port: requests are routed port by port'
    const message = `routes for ${host} are for some of its ports, and which one is asked for is not known`
    route.report(diagnostics, 'error', 'MS1221', [...path, 'port'], message, hint)
    return undefined
  }
  const here = all.filter(({ parent }) => parent.port === undefined || parent.port === port)
  // The namespace that makes the requests comes first; the two kinds are not joined.
  const [name, namespace] = host.split('.') as [string, string]
  const consumers = here.filter(({ route }) => route.metadata.namespace !== namespace)
  const own = consumers.length ? consumers : here
  // Of both kinds those of gRPC count alone.
  const attached = own.some(isGrpc) ? own.filter(isGrpc) : own
  const [first] = attached
  if (!first || !hosts.claim(host, first.route, first.path)) return undefined

  for (const { route, path } of own.filter((each) => !attached.includes(each))) {
    const message = `ignored: ${first.route.title} is for ${host} too, and GRPCRoutes come first`
    route.report(diagnostics, 'warning', 'MS1410', path, message, 'let one kind say both, or attach them to two ports')
  }

  const ofService = serviceAnnotations(host, context)
  const ranked = attached.flatMap(({ route }): RankedRoute[] => {
    const annotations = { ...ofService, ...readAnnotations(route, diagnostics) }
    const at = (index: number) => ({ ...context, route, host, port, annotations, path: ['spec', 'rules', index] })
    if (route.kind === 'GRPCRoute') {
      // A client of gRPC reads it as UNAVAILABLE.
      const { rules = [{}] } = (route as GrpcRoute).spec
      return rules.flatMap((rule, index) => grpcRule(rule, { ...at(index), failure: 503 }, index))
    }
    const { rules = [{}] } = (route as GatewayHttpRoute).spec
    return rules.flatMap((rule, index) => httpRule(rule, { ...at(index), failure: 500 }, index))
  })
  const routes = ranked.sort((a, b) => compareRanks(a.rank, b.rank)).map(({ config }) => config)
  return { name: `${namespace}/${name}`, domains: registry.domainsOf(host, namespace, workload.namespace), routes }
}
