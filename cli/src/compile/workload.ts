/** Which policies apply to a workload. */
import type { AuthorizationPolicy } from '../resources/authorization-policy.ts'
import type { MeshConfig } from '../resources/mesh-config.ts'

export interface Workload {
  namespace: string
  name: string
  labels: Readonly<Record<string, string>>
}

/** A policy applies in its own namespace, one of the root namespace everywhere, and only where all its labels match. */
export function selects(policy: AuthorizationPolicy, workload: Workload, mesh: MeshConfig): boolean {
  const { namespace } = policy.metadata
  if (namespace !== workload.namespace && namespace !== mesh.rootNamespace) return false
  const labels = Object.entries(policy.spec.selector?.matchLabels ?? {})
  return labels.every(([key, value]) => Object.hasOwn(workload.labels, key) && workload.labels[key] === value)
}
