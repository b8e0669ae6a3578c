/** Which Telemetries count for a workload, in the order in which later ones override earlier ones. Copied from Istio's pilot/pkg/model/telemetry.go. */
import type { MeshConfig } from '../../resources/mesh-config.ts'
import type { Resource } from '../../resources/resource.ts'
import type { TelemetrySpec } from '../../resources/telemetry.ts'
import { selects, targetsOf, type Workload } from '../workload.ts'

export type Telemetry = Resource<TelemetrySpec>

/** That of the root namespace, that of the namespace, and those that select the workload. */
export function levelsFor(telemetries: readonly Telemetry[], workload: Workload, mesh: MeshConfig): Telemetry[] {
  const isWide = ({ spec }: Telemetry) =>
    Object.keys(spec.selector?.matchLabels ?? {}).length === 0 && targetsOf(spec).length === 0
  // Of several for a whole namespace the oldest counts; a file tells no ages, so the first does.
  const wideOf = (namespace: string) =>
    telemetries.filter((each) => each.metadata.namespace === namespace && isWide(each)).slice(0, 1)
  const { namespace } = workload
  const own = telemetries.filter(
    (each) => each.metadata.namespace === namespace && !isWide(each) && selects(each, workload, mesh),
  )
  return [...wideOf(mesh.rootNamespace), ...(namespace === mesh.rootNamespace ? [] : wideOf(namespace)), ...own]
}

/** Those for a whole namespace that do not count, since there is another before them. */
export function shadowed(telemetries: readonly Telemetry[], levels: readonly Telemetry[]): Telemetry[] {
  return telemetries.filter(
    (each) =>
      !levels.includes(each) &&
      targetsOf(each.spec).length === 0 &&
      !Object.keys(each.spec.selector?.matchLabels ?? {}).length &&
      levels.some((level) => level.metadata.namespace === each.metadata.namespace),
  )
}
