/** Routes of the Gateway API that are attached to Services → routes. Those of Gateways are no matter of a workload's requests. */
import type { ParentRef } from '../../resources/gateway-api/common.ts'
import type { GatewayHttpRoute, HttpRouteRule } from '../../resources/gateway-api/http-route.ts'
import { readAnnotations } from '../../resources/linkerd/annotations.ts'
import type { Path } from '../../resources/nodes.ts'
import type { Resource } from '../../resources/resource.ts'
import type { TrafficContext } from './context.ts'
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

const isHttpRoute = ({ group, kind }: Resource) =>
  kind === 'HTTPRoute' && (group === 'gateway.networking.k8s.io' || group === 'policy.linkerd.io')

export function compileGatewayRoutes(context: TrafficContext): VirtualHostConfig<RouteConfig>[] {
  const byHost = new Map<string, Attached[]>()
  for (const route of context.resources.filter(isHttpRoute)) {
    for (const { host, ...attached } of attach(route, context)) {
      byHost.set(host, [...(byHost.get(host) ?? []), attached])
    }
  }
  return [...byHost].flatMap(([host, attached]) => compileHost(host, attached, context) ?? [])
}

/** The Services that a route is for, as the workload sees it. */
function attach(route: Resource, context: TrafficContext): (Attached & { host: string })[] {
  const { parentRefs = [], hostnames = [] } = (route as GatewayHttpRoute).spec
  const own = route.metadata.namespace
  const attached = parentRefs.flatMap((parent, index) => {
    const path = ['spec', 'parentRefs', index]
    const { group = route.group, kind = 'Gateway', name, namespace = own, sectionName } = parent
    if (kind !== 'Service' || (group !== '' && group !== 'core')) {
      const message = `it is attached to the ${kind} ${name}: that is no matter of requests of a workload`
      const hint = 'for requests to a Service write group: "" and kind: Service'
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
    return [{ route, parent, path, host: `${name}.${namespace}.svc.cluster.local` }]
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
  const attached = consumers.length ? consumers : here
  const [first] = attached
  if (!first || !hosts.claim(host, first.route, first.path)) return undefined

  const ofService = serviceAnnotations(host, context)
  const ranked = attached.flatMap(({ route }) => {
    const { rules = [{}] } = (route as GatewayHttpRoute).spec
    const annotations = { ...ofService, ...readAnnotations(route, context.diagnostics) }
    return rules.flatMap((rule: HttpRouteRule, index): RankedRoute[] =>
      httpRule(rule, { ...context, route, host, port, annotations, path: ['spec', 'rules', index] }, index),
    )
  })
  const routes = ranked.sort((a, b) => compareRanks(a.rank, b.rank)).map(({ config }) => config)
  return { name: `${namespace}/${name}`, domains: registry.domainsOf(host, namespace, workload.namespace), routes }
}
