/** What Telemetries say of a workload's one direction, merged as Istio merges them. */
import type { Diagnostics } from '../../resources/diagnostics.ts'
import type { FileAccessLog } from '../../resources/extension-providers.ts'
import type { MeshConfig } from '../../resources/mesh-config.ts'
import type { Direction } from '../compiled.ts'
import type { Workload } from '../workload.ts'
import { mergeAccessLogs } from './access_logs.ts'
import type { Telemetry } from './levels.ts'
import { mergeMetrics, type MergedMetrics, type Mode, STANDARD_METRICS, type StandardMetric } from './metrics.ts'
import type { AccessLogConfig, MetricsConfig, TracesConfig } from './model.ts'
import { workloadConfig } from './peers.ts'
import { findProvider, tracerOf } from './providers.ts'
import { type CustomTags, mergeTracing } from './tracing.ts'

/** What Telemetries speak of. */
export const PARTS = ['metrics', 'traces', 'accessLog'] as const
export type Part = (typeof PARTS)[number]

export interface MergedParts {
  metrics?: MetricsConfig
  traces?: TracesConfig
  accessLog?: AccessLogConfig[]
}

export interface MergeOptions {
  workload: Workload
  mesh: MeshConfig
  direction: Direction
  diagnostics: Diagnostics
  /** Of others nothing is said. Default: all. */
  parts?: readonly Part[]
}

/** Merges Telemetries: the lowest level last. */
export function mergeTelemetries(
  levels: readonly Telemetry[],
  { workload, mesh, direction, diagnostics, parts = PARTS }: MergeOptions,
): MergedParts {
  const compiler = new Compiler(levels, mesh, direction === 'inbound' ? 'SERVER' : 'CLIENT', workload, diagnostics)
  const metrics = parts.includes('metrics') ? compiler.metrics() : undefined
  const traces = parts.includes('traces') ? compiler.traces() : undefined
  const accessLog = parts.includes('accessLog') ? compiler.accessLogs() : []
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
    if (merged.provider === undefined) {
      const hint = 'name one in providers, or in defaultProviders.tracing of the mesh configuration'
      this.report('warning', 'tracing', 'no traces: no provider is named', hint)
      return undefined
    }
    const tracer = tracerOf(this.mesh, merged.provider)
    if (!tracer || 'why' in tracer) {
      const why = tracer?.why ?? 'it is not in extensionProviders of the mesh configuration'
      this.report('error', 'tracing', `no traces for ${merged.provider}: ${why}`, OTHERS.traces)
      return undefined
    }
    const { exporter, propagation, timeout } = tracer
    const tags = this.customTags(merged.customTags)
    const { canonicalService } = workloadConfig(this.workload, this.mesh)
    return {
      propagation,
      ...(!merged.propagates && { inject: false }),
      // Istio's own default is 1 %.
      sampling: merged.sampling ?? this.mesh.defaultConfig?.tracing?.sampling ?? 1,
      ...(!merged.useRequestId && { useRequestId: false }),
      service: `${canonicalService}.${this.workload.namespace}`,
      ...(!merged.disabled && { exporter, ...(timeout !== undefined && { batch: { timeout } }) }),
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
      if (formatter) this.report('error', 'tracing', `custom tag ${name}: Envoy's formatter is not known to the filter`, 'write literal, environment or header') // prettier-ignore
    }
    return config
  }

  accessLogs(): AccessLogConfig[] {
    const { defaultProviders, accessLogFile } = this.mesh
    const levels = this.levels.flatMap(({ spec }) => (spec.accessLogging?.length ? [spec.accessLogging] : []))
    const merged = mergeAccessLogs(levels, defaultProviders?.accessLogging ?? [], this.mode)
    // Where nobody is named, the mesh's own file counts.
    if (merged.size === 0 && accessLogFile) return this.fileLog('accessLogFile', { path: accessLogFile }, true)
    return [...merged].flatMap(([name, { disabled, filter }]) => {
      if (disabled) return []
      const provider = findProvider(this.mesh, name)
      const file = provider?.envoyFileAccessLog
      if (!file) {
        const why = provider ? 'the filter logs to standard output only' : 'it is not in extensionProviders'
        this.report('error', 'accessLogging', `no access log for ${name}: ${why}`, OTHERS.accessLog)
        return []
      }
      return this.fileLog(name, file, provider.name === 'envoy').map((log) => ({ ...log, ...(filter && { filter }) }))
    })
  }

  /** `isMeshs`: in the format of the mesh configuration, where the provider has none. */
  private fileLog(name: string, { path = '', logFormat, omitEmptyValues }: FileAccessLog, isMeshs: boolean): AccessLogConfig[] {
    const refuse = (why: string) => {
      this.report('error', 'accessLogging', `no access log for ${name}: ${why}`, OTHERS.accessLog)
      return []
    }
    if (!STANDARD_STREAMS.includes(path)) return refuse(`no filter can write the file ${path}`)
    const own = 'the filter has Istio\'s own formats only'
    if (omitEmptyValues) return refuse(`${own}, with empty values`)
    if (logFormat?.text || Object.keys(logFormat?.labels ?? {}).length) return refuse(own)
    if (logFormat?.labels) return [{ format: 'json' }]
    const { accessLogEncoding = 'TEXT', accessLogFormat } = this.mesh
    if (!isMeshs || logFormat) return [{ format: 'text' }]
    if (accessLogFormat) return refuse(`${own}, and the mesh configuration has accessLogFormat`)
    return [{ format: accessLogEncoding === 'JSON' ? 'json' : 'text' }]
  } // prettier-ignore

  /** Reports on the lowest level that speaks of it. */
  private report(severity: 'warning' | 'error', field: Field, message: string, hint?: string): void {
    const telemetry = this.levels.findLast(({ spec }) => spec[field])
    const code = severity === 'error' ? 'MS1301' : 'MS1401'
    if (telemetry) telemetry.report(this.diagnostics, severity, code, ['spec', field], message, hint)
    else this.diagnostics.add(severity, code, message, { resource: 'MeshConfig', ...(hint !== undefined && { hint }) })
  }
}

type Field = 'metrics' | 'tracing' | 'accessLogging'
/** What to do instead: the rest alone. */
const OTHERS = {
  traces: "leave traces to Envoy's own tracer: --parts metrics,accessLog",
  accessLog: "leave access logs to Envoy's own: --parts metrics,traces",
}
/** Empty: standard output. */
const STANDARD_STREAMS = ['', '/dev/stdout', '/dev/stderr']

const withDefault = (value: string | undefined) => (value === undefined ? {} : { default: value })
