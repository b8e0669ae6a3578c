/** `tracing` of Telemetries, merged. Copied from Tracing of Istio's pilot/pkg/model/telemetry.go. */
import type { TelemetrySpec } from '../../resources/telemetry.ts'
import type { Mode } from './metrics.ts'

type Tracing = NonNullable<TelemetrySpec['tracing']>[number]
export type CustomTags = NonNullable<Tracing['customTags']>

export interface MergedTracing {
  /** Undefined: nobody is told. */
  provider?: string
  disabled: boolean
  /** In percent; undefined where no Telemetry says. */
  sampling?: number
  /** A lower level's replace those of the level above. */
  customTags: CustomTags
  useRequestId: boolean
  istioTags: boolean
  propagates: boolean
}

/** `provider`: the mesh's own. */
export function mergeTracing(all: readonly Tracing[], provider: string | undefined, mode: Mode): MergedTracing {
  const merged: MergedTracing = {
    ...(provider !== undefined && { provider }),
    disabled: false,
    customTags: {},
    useRequestId: true,
    istioTags: true,
    propagates: true,
  }
  for (const tracing of all) {
    const of = tracing.match?.mode ?? 'CLIENT_AND_SERVER'
    if (of !== 'CLIENT_AND_SERVER' && of !== mode) continue
    const [first] = tracing.providers ?? []
    if (first) merged.provider = first.name
    if (tracing.disableSpanReporting !== undefined) merged.disabled = tracing.disableSpanReporting
    if (tracing.customTags) merged.customTags = tracing.customTags
    if (tracing.randomSamplingPercentage !== undefined) merged.sampling = tracing.randomSamplingPercentage
    if (tracing.useRequestIdForTraceSampling !== undefined) merged.useRequestId = tracing.useRequestIdForTraceSampling
    if (tracing.enableIstioTags !== undefined) merged.istioTags = tracing.enableIstioTags
    if (tracing.disableContextPropagation !== undefined) merged.propagates = !tracing.disableContextPropagation
  }
  return merged
}
