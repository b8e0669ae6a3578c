/** Backends that routes of the Gateway API name. */
import type { BackendObject } from '../../resources/gateway-api/common.ts'
import type { LinkerdAnnotations } from '../../resources/linkerd/annotations.ts'
import type { Path } from '../../resources/nodes.ts'
import type { Resource } from '../../resources/resource.ts'
import type { TrafficContext } from './context.ts'
import { isGranted } from './gateway/grants.ts'

/** What a rule needs to know of where it is. */
export interface RuleContext extends TrafficContext {
  route: Resource
  /** Full name of the Service that requests ask for, and its port where it is known. Undefined at a gateway. */
  host: string | undefined
  port: number | undefined
  /** What requests for a backend that is none are answered with. */
  failure: number
  /** Linkerd's, of the route and the Service. */
  annotations: LinkerdAnnotations
  /** Of the rule. */
  path: Path
}

/**
 * Envoy's name of a backend's cluster; undefined where the reference is invalid, which has an effect that the warning tells. A Service
 * is missing only where the input has others of its namespace.
 */
export function backendCluster(
  backend: BackendObject,
  path: Path,
  context: RuleContext,
  effect = `what it would get is answered with ${context.failure}`,
): string | undefined {
  const { registry, route, diagnostics } = context
  const { group = '', kind = 'Service', name, namespace = route.metadata.namespace, port } = backend
  const invalid = (field: string, message: string, hint: string) => {
    route.report(diagnostics, 'warning', 'MS1221', [...path, field], message, hint)
    return undefined
  }
  if (kind !== 'Service' || (group !== '' && group !== 'core')) {
    const message = `${kind} ${name} is no Service: ${effect}`
    return invalid('kind', message, 'write the name of a Service')
  }
  if (context.gateway && !isGranted(route, { namespace, name }, context.resources)) {
    const message = `no ReferenceGrant of the namespace ${namespace} lets ${route.kind}s of ${route.metadata.namespace} have its Service ${name}: ${effect}`
    return invalid('namespace', message, 'add the ReferenceGrant to the input')
  }
  const full = `${name}.${namespace}.svc.cluster.local`
  const ports = registry.portsOf(full)
  const missing = registry.missing(full)
  if (missing) return invalid('name', `${missing.message}: ${effect}`, missing.hint)
  if (ports && !ports.includes(port!)) {
    const message = `${name} has no port ${port}: ${effect}`
    return invalid('port', message, `its ports: ${ports.join(', ') || 'none'}`)
  }
  return registry.clusterName(full, port!)
}
