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

export interface TracesConfig {
  propagation: ('w3c' | 'b3' | 'b3multi' | 'datadog')[]
  /** Percent. */
  sampling: number
  service: string
  exporter?: { type: 'otlp' | 'zipkin' | 'datadog'; cluster: string; authority: string; path?: string }
  batch?: { timeout: string }
  tags?: Record<string, CustomTagConfig>
  istioTags?: boolean
}

export interface AccessLogConfig {
  format: 'text' | 'json'
  filter?: string
  to: 'log'
}

export interface TelemetryConfig {
  version: 1
  reporter: 'source' | 'destination'
  workload: WorkloadConfig
  peers?: PeerConfig[]
  metadataExchange: true
  metrics?: MetricsConfig
}
