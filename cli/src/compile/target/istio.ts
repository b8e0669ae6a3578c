/** The routing filter in a mesh of Istio: it says in a header which destination it has chosen, and a VirtualService leads the request there. */
import { emit, toYaml } from '../../deploy/resources.ts'
import type { Code } from '../../deploy/request.ts'
import type { RoutingConfig } from '../traffic/model.ts'
import type { Workload } from '../workload.ts'
import { parseClusterName } from './endpoints.ts'
import { CLUSTER_HEADER, NATIVE_HEADER, nativeMirrors } from './native-routes.ts'

export interface IstioTargetOptions {
  workload: Workload
  /** The image of the routing filter. */
  code: Code
}

/**
 * A WasmPlugin and a VirtualService for each of those that were compiled, in whose place it is to be applied. Retries and timeouts
 * come with the request, in Envoy's own headers; copies are the VirtualService's.
 */
export function istioResources(routing: RoutingConfig, { workload, code }: IstioTargetOptions): string {
  const { configuration, mirrors } = nativeMirrors(routing)
  const plugin = emit(
    {
      name: `${workload.name}-routing`,
      namespace: workload.namespace,
      code,
      configuration: { ...configuration },
      selector: { ...workload.labels },
      targets: [],
      matches: [{ mode: 'CLIENT' }],
      failStrategy: 'FAIL_RELOAD',
      pluginName: 'routing',
      env: [],
      type: 'HTTP',
    },
    'wasm-plugin',
  )
  const services = configuration.virtualHosts.map(({ name, domains, routes }) => {
    const [namespace = '', resource = ''] = name.split('/')
    const chosen = new Map<string, { cluster: string; native?: string }>()
    for (const { destinations = [], native } of routes) {
      for (const { cluster } of destinations)
        chosen.set(`${native}\0${cluster}`, { cluster, ...(native !== undefined && { native }) })
    }
    const exact = (header: string, value: string) => ({ [header]: { exact: value } })
    // Those with copies first: their clusters alone match the others, too.
    const ordered = [...chosen.values()].sort((a, b) => Number(b.native !== undefined) - Number(a.native !== undefined))
    const http = ordered.map(({ cluster, native }) => ({
      match: [{ headers: { ...exact(CLUSTER_HEADER, cluster), ...(native !== undefined && exact(NATIVE_HEADER, native)) } }],
      route: [{ destination: destinationOf(cluster) }],
      headers: { request: { remove: [CLUSTER_HEADER, NATIVE_HEADER] } },
      // The filter's headers say it.
      retries: { attempts: 0 },
      ...(native !== undefined && {
        mirrors: mirrors.get(native)!.map(({ cluster: copy, percentage = 100 }) => ({
          destination: destinationOf(copy),
          percentage: { value: percentage },
        })),
      }),
    })) // prettier-ignore
    return {
      apiVersion: 'networking.istio.io/v1',
      kind: 'VirtualService',
      metadata: { name: resource, namespace, labels: { 'app.kubernetes.io/managed-by': 'meshscript' } },
      spec: { hosts: hostsOf(domains), http },
    }
  })
  return [plugin.yaml, ...services.map(toYaml)].join('---\n')
}

function destinationOf(cluster: string) {
  const { host, subset, port } = parseClusterName(cluster)
  return { host, ...(subset && { subset }), port: { number: port } }
}

/** The names that others are short for, without the addresses that Istio adds itself. */
function hostsOf(domains: readonly string[]): string[] {
  const names = domains.filter((domain) => !/^[\d.]+$/.test(domain) && !domain.includes(':'))
  return names.filter((name) => !names.some((other) => other.startsWith(`${name}.`) && other.endsWith('.svc.cluster.local')))
} // prettier-ignore
