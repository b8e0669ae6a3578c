/** Routes of all families → the routing filter's configuration, for requests that a workload makes. */
import { Diagnostics } from '../../resources/diagnostics.ts'
import type { Resource } from '../../resources/resource.ts'
import type { Source } from '../../resources/source.ts'
import { contextOf, warnNone, type CompileRoutes, type TrafficOptions } from './context.ts'
import { compileAttachedRoutes } from './gateway/attached-routes.ts'
import { compileGatewayRoutes } from './gateway-api.ts'
import { compileAnnotations, compileProfiles } from './linkerd.ts'
import type { RoutingConfig } from './model.ts'
import { compileSplits } from './smi.ts'
import { compileVirtualServices } from './virtual-services.ts'

export type { TrafficOptions } from './context.ts'

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

/** What a gateway routes by: the others are about requests for Services. */
const gatewayFamilies: readonly CompileRoutes[] = [compileVirtualServices, compileAttachedRoutes]

/** Compiles the routes of the texts for the sidecar of a workload, or for the proxy of a gateway. */
export function compileRouting(sources: readonly Source[], options: TrafficOptions): CompiledTraffic {
  const { diagnostics = new Diagnostics() } = options
  const context = contextOf(sources, { ...options, diagnostics })
  const { resources } = context
  const virtualHosts = (options.gateway ? gatewayFamilies : families).flatMap((compile) => compile(context))
  if (diagnostics.hasErrors) return { resources, diagnostics }
  if (virtualHosts.length === 0) warnNone(context, 'no route is for')
  return { configuration: { version: 1, virtualHosts, unknownHost: 'pass' }, resources, diagnostics }
}
