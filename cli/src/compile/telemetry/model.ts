/** The configuration of the telemetry filter: filters/telemetry/schema.json. */
import type { StandardMetric } from './metrics.ts'

export interface WorkloadConfig {
  name: string
  namespace: string
  principal?: string
  app?: string
  version?: string
  canonicalService?: string
  canonicalRevision?: string
}

export interface PeerConfig extends WorkloadConfig {
  /** In place of a principal. */
  address?: string
}

export interface MetricConfig {
  remove?: string[]
  /** CEL expressions by label. */
  tags?: Record<string, string>
}

export interface MetricsConfig extends Partial<Record<StandardMetric, MetricConfig>> {
  reportingInterval?: string
}

export type CustomTagConfig =
  { literal: string } | { environment: string; default?: string } | { header: string; default?: string }

export interface ExporterConfig {
  /** A cluster of Envoy's. */
  cluster: string
  authority?: string
  path?: string
  headers?: Record<string, string>
}

export interface TracesConfig {
  propagation: ('w3c' | 'b3' | 'b3multi' | 'datadog')[]
  /** Default: the headers are written. */
  inject?: false
  /** Percent. */
  sampling: number
  /** Default: yes. */
  useRequestId?: false
  service: string
  exporter?: ExporterConfig & { type: 'otlp' | 'zipkin' | 'datadog' }
  batch?: { timeout: string }
  tags?: Record<string, CustomTagConfig>
  istioTags?: false
}

export interface AccessLogConfig {
  format: 'text' | 'json'
  /** A CEL expression. */
  filter?: string
  exporter?: ExporterConfig
}

export interface FlowsConfig {
  exporter?: ExporterConfig
  /** To the proxy's log. */
  log?: true
}

export interface TelemetryConfig {
  version: 1
  reporter: 'source' | 'destination'
  workload: WorkloadConfig
  peers?: PeerConfig[]
  metadataExchange: true
  metrics?: MetricsConfig
  traces?: TracesConfig
  accessLog?: AccessLogConfig[]
  flows?: FlowsConfig
}
