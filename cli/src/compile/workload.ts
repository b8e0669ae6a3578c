/** Which policies of Istio apply to a workload. */
import type { MeshConfig } from '../resources/mesh-config.ts'
import type { Resource } from '../resources/resource.ts'
import type { TargetRef, Targets } from '../resources/targets.ts'

export interface Workload {
  namespace: string
  name: string
  labels: Readonly<Record<string, string>>
  /** Default `default`. */
  serviceAccount?: string
  /** It is a waypoint: only policies with targetRefs apply to it. */
  waypoint?: boolean
  /** Services and ServiceEntries that a waypoint stands for. */
  services?: readonly ObjectName[]
  serviceEntries?: readonly ObjectName[]
}

export interface ObjectName {
  namespace: string
  name: string
}

/** Istio puts it on the pods that it runs for a Gateway of the Gateway API. */
export const gatewayLabel = 'gateway.networking.k8s.io/gateway-name'
const waypointClass = 'istio-waypoint'

/** The objects that a policy is attached to; none where it selects by labels. */
export function targetsOf({ targetRef, targetRefs = [] }: Targets): readonly TargetRef[] {
  return targetRefs.length === 0 && targetRef ? [targetRef] : targetRefs
}

/**
 * Whether a policy applies. By labels: in its own namespace, one of the root namespace everywhere, and only where all its labels
 * match. By targetRefs: only to gateways and waypoints.
 */
export function selects({ metadata, spec }: Resource<Targets>, workload: Workload, mesh: MeshConfig): boolean {
  const { namespace } = metadata
  const targets = targetsOf(spec)
  if (targets.length > 0) return targets.some((target) => isTarget(target, namespace, workload, mesh))
  if (workload.waypoint || (namespace !== workload.namespace && namespace !== mesh.rootNamespace)) return false
  const labels = Object.entries(spec.selector?.matchLabels ?? {})
  return labels.every(([key, value]) => Object.hasOwn(workload.labels, key) && workload.labels[key] === value)
}

/** A target is always of the policy's own namespace. */
function isTarget({ kind, name }: TargetRef, namespace: string, workload: Workload, mesh: MeshConfig): boolean {
  const isOneOf = (objects: readonly ObjectName[] = []) =>
    objects.some((object) => object.name === name && object.namespace === namespace)
  switch (kind) {
    case 'Gateway':
      return namespace === workload.namespace && workload.labels[gatewayLabel] === name
    case 'GatewayClass':
      return namespace === mesh.rootNamespace && workload.waypoint === true && name === waypointClass
    case 'Service':
      return workload.waypoint === true && isOneOf(workload.services)
    case 'ServiceEntry':
      return workload.waypoint === true && isOneOf(workload.serviceEntries)
  }
  return false
}
