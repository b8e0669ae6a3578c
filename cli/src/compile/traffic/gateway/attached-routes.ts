/** HTTPRoutes and GRPCRoutes that are attached to a Gateway → routes. */
import type { ParentRef } from '../../../resources/gateway-api/common.ts'
import type { GrpcRoute } from '../../../resources/gateway-api/grpc-route.ts'
import type { GatewayHttpRoute } from '../../../resources/gateway-api/http-route.ts'
import type { Path } from '../../../resources/nodes.ts'
import type { Resource } from '../../../resources/resource.ts'
import type { ObjectName } from '../../workload.ts'
import type { TrafficContext } from '../context.ts'
import { grpcRule } from '../grpc-rule.ts'
import { httpRule } from '../http-rule.ts'
import type { RouteConfig, VirtualHostConfig } from '../model.ts'
import { compareRanks, type RankedRoute } from '../rank.ts'
import { Listeners } from './listeners.ts'

/** A reference to the Gateway. */
interface Attachment {
  route: Resource
  parent: ParentRef
  path: Path
}

/** A route that a host has got. */
interface Attached {
  route: Resource
  path: Path
}

const GROUP = 'gateway.networking.k8s.io'
const isRoute = ({ group, kind }: Resource) => group === GROUP && /^(HTTP|GRPC)Route$/.test(kind)
/** What they are attached by is the same in both. */
const specOf = (route: Resource) => (route as GatewayHttpRoute | GrpcRoute).spec

export function compileAttachedRoutes(context: TrafficContext): VirtualHostConfig<RouteConfig>[] {
  const gateway = context.gateway!
  const attachments = context.resources.filter(isRoute).flatMap((route) => attachmentsOf(route, gateway, context))
  const [first] = attachments
  if (!first) return []
  const listeners = Listeners.read(context, gateway)
  if (!listeners) return []
  if (listeners === 'missing') {
    const message = `the Gateway ${gateway.namespace}/${gateway.name} is not in the input: hostnames are taken as they stand`
    const hint = 'add it, so that only what its listeners take is compiled'
    first.route.report(context.diagnostics, 'info', 'MS1221', first.path, message, hint)
  }
  const byHost = new Map<string, Attached[]>()
  for (const { route, parent, path } of attachments) {
    const { hostnames = [] } = specOf(route)
    const own = hostnames.length ? hostnames : ['*']
    for (const host of listeners === 'missing' ? own : listeners.hostsOf(route, hostnames, parent, path)) {
      const earlier = byHost.get(host) ?? []
      if (!earlier.some((each) => each.route === route)) byHost.set(host, [...earlier, { route, path }])
    }
  }
  return virtualHosts(byHost, context)
}

/** The references of a route to the Gateway; others are passed over, with a note. */
function attachmentsOf(route: Resource, gateway: ObjectName, { diagnostics }: TrafficContext): Attachment[] {
  const { parentRefs = [] } = specOf(route)
  return parentRefs.flatMap((parent, index) => {
    const path = ['spec', 'parentRefs', index]
    const { group = GROUP, kind = 'Gateway', name, namespace = route.metadata.namespace } = parent
    const isGateway = group === GROUP && kind === 'Gateway'
    if (isGateway && name === gateway.name && namespace === gateway.namespace) return [{ route, parent, path }]
    const message = `it is attached to the ${kind} ${namespace}/${name}: that is not what --gateway names`
    const hint = isGateway ? `for that one give --gateway ${namespace}/${name}` : 'compile that without --gateway'
    route.report(diagnostics, 'info', 'MS1404', path, message, hint)
    return []
  })
}

/** Hosts that the same routes are for are one. */
function virtualHosts(
  byHost: ReadonlyMap<string, Attached[]>,
  context: TrafficContext,
): VirtualHostConfig<RouteConfig>[] {
  const rules = new Map<Resource, RankedRoute[]>()
  const groups = new Map<string, VirtualHostConfig<RouteConfig>>()
  for (const [host, all] of byHost) {
    const attached = ofOneKind(host, all, context)
    const [first] = attached
    if (!first || !context.hosts.claim(host, first.route, first.path)) continue
    const name = attached.map(({ route: { metadata } }) => `${metadata.namespace}/${metadata.name}`).join(' + ')
    const group = groups.get(`${first.route.kind} ${name}`)
    if (group) {
      group.domains.push(host)
      continue
    }
    for (const { route } of attached) if (!rules.has(route)) rules.set(route, rulesOf(route, context))
    const ranked = attached.flatMap(({ route }) => rules.get(route)!)
    const routes = ranked.sort((a, b) => compareRanks(a.rank, b.rank)).map(({ config }) => config)
    groups.set(`${first.route.kind} ${name}`, { name, domains: [host], routes })
  }
  return [...groups.values()]
}

/** HTTPRoutes and GRPCRoutes share no host of a listener: the kind of the oldest route has it. */
function ofOneKind(host: string, all: readonly Attached[], { diagnostics }: TrafficContext): Attached[] {
  const whole = (route: Resource) => ({ specific: [], route, index: 0 })
  const sorted = [...all].sort((a, b) => compareRanks(whole(a.route), whole(b.route)))
  const first = sorted[0]?.route
  for (const { route } of sorted.filter((each) => each.route.kind !== first?.kind)) {
    const message = `ignored: the ${first!.title} has ${host}, and is older or the first by its name`
    const hint = 'give the two kinds hostnames of their own'
    route.report(diagnostics, 'warning', 'MS1410', ['spec', 'hostnames'], message, hint)
  }
  return sorted.filter(({ route }) => route.kind === first?.kind)
}

function rulesOf(route: Resource, context: TrafficContext): RankedRoute[] {
  const at = (index: number) => ({
    ...context,
    route,
    host: undefined,
    port: undefined,
    annotations: {},
    path: ['spec', 'rules', index],
  })
  if (route.kind === 'GRPCRoute') {
    // A client of gRPC reads it as UNAVAILABLE.
    const { rules = [{}] } = (route as GrpcRoute).spec
    return rules.flatMap((rule, index) => grpcRule(rule, { ...at(index), failure: 503 }, index))
  }
  const { rules = [{}] } = (route as GatewayHttpRoute).spec
  return rules.flatMap((rule, index) => httpRule(rule, { ...at(index), failure: 500 }, index))
}
