/** Clusters and routes in Envoy's configuration. */
import type { RouteSpec } from '../types.ts'
import { type Json, typed } from './json.ts'

export interface ClusterSpec {
  /** Addresses of the endpoints. A name is looked up by Envoy. */
  endpoints: readonly { host: string; port: number }[]
  /** Default `http1`. */
  protocol?: 'http1' | 'http2'
  /** Merged into the cluster, e.g. for TLS towards the endpoints. */
  extra?: Json
}

/** An address where nothing listens: a port below 1024 that no service of today uses. */
export const CLOSED_PORT = 1

/** Envoy's cluster `name`. */
export function clusterConfig(name: string, spec: ClusterSpec): Json {
  const numeric = spec.endpoints.every(({ host }) => /^[\d.]+$|:/.test(host))
  const endpoints = spec.endpoints.map(({ host, port }) => ({
    endpoint: { address: { socket_address: { address: host, port_value: port } } },
  }))
  return {
    name,
    type: numeric ? 'STATIC' : 'STRICT_DNS',
    connect_timeout: '1s',
    load_assignment: { cluster_name: name, endpoints: [{ lb_endpoints: endpoints }] },
    ...(spec.protocol === 'http2' && {
      typed_extension_protocol_options: {
        'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': typed(
          'envoy.extensions.upstreams.http.v3.HttpProtocolOptions',
          { explicit_http_config: { http2_protocol_options: {} } },
        ),
      },
    }),
    ...spec.extra,
  }
}

/** A route configuration with one virtual host. */
export function routeConfig(routes: readonly RouteSpec[]): Json {
  return { name: 'routes', virtual_hosts: [{ name: 'default', domains: ['*'], routes: routes.map(route) }] }
}

function route(spec: RouteSpec): Json {
  const headers = Object.entries(spec.headers ?? {})
  if (spec.authority !== undefined) headers.unshift([':authority', spec.authority])
  return {
    ...(spec.name !== undefined && { name: spec.name }),
    match: {
      ...(spec.path !== undefined ? { path: spec.path } : { prefix: spec.prefix ?? '/' }),
      ...(headers.length > 0 && { headers: headers.map(([name, exact]) => ({ name, string_match: { exact } })) }),
    },
    ...action(spec),
  }
}

function action({ directResponse, clusterHeader, cluster }: RouteSpec): Json {
  if (directResponse) {
    const { status, body } = directResponse
    return { direct_response: { status, ...(body !== undefined && { body: { inline_string: body } }) } }
  }
  if (clusterHeader !== undefined) return { route: { cluster_header: clusterHeader } }
  return { route: { cluster: cluster ?? 'upstream' } }
}
