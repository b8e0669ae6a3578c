/** Whether a route may have a backend of another namespace, as the Gateway API asks of gateways. */
import type { ReferenceGrant } from '../../../resources/gateway-api/reference-grant.ts'
import type { Resource } from '../../../resources/resource.ts'

/** A ReferenceGrant in the namespace of the Service must say so. */
export function isGranted(
  route: Resource,
  { namespace, name }: { namespace: string; name: string },
  resources: readonly Resource[],
): boolean {
  if (namespace === route.metadata.namespace) return true
  const grants = resources.filter(
    ({ kind, group, metadata }) =>
      kind === 'ReferenceGrant' && group === 'gateway.networking.k8s.io' && metadata.namespace === namespace,
  ) as ReferenceGrant[]
  return grants.some(
    ({ spec }) =>
      spec.from.some(
        (from) => from.group === route.group && from.kind === route.kind && from.namespace === route.metadata.namespace,
      ) && spec.to.some((to) => to.group === '' && to.kind === 'Service' && (to.name ?? name) === name),
  )
}
