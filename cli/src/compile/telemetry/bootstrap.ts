/** The part of Envoy's bootstrap that metrics need: Wasm has no labels, so they are in the stats' names, and Envoy takes them out again. */
import { LABELS, OF_FILTERS } from './definitions.ts'
import type { TelemetryConfig } from './model.ts'
import { STANDARD_METRICS, type StandardMetric } from './metrics.ts'

/** Upper bounds of histograms' buckets, as Istio has them: Envoy's own. */
export const BUCKETS = [
  0.5, 1, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000, 60_000, 300_000, 600_000, 1_800_000,
  3_600_000,
] as const

export interface BootstrapOptions {
  /** Labels of own metrics. */
  labels?: readonly string[]
  /** Upper bounds of the standard histograms. */
  buckets?: readonly number[]
}

/** Of this configuration; Prometheus shows the labels in the order in which they are here. */
export function bootstrapFor(config: TelemetryConfig | undefined, options: BootstrapOptions = {}) {
  const { labels = [], buckets = BUCKETS } = options
  const added = (Object.keys(STANDARD_METRICS) as StandardMetric[]).flatMap((name) =>
    Object.keys(config?.metrics?.[name]?.tags ?? {}),
  )
  const all = new Set([...LABELS, ...added, ...OF_FILTERS.flatMap((metric) => metric.labels), ...labels])
  return {
    stats_config: {
      stats_tags: [...all].map((label) => ({ tag_name: label, regex: `(\\.${escape(label)}=\\.=(.*?);\\.;)` })),
      histogram_bucket_settings: [{ match: { prefix: 'wasmcustom.istio_' }, buckets: [...buckets] }],
    },
  }
}

const escape = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
