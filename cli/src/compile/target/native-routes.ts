/** The routes of Envoy that the routing filter chooses from: what no request header can say is theirs. */
import type { RouteConfig, RoutingConfig } from '../traffic/model.ts'

export const CLUSTER_HEADER = 'x-meshscript-cluster'
export const NATIVE_HEADER = 'x-meshscript-native'

type Mirrors = NonNullable<RouteConfig['mirrors']>

/** What Istio has on every route; its conditions and numbers come with each request, in headers. */
const action = {
  cluster_header: CLUSTER_HEADER,
  timeout: '0s',
  retry_policy: {
    num_retries: 2,
    retry_host_predicate: [
      {
        name: 'envoy.retry_host_predicates.previous_hosts',
        typed_config: {
          '@type': 'type.googleapis.com/envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate',
        },
      },
    ],
    host_selection_retry_max_attempts: 5,
  },
}

/** Takes the mirrors out of the filter's configuration: Envoy's own copies need no body in the filter's memory. */
export function nativeMirrors(config: RoutingConfig): { configuration: RoutingConfig; mirrors: Map<string, Mirrors> } {
  const names = new Map<string, string>()
  const mirrors = new Map<string, Mirrors>()
  const virtualHosts = config.virtualHosts.map((host) => ({
    ...host,
    routes: host.routes.map(({ mirrors: own, ...route }): RouteConfig => {
      if (!own?.length) return route
      const key = JSON.stringify(own)
      const native = names.get(key) ?? `m${names.size + 1}`
      names.set(key, native)
      mirrors.set(native, own)
      return { ...route, native }
    }),
  }))
  return { configuration: { ...config, virtualHosts }, mirrors }
}

/** `mirrors`: those of each value of the header by which the filter says which route it means. */
export function nativeVirtualHost(mirrors: ReadonlyMap<string, Mirrors> = new Map()) {
  const mirrored = [...mirrors].map(([name, list]) => ({
    match: { prefix: '/', headers: [{ name: NATIVE_HEADER, string_match: { exact: name } }] },
    route: {
      ...action,
      request_mirror_policies: list.map(({ cluster, percentage = 100 }) => ({
        cluster,
        // As Istio: copies have the host of the request, not HOST-shadow.
        disable_shadow_host_suffix_append: true,
        runtime_fraction: { default_value: { numerator: Math.round(percentage * 10_000), denominator: 'MILLION' } },
      })),
    },
  }))
  return {
    name: 'routed',
    domains: ['*'],
    include_request_attempt_count: true,
    // They are between the filter and the router.
    request_headers_to_remove: [CLUSTER_HEADER, NATIVE_HEADER],
    routes: [...mirrored, { match: { prefix: '/' }, route: action }],
  }
}
