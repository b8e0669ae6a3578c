/** Telemetries → the telemetry filter's configuration for one workload and one direction. */
import { Diagnostics } from '../../resources/diagnostics.ts'
import { Inventory } from '../../resources/kubernetes/inventory.ts'
import { defaultMeshConfig, type MeshConfig } from '../../resources/mesh-config.ts'
import { parseResources, type ParseOptions } from '../../resources/parse.ts'
import type { Resource } from '../../resources/resource.ts'
import type { Source } from '../../resources/source.ts'
import type { Direction } from '../compiled.ts'
import type { Workload } from '../workload.ts'
import { levelsFor, shadowed, type Telemetry } from './levels.ts'
import { type MergedParts, mergeTelemetries, type Part, PARTS } from './merge.ts'
import { STANDARD_METRICS, type StandardMetric } from './metrics.ts'
import type { FlowsConfig, TelemetryConfig } from './model.ts'
import { peersOf, workloadConfig } from './peers.ts'

export interface TelemetryOptions extends ParseOptions {
  workload: Workload
  mesh?: MeshConfig
  /** Default `inbound`: what the workload is asked. */
  direction?: Direction
  /** Which parts of what the resources say. Default: all. */
  parts?: readonly Part[]
  /** Flow records, of which no resource speaks. */
  flows?: FlowsConfig
  /** Default: a new one; it is in the result. */
  diagnostics?: Diagnostics
}

export interface CompiledTelemetry {
  /** Undefined when there are errors. */
  configuration?: TelemetryConfig
  /** All that were read. */
  resources: readonly Resource[]
  diagnostics: Diagnostics
}

/** Compiles the Telemetries of the texts, as Istio merges them for the sidecar of a workload. */
export function compileTelemetry(sources: readonly Source[], options: TelemetryOptions): CompiledTelemetry {
  const { workload, direction = 'inbound', mesh = defaultMeshConfig, diagnostics = new Diagnostics() } = options
  const resources = parseResources(sources, diagnostics, { ...options, about: 'telemetry' })
  const telemetries = resources.filter(({ kind }) => kind === 'Telemetry') as Telemetry[]
  const levels = levelsFor(telemetries, workload, mesh)
  for (const each of shadowed(telemetries, levels)) {
    const message = `ignored: another Telemetry is for all of the namespace ${each.metadata.namespace}, and the first counts`
    each.report(diagnostics, 'warning', 'MS1410', ['metadata', 'name'], message, 'merge the two')
  }
  const parts = mergeTelemetries(levels, { workload, mesh, direction, diagnostics, parts: options.parts ?? PARTS })
  if (diagnostics.hasErrors) return { resources, diagnostics }
  noteIstiod(parts, diagnostics)
  const metrics = metricsOf(parts.metrics)
  const peers = peersOf(new Inventory(resources).pods, mesh)
  const configuration: TelemetryConfig = {
    version: 1,
    reporter: direction === 'inbound' ? 'destination' : 'source',
    workload: workloadConfig(workload, mesh),
    ...(peers.length && { peers }),
    metadataExchange: true,
    ...(metrics && { metrics }),
    ...(parts.traces && { traces: parts.traces }),
    ...(parts.accessLog && { accessLog: parts.accessLog }),
    ...(options.flows && { flows: options.flows }),
  }
  return { configuration, resources, diagnostics }
}

/** Both would do the same. For metrics the README says what to do. */
function noteIstiod({ traces, accessLog }: MergedParts, diagnostics: Diagnostics): void {
  const twice = [...(traces ? ['spans'] : []), ...(accessLog ? ['lines of access logs'] : [])]
  if (twice.length === 0) return
  const message = `in a mesh of istiod ${twice.join(' and ')} come twice: it has Envoy make them by the same resources`
  diagnostics.add('info', 'MS1415', message, { hint: 'there, leave them to Envoy: --parts metrics' })
}

function metricsOf(merged: MergedParts['metrics']): TelemetryConfig['metrics'] {
  const counted = (Object.keys(STANDARD_METRICS) as StandardMetric[]).flatMap((name) =>
    merged?.[name] ? [[name, merged[name]] as const] : [],
  )
  if (counted.length === 0) return undefined
  const interval = merged?.reportingInterval
  return { ...Object.fromEntries(counted), ...(interval !== undefined && { reportingInterval: interval }) }
}
