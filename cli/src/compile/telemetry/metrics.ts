/** `metrics` of Telemetries, merged: what becomes of each metric for one provider and one direction. Copied from mergeMetrics of Istio's pilot/pkg/model/telemetry.go. */
import type { TelemetrySpec } from '../../resources/telemetry.ts'

type Metrics = NonNullable<TelemetrySpec['metrics']>[number]
export type Mode = 'CLIENT' | 'SERVER'

/** Names of the standard metrics in Telemetries, and in Prometheus. */
export const STANDARD_METRICS = {
  REQUEST_COUNT: 'istio_requests_total',
  REQUEST_DURATION: 'istio_request_duration_milliseconds',
  REQUEST_SIZE: 'istio_request_bytes',
  RESPONSE_SIZE: 'istio_response_bytes',
  GRPC_REQUEST_MESSAGES: 'istio_request_messages_total',
  GRPC_RESPONSE_MESSAGES: 'istio_response_messages_total',
  TCP_OPENED_CONNECTIONS: 'istio_tcp_connections_opened_total',
  TCP_CLOSED_CONNECTIONS: 'istio_tcp_connections_closed_total',
  TCP_SENT_BYTES: 'istio_tcp_sent_bytes_total',
  TCP_RECEIVED_BYTES: 'istio_tcp_received_bytes_total',
} as const
export type StandardMetric = keyof typeof STANDARD_METRICS

export interface MergedOverride {
  disabled: boolean
  /** By label: a CEL expression, or null where the label is removed. */
  tags: Map<string, string | null>
}

export interface MergedMetrics {
  /** All of them are switched off. */
  disabled: boolean
  /** By name: those of `STANDARD_METRICS`, and custom ones. */
  overrides: Map<string, MergedOverride>
  reportingInterval?: string
}

const namesOf = (providers: { name: string }[] = []) => providers.map(({ name }) => name)

/** Of the providers that are left in the end. `defaults`: those of the mesh. */
export function mergeMetrics(
  all: readonly Metrics[],
  defaults: readonly string[],
  mode: Mode,
): Map<string, MergedMetrics> {
  const merged = new Map<string, MergedMetrics>()
  const fresh = (): MergedMetrics => ({ disabled: false, overrides: new Map() })
  if (all.length === 0) return new Map(defaults.map((name) => [name, fresh()]))
  // Providers override those of the level above; they are not joined.
  const inScope = all.map(({ providers }) => namesOf(providers)).findLast((names) => names.length) ?? defaults
  let parents: readonly string[] = defaults
  for (const metrics of all) {
    const own = namesOf(metrics.providers)
    if (own.length) parents = own
    for (const provider of parents) {
      if (!inScope.includes(provider)) continue
      const target = merged.get(provider) ?? fresh()
      merged.set(provider, target)
      if (metrics.reportingInterval) target.reportingInterval = metrics.reportingInterval
      for (const override of metrics.overrides ?? []) {
        const { metric, customMetric, mode: of = 'CLIENT_AND_SERVER' } = override.match ?? {}
        if (of !== 'CLIENT_AND_SERVER' && of !== mode) continue
        const isAll = customMetric === undefined && (metric ?? 'ALL_METRICS') === 'ALL_METRICS'
        if (isAll && override.disabled) {
          target.disabled = true
          continue
        }
        // Whatever comes after "all off" switches them on again.
        target.disabled = false
        const names = isAll ? Object.keys(STANDARD_METRICS) : [customMetric ?? metric!]
        for (const name of names) apply(target, name, override)
      }
    }
  }
  return merged
}

function apply(
  target: MergedMetrics,
  name: string,
  { disabled, tagOverrides = {} }: NonNullable<Metrics['overrides']>[number],
): void {
  const override = target.overrides.get(name) ?? { disabled: false, tags: new Map() }
  if (disabled !== undefined) override.disabled = disabled
  for (const [label, { operation, value = '' }] of Object.entries(tagOverrides))
    override.tags.set(label, operation === 'REMOVE' ? null : value)
  target.overrides.set(name, override)
}
