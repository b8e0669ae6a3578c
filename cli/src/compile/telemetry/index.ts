/** Telemetries → the telemetry filter's configuration for one workload and one direction. */
import { Diagnostics } from '../../resources/diagnostics.ts'
import { Inventory } from '../../resources/kubernetes/inventory.ts'
import { defaultMeshConfig, type MeshConfig } from '../../resources/mesh-config.ts'
import { parseResources, type ParseOptions } from '../../resources/parse.ts'
import type { Source } from '../../resources/source.ts'
import type { Direction } from '../compiled.ts'
import type { Workload } from '../workload.ts'
import { mergeAccessLogs } from './access_logs.ts'
import { levelsFor, shadowed, type Telemetry } from './levels.ts'
import { mergeMetrics, type MergedMetrics, type Mode, STANDARD_METRICS, type StandardMetric } from './metrics.ts'
import type { AccessLogConfig, MetricsConfig, TelemetryConfig, TracesConfig } from './model.ts'
import { peersOf, workloadConfig } from './peers.ts'
import { findProvider, tracerOf } from './providers.ts'
import { type CustomTags, mergeTracing } from './tracing.ts'

export interface TelemetryOptions extends ParseOptions {
  workload: Workload
  mesh?: MeshConfig
  /** Default `inbound`: what the workload is asked. */
  direction?: Direction
  /** Default: a new one; it is in the result. */
  diagnostics?: Diagnostics
}

export interface CompiledTelemetry {
  /** Undefined when there are errors. */
  configuration?: TelemetryConfig
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
  const parts = mergeTelemetries(levels, { workload, mesh, direction, diagnostics })
  if (diagnostics.hasErrors) return { diagnostics }
  for (const [part, what] of [
    ['traces', 'spans'],
    ['accessLog', 'access log'],
  ] as const) {
    if (parts[part] === undefined) continue
    const message = `no ${what} of the telemetry filter: Envoy's own go on as the mesh has configured them`
    diagnostics.add('warning', 'MS1401', message)
  }
  const metrics = metricsOf(parts.metrics)
  const peers = peersOf(new Inventory(resources).pods, mesh)
  const configuration: TelemetryConfig = {
    version: 1,
    reporter: direction === 'inbound' ? 'destination' : 'source',
    workload: workloadConfig(workload, mesh),
    ...(peers.length && { peers }),
    metadataExchange: true,
    ...(metrics && { metrics }),
  }
  return { configuration, diagnostics }
}

/** Those that the filter counts. */
const COUNTED = [
  'REQUEST_COUNT',
  'REQUEST_DURATION',
  'REQUEST_SIZE',
  'RESPONSE_SIZE',
  'TCP_OPENED_CONNECTIONS',
  'TCP_CLOSED_CONNECTIONS',
  'TCP_SENT_BYTES',
  'TCP_RECEIVED_BYTES',
] as const

function metricsOf(merged: MergedParts['metrics']): TelemetryConfig['metrics'] {
  const counted = COUNTED.flatMap((name) => (merged?.[name] ? [[name, merged[name]] as const] : []))
  if (counted.length === 0) return undefined
  const interval = merged?.reportingInterval
  return { ...Object.fromEntries(counted), ...(interval !== undefined && { reportingInterval: interval }) }
}

/** What Telemetries say, whether the filter does it or Envoy. */
export interface MergedParts {
  metrics?: MetricsConfig
  traces?: TracesConfig
  accessLog?: AccessLogConfig[]
}

/** Merges Telemetries as Istio does: the lowest level last. */
export function mergeTelemetries(
  levels: readonly Telemetry[],
  {
    workload,
    mesh,
    direction,
    diagnostics,
  }: Required<Pick<TelemetryOptions, 'workload' | 'mesh' | 'direction' | 'diagnostics'>>,
): MergedParts {
  const compiler = new Compiler(levels, mesh, direction === 'inbound' ? 'SERVER' : 'CLIENT', workload, diagnostics)
  const metrics = compiler.metrics()
  const traces = compiler.traces()
  const accessLog = compiler.accessLogs()
  return { ...(metrics && { metrics }), ...(traces && { traces }), ...(accessLog.length && { accessLog }) }
}

class Compiler {
  constructor(
    private readonly levels: readonly Telemetry[],
    private readonly mesh: MeshConfig,
    private readonly mode: Mode,
    private readonly workload: Workload,
    private readonly diagnostics: Diagnostics,
  ) {}

  /** Those of the provider that Prometheus scrapes; undefined where there are none. */
  metrics(): MetricsConfig | undefined {
    const all = this.levels.flatMap(({ spec }) => spec.metrics ?? [])
    const defaults = this.mesh.defaultProviders?.metrics ?? ['prometheus']
    const merged = [...mergeMetrics(all, defaults, this.mode)].filter(([name]) => this.isPrometheus(name))
    const [first, second] = merged
    if (second) {
      const message = `metrics are for ${first![0]} and ${second[0]}, which are both Prometheus: they are counted once`
      this.report('warning', 'metrics', message)
    }
    if (!first || first[1].disabled) return undefined
    const [, { overrides, reportingInterval }] = first
    this.noteCustomMetrics(overrides)
    const config: MetricsConfig = {}
    for (const name of Object.keys(STANDARD_METRICS) as StandardMetric[]) {
      const { disabled = false, tags = new Map<string, string | null>() } = overrides.get(name) ?? {}
      if (disabled) continue
      const remove = [...tags].filter(([, value]) => value === null).map(([label]) => label)
      const set = Object.fromEntries([...tags].filter(([, value]) => value !== null)) as Record<string, string>
      config[name] = {
        ...(remove.length && { remove: remove.sort() }),
        ...(Object.keys(set).length && { tags: set }),
      }
    }
    if (Object.keys(config).length === 0) return undefined
    return { ...config, ...(reportingInterval && { reportingInterval }) }
  }

