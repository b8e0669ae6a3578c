/** The faults of VirtualServices → the fault filter's configuration. */
import { Diagnostics } from '../../resources/diagnostics.ts'
import type { Fault, HttpRoute, Percent, VirtualService } from '../../resources/networking/virtual-service.ts'
import type { Path } from '../../resources/nodes.ts'
import type { Source } from '../../resources/source.ts'
import { parseDuration } from '../../resources/targets.ts'
import { contextOf, warnNone, type TrafficContext, type TrafficOptions } from './context.ts'
import type { FaultConfig, FaultFilterConfig, FaultRouteConfig, VirtualHostConfig } from './model.ts'
import { virtualHostsOf } from './virtual-services.ts'

export interface CompiledFaults {
  /** Undefined when there are errors. */
  configuration?: FaultFilterConfig
  diagnostics: Diagnostics
}

/** Milliseconds that the filter lets nothing wait longer than. */
const LONGEST = 24 * 3_600_000

/** Compiles the faults of the texts' VirtualServices for the sidecar of a workload. */
export function compileFaults(sources: readonly Source[], options: TrafficOptions): CompiledFaults {
  const { diagnostics = new Diagnostics() } = options
  const context = contextOf(sources, { ...options, diagnostics })
  const virtualHosts = withFaults(virtualHostsOf<FaultRouteConfig>(context, faultRoute, {}))
  if (diagnostics.hasErrors) return { diagnostics }
  if (virtualHosts.length === 0) warnNone(context, 'no VirtualService has a fault for')
  return { configuration: { version: 1, virtualHosts }, diagnostics }
}

function faultRoute(
  { diagnostics }: TrafficContext,
  service: VirtualService,
  { name, fault }: HttpRoute,
  path: Path,
): FaultRouteConfig {
  const refuse = (at: Path, message: string) =>
    service.report(diagnostics, 'error', 'MS1301', [...path, 'fault', ...at], message)
  const config = fault && faultConfig(fault, refuse)
  // In metrics routes without a name are told apart all the same.
  const label = name ?? `${service.metadata.namespace}/${service.metadata.name}[${path.at(-1)}]`
  return config ? { name: label, fault: config } : {}
}

/** Undefined for one that never happens: without a percentage, as Istio has it. */
function faultConfig({ delay, abort }: Fault, refuse: (at: Path, message: string) => void): FaultConfig | undefined {
  const config: FaultConfig = {}
  const delayed = percentageOf(delay?.percentage, delay?.percent)
  const aborted = percentageOf(abort?.percentage)
  if (delay?.fixedDelay !== undefined && delayed > 0) {
    if ((parseDuration(delay.fixedDelay) ?? 0) > LONGEST) refuse(['delay', 'fixedDelay'], 'no delay is over 24h')
    config.delay = { percentage: delayed, fixed: delay.fixedDelay }
  }
  if (abort && aborted > 0) {
    const { httpStatus, grpcStatus } = abort
    if (httpStatus === 600) refuse(['abort', 'httpStatus'], 'Envoy answers with no status above 599')
    if (httpStatus !== undefined) config.abort = { percentage: aborted, httpStatus }
    else if (grpcStatus !== undefined) config.abort = { percentage: aborted, grpcStatus }
  }
  return config.delay || config.abort ? config : undefined
}

const percentageOf = (percentage: Percent | undefined, whole = 0): number =>
  percentage ? (percentage.value ?? 0) : whole

/** Without what plays no part: routes behind the last fault of a host, and hosts without any, unless they keep theirs from a wildcard. */
function withFaults(hosts: readonly VirtualHostConfig<FaultRouteConfig>[]): VirtualHostConfig<FaultRouteConfig>[] {
  const shortened = hosts.map((host) => {
    const last = host.routes.findLastIndex(({ fault }) => fault)
    return { ...host, routes: host.routes.slice(0, last + 1) }
  })
  const faulty = shortened.filter(({ routes }) => routes.length)
  const hasWildcard = faulty.some(({ domains }) => domains.some((domain) => domain.includes('*')))
  return hasWildcard ? shortened : faulty
}
