/** The clusters behind which receivers are, for an Envoy that nobody else gives any. */
import type { Diagnostics } from '../../resources/diagnostics.ts'
import { Inventory } from '../../resources/kubernetes/inventory.ts'
import type { DestinationRule } from '../../resources/networking/destination-rule.ts'
import type { Resource } from '../../resources/resource.ts'
import { ClusterWriter, type Json } from '../target/clusters.ts'
import { EndpointFinder, type GivenEndpoints } from '../target/endpoints.ts'
import type { TelemetryConfig } from './model.ts'

export interface ReceiverOptions {
  namespace: string
  /** Services, pods and DestinationRules count. */
  resources: readonly Resource[]
  diagnostics: Diagnostics
  /** By host, or by the name of a cluster that is not one of Istio's. */
  endpoints: GivenEndpoints
  trustDomain: string
  /** Folder of the proxy's certificates, for ISTIO_MUTUAL. */
  certificates?: string
}

/** One for each receiver of the configuration. Where one is not known is reported. */
export function receiverClusters(
  { traces, accessLog = [], flows }: TelemetryConfig,
  { namespace, resources, diagnostics, endpoints, trustDomain, certificates }: ReceiverOptions,
): Json[] {
  const exporters = [traces?.exporter, ...accessLog.map(({ exporter }) => exporter), flows?.exporter]
  const names = new Set(exporters.flatMap((exporter) => exporter?.cluster ?? []))
  const rules = resources.filter(({ kind }) => kind === 'DestinationRule') as DestinationRule[]
  const finder = new EndpointFinder(new Inventory(resources), rules, endpoints, namespace)
  const writer = new ClusterWriter(finder, diagnostics, certificates, trustDomain)
  return [...names].flatMap((name): Json[] => {
    if (name.startsWith('outbound|')) return [writer.write(name)]
    const own = endpoints.get(name)
    if (own) return [writer.writeTo(name, own)]
    const hint = `give --endpoint ${name}=HOST:PORT, or a cluster outbound|PORT||HOST`
    diagnostics.add('error', 'MS1221', `it is not known where the cluster ${name} is`, { hint })
    return []
  })
}
