/** Routes of all families → the routing filter's configuration, for requests that a workload makes. */
import { Diagnostics } from '../../resources/diagnostics.ts'
import { Inventory } from '../../resources/kubernetes/inventory.ts'
import { parseResources, type ParseOptions } from '../../resources/parse.ts'
import type { Resource } from '../../resources/resource.ts'
import type { Source } from '../../resources/source.ts'
import type { Workload } from '../workload.ts'
import { Hosts, type CompileRoutes, type TrafficContext } from './context.ts'
import { compileGatewayRoutes } from './gateway-api.ts'
import { compileAnnotations, compileProfiles } from './linkerd.ts'
import type { RoutingConfig } from './model.ts'
import { Registry } from './registry.ts'
import { compileSplits } from './smi.ts'
import { compileVirtualServices } from './virtual-services.ts'

export interface TrafficOptions extends ParseOptions {
  workload: Workload
  /** The port that requests leave by: matches by port, and destinations without one. */
  port?: number
  /** Default: a new one; it is in the result. */
  diagnostics?: Diagnostics
}

export interface CompiledTraffic {
  /** Undefined when there are errors. */
  configuration?: RoutingConfig
  /** All that was in the texts. */
  resources: readonly Resource[]
  diagnostics: Diagnostics
}

/** In this order they say who routes a host. */
const families: readonly CompileRoutes[] = [
  compileVirtualServices,
  compileProfiles,
  compileGatewayRoutes,
  compileSplits,
  compileAnnotations,
]

/** Compiles the routes of the texts for the sidecar of a workload. */
export function compileRouting(sources: readonly Source[], options: TrafficOptions): CompiledTraffic {
  const { workload, port, diagnostics = new Diagnostics() } = options
  const resources = parseResources(sources, diagnostics, { ...options, about: 'traffic' })
  const registry = new Registry(new Inventory(resources).services, port)
  const hosts = new Hosts(diagnostics)
  const context: TrafficContext = { resources, workload, port, registry, hosts, diagnostics }
  const virtualHosts = families.flatMap((compile) => compile(context))
  if (diagnostics.hasErrors) return { resources, diagnostics }
  if (virtualHosts.length === 0) {
    diagnostics.add('warning', 'MS1402', `no route is for requests of ${workload.namespace}/${workload.name}`)
  }
  return { configuration: { version: 1, virtualHosts, unknownHost: 'pass' }, resources, diagnostics }
}