  /** Istio lets them be overridden, and has no way to define them. */
  private noteCustomMetrics(overrides: MergedMetrics['overrides']): void {
    const custom = [...overrides.keys()].filter((name) => !Object.hasOwn(STANDARD_METRICS, name))
    for (const name of custom)
      this.report('warning', 'metrics', `there is no metric ${name}: what is said of it counts for nothing`)
  }

  private isPrometheus(name: string): boolean {
    const provider = findProvider(this.mesh, name)
    if (provider?.prometheus) return true
    const why = provider ? 'is not of the kind prometheus' : 'is not in extensionProviders of the mesh configuration'
    this.report('warning', 'metrics', `no metrics for ${name}: it ${why}`)
    return false
  }

  traces(): TracesConfig | undefined {
    const all = this.levels.flatMap(({ spec }) => spec.tracing ?? [])
    const [ofMesh] = this.mesh.defaultProviders?.tracing ?? []
    if (all.length === 0 && ofMesh === undefined) return undefined
    const merged = mergeTracing(all, ofMesh, this.mode)
    const tracer = merged.provider === undefined ? undefined : tracerOf(this.mesh, merged.provider)
    if (merged.provider !== undefined && (!tracer || 'why' in tracer)) {
      this.report('error', 'tracing', `no traces for ${merged.provider}: ${tracer?.why ?? 'it is not in extensionProviders'}`)
      return undefined
    } // prettier-ignore
    const found = tracer && !('why' in tracer) ? tracer : undefined
    const { exporter, propagation = ['w3c' as const], timeout } = found ?? {}
    const tags = this.customTags(merged.customTags)
    const { canonicalService } = workloadConfig(this.workload, this.mesh)
    return {
      propagation: merged.propagates ? propagation : [],
      // Istio's own default is 1 %.
      sampling: merged.sampling ?? this.mesh.defaultConfig?.tracing?.sampling ?? 1,
      service: `${canonicalService}.${this.workload.namespace}`,
      ...(exporter && !merged.disabled && { exporter }),
      ...(timeout !== undefined && { batch: { timeout } }),
      ...(Object.keys(tags).length && { tags }),
      ...(!merged.istioTags && { istioTags: false }),
    }
  }

  private customTags(tags: CustomTags): NonNullable<TracesConfig['tags']> {
    const config: NonNullable<TracesConfig['tags']> = {}
    for (const [name, { literal, environment, header, formatter }] of Object.entries(tags)) {
      if (literal) config[name] = { literal: literal.value }
      if (environment) config[name] = { environment: environment.name, ...withDefault(environment.defaultValue) }
      if (header) config[name] = { header: header.name.toLowerCase(), ...withDefault(header.defaultValue) }
      if (formatter) this.report('error', 'tracing', `custom tag ${name}: Envoy's formatter is not known to the filter`)
    }
    return config
  }

  accessLogs(): AccessLogConfig[] {
    const levels = this.levels.flatMap(({ spec }) => (spec.accessLogging?.length ? [spec.accessLogging] : []))
    const merged = mergeAccessLogs(levels, this.mesh.defaultProviders?.accessLogging ?? [], this.mode)
    return [...merged].flatMap(([name, { disabled, filter }]): AccessLogConfig[] => {
      if (disabled) return []
      const provider = findProvider(this.mesh, name)
      const file = provider?.envoyFileAccessLog
      if (!file) {
        const why = provider ? 'the filter logs to standard output only' : 'it is not in extensionProviders'
        this.report('error', 'accessLogging', `no access log for ${name}: ${why}`)
        return []
      }
      const { path = '/dev/stdout', logFormat } = file
      if (path !== '/dev/stdout' && path !== '/dev/stderr')
        this.report('error', 'accessLogging', `no access log for ${name}: no filter can write the file ${path}`)
      else if (logFormat?.text || logFormat?.labels)
        this.report('error', 'accessLogging', `no access log for ${name}: the filter has Istio's own formats only`)
      return [{ format: 'text', ...(filter && { filter }), to: 'log' }]
    })
  }

  /** Reports on the lowest level that speaks of it. */
  private report(severity: 'warning' | 'error', field: 'metrics' | 'tracing' | 'accessLogging', message: string): void {
    const telemetry = this.levels.findLast(({ spec }) => spec[field])
    const code = severity === 'error' ? 'MS1301' : 'MS1401'
    if (telemetry) telemetry.report(this.diagnostics, severity, code, ['spec', field], message)
    else this.diagnostics.add(severity, code, message, { resource: 'MeshConfig' })
  }
}

const withDefault = (value: string | undefined) => (value === undefined ? {} : { default: value })
