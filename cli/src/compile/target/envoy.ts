/** The configuration of a standalone Envoy: its listener, the filters, one route that takes the cluster which the routing filter has chosen, and the clusters. */
import { parse } from 'yaml'
import { emit, toYaml } from '../../deploy/resources.ts'
import type { Diagnostics } from '../../resources/diagnostics.ts'
import { Inventory } from '../../resources/kubernetes/inventory.ts'
import type { DestinationRule } from '../../resources/networking/destination-rule.ts'
import type { Resource } from '../../resources/resource.ts'
import type { FaultFilterConfig, RoutingConfig } from '../traffic/model.ts'
import type { Workload } from '../workload.ts'
import { ClusterWriter, type Json } from './clusters.ts'
import { EndpointFinder, type GivenEndpoints } from './endpoints.ts'
import { nativeMirrors, nativeVirtualHost } from './native-routes.ts'

export interface EnvoyTargetOptions {
  workload: Workload
  /** It is at the edge: who asks is not of the mesh. */
  isGateway?: boolean
  resources: readonly Resource[]
  diagnostics: Diagnostics
  /** Where Envoy listens. */
  listen: { address: string; port: number }
  /** Where Envoy finds the modules `routing.wasm` and `fault.wasm`. */
  modules: string
  endpoints: GivenEndpoints
  trustDomain: string
  /** Folder of the proxy's certificates, for ISTIO_MUTUAL. */
  certificates?: string
}

/** As YAML. Where something can't be written it is reported. */
export function staticEnvoy(
  routing: RoutingConfig,
  fault: FaultFilterConfig | undefined,
  options: EnvoyTargetOptions,
): string {
  const {
    workload,
    isGateway = false,
    resources,
    diagnostics,
    listen,
    modules,
    endpoints,
    certificates,
    trustDomain,
  } = options
  // Without a mesh there is no other place for a host that no route is for.
  const { configuration, mirrors } = nativeMirrors({ ...routing, unknownHost: 'notFound' })
  const rules = resources.filter(({ kind }) => kind === 'DestinationRule') as DestinationRule[]
  const finder = new EndpointFinder(new Inventory(resources), rules, endpoints, workload.namespace)
  const writer = new ClusterWriter(finder, diagnostics, certificates, trustDomain)
  const names = new Set([
    ...configuration.virtualHosts.flatMap(({ routes }) =>
      routes.flatMap(({ destinations = [] }) => destinations.map(({ cluster }) => cluster)),
    ),
    ...[...mirrors.values()].flat().map(({ cluster }) => cluster),
  ])
  const hasFaults = fault?.virtualHosts.some(({ routes }) => routes.some((route) => route.fault)) === true
  const filters = [
    ...(hasFaults ? [wasmFilter('fault', modules, { ...fault })] : []),
    wasmFilter('routing', modules, { ...configuration }),
    {
      name: 'envoy.filters.http.router',
      typed_config: { '@type': 'type.googleapis.com/envoy.extensions.filters.http.router.v3.Router' },
    },
  ]
  const name = isGateway ? 'gateway' : 'outbound'
  const listener = {
    name,
    address: { socket_address: { address: listen.address, port_value: listen.port } },
    filter_chains: [
      {
        filters: [
          {
            name: 'envoy.filters.network.http_connection_manager',
            typed_config: {
              '@type':
                'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
              stat_prefix: name,
              // What strangers say in Envoy's own headers does not count, and their addresses are told.
              ...(isGateway && { use_remote_address: true }),
              normalize_path: true,
              upgrade_configs: [{ upgrade_type: 'websocket' }],
              http_filters: filters,
              route_config: { name, virtual_hosts: [nativeVirtualHost(mirrors)] },
            },
          },
        ],
      },
    ],
  }
  const bootstrap: Json = {
    node: { id: `${workload.name}.${workload.namespace}`, cluster: `${workload.name}.${workload.namespace}` },
    static_resources: { listeners: [listener], clusters: [...names].map((name) => writer.write(name)) },
  }
  return toYaml(bootstrap)
}

/** As `meshscript deploy --as envoy` writes it. */
function wasmFilter(name: string, modules: string, configuration: Record<string, unknown>): unknown {
  const { yaml } = emit(
    {
      name,
      code: { kind: 'file', path: `${modules}/${name}.wasm` },
      configuration,
      targets: [],
      matches: [],
      failStrategy: 'FAIL_RELOAD',
      pluginName: name,
      env: [],
      type: 'HTTP',
    },
    'envoy',
  )
  return (parse(yaml) as unknown[])[0]
}
