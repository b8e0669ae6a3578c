/** VirtualServices → routes. */
import { fullName } from '../../resources/networking/hosts.ts'
import type { HttpMatch } from '../../resources/networking/virtual-service.ts'
import type { Path } from '../../resources/nodes.ts'
import type { TrafficContext } from './context.ts'
import { gatewayHostsOf } from './gateway/virtual-services.ts'
import type { RouteConfig, VirtualHostConfig } from './model.ts'
import { routeConfig } from './route.ts'
import {
  isExportedTo,
  RouteReader,
  virtualServicesOf,
  type Matching,
  type ReadRoute,
} from './virtual-service-routes.ts'

/** Those of the mesh, as a sidecar of the workload has them, or those of a gateway. */
export function compileVirtualServices(context: TrafficContext): VirtualHostConfig<RouteConfig>[] {
  return virtualHostsOf(context, routing, { redirect: { status: 301, scheme: 'https' } })
}

/** The hosts of the VirtualServices, each with what is made of its routes. `toHttps`: what leads a request to HTTPS. */
export function virtualHostsOf<R extends Matching>(
  context: TrafficContext,
  read: ReadRoute<R>,
  toHttps: R,
): VirtualHostConfig<R>[] {
  return context.gateway ? gatewayHostsOf(context, context.gateway, read, toHttps) : meshHostsOf(context, read)
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

function meshHostsOf<R extends Matching>(context: TrafficContext, read: ReadRoute<R>): VirtualHostConfig<R>[] {
  const { resources, workload, registry, hosts: owners } = context
  const reader = new RouteReader(context, read, (match) => isForSidecar(match, context))
  const virtualHosts: VirtualHostConfig<R>[] = []
  for (const service of virtualServicesOf(resources)) {
    const { hosts = [], gateways = ['mesh'], http = [] } = service.spec
    const { namespace } = service.metadata
    if (hosts.length === 0 || http.length === 0 || !gateways.includes('mesh')) continue
    if (!isExportedTo(service, workload.namespace)) continue
    const routes = reader.routesOf(service)
    const own = hosts.filter((host, index) =>
      owners.claim(fullName(host, namespace), service, ['spec', 'hosts', index]),
    )
    const domains = own.flatMap((host) => registry.domainsOf(host, namespace, workload.namespace))
    if (domains.length) virtualHosts.push({ name: `${namespace}/${service.metadata.name}`, domains, routes })
  }
  return virtualHosts
}

function isForSidecar({ port, gateways = [], sourceLabels = {}, sourceNamespace }: HttpMatch, context: TrafficContext) {
  const { labels, namespace } = context.workload
  if (port !== undefined && port !== 0 && context.port !== undefined && port !== context.port) return false
  if (gateways.length && !gateways.includes('mesh')) return false
  if (sourceNamespace && sourceNamespace !== namespace) return false
  return Object.entries(sourceLabels).every(([key, value]) => labels[key] === value)
}
