/** Listeners in Envoy's configuration. */
import type { Certificate } from './certificates.ts'
import { ROUTER } from './filters.ts'
import { extension, type Json, merge, typed } from './json.ts'

export interface ListenerSpec {
  name: string
  /** Default 127.0.0.1. */
  address?: string
  /** Default 0: a free one. */
  port?: number
  /** HTTP: the chain is these filters and the router, in front of `routes`. */
  http?: { filters?: readonly Json[]; routes: Json; connectionManager?: Json }
  /** TCP: the chain is these filters and a TCP proxy to the cluster. */
  tcp?: { filters?: readonly Json[]; cluster: string }
  tls?: ListenerTls
  accessLog?: Json
  /** Merged into the listener. */
  extra?: Json
}

/** Mutual TLS, as a sidecar's listener does it. */
export interface ListenerTls {
  server: Certificate
  authority: string
  /** Clients' URI SANs must be in one of these; undefined: any client that the authority knows. */
  trustDomains?: readonly string[]
  /** Plaintext is taken too, as in PeerAuthentication's mode PERMISSIVE. */
  permissive?: boolean
}

/** Envoy's listener. */
export function listenerConfig(spec: ListenerSpec): Json {
  const { name, address = '127.0.0.1', port = 0, tls } = spec
  const filters = networkFilters(spec)
  const base: Json = {
    name,
    address: { socket_address: { address, port_value: port } },
    filter_chains: tls ? tlsChains(tls, filters) : [{ filters }],
  }
  if (tls) {
    base.listener_filters = [
      extension('tls_inspector', 'envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector'),
    ]
    // A few bytes of plaintext TCP do not tell the inspector enough: go on without a verdict, after a while.
    base.listener_filters_timeout = '2s'
    base.continue_on_listener_filters_timeout = true
  }
  return merge(base, spec.extra)
}

/** Both chains have the same filters; a connection takes the one that its first bytes ask for. */
function tlsChains(tls: ListenerTls, filters: Json[]): Json[] {
  const context = typed('envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext', {
    require_client_certificate: true,
    common_tls_context: {
      alpn_protocols: ['h2', 'http/1.1'],
      tls_certificates: [
        {
          certificate_chain: { inline_string: tls.server.certificate },
          private_key: { inline_string: tls.server.key },
        },
      ],
      validation_context: {
        trusted_ca: { inline_string: tls.authority },
        ...(tls.trustDomains && {
          match_typed_subject_alt_names: tls.trustDomains.map((domain) => ({
            san_type: 'URI',
            matcher: { prefix: `spiffe://${domain}/` },
          })),
        }),
      },
    },
  })
  const mutual = {
    name: 'mtls',
    filter_chain_match: { transport_protocol: 'tls' },
    transport_socket: { name: 'tls', typed_config: context },
    filters,
  }
  if (!tls.permissive) return [mutual]
  return [mutual, { name: 'plaintext', filter_chain_match: { transport_protocol: 'raw_buffer' }, filters }]
}

function networkFilters({ name, http, tcp, tls, accessLog }: ListenerSpec): Json[] {
  const log = accessLog ? { access_log: [accessLog] } : {}
  if (tcp) {
    const proxy = { stat_prefix: name, cluster: tcp.cluster, ...log }
    return [
      ...(tcp.filters ?? []),
      extension('tcp_proxy', 'envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy', proxy),
    ]
  }
  if (!http) throw new Error(`listener ${name} has neither http nor tcp`)
  const { http_filters: outer = [], ...manager } = http.connectionManager ?? {}
  const base: Json = {
    stat_prefix: name,
    route_config: http.routes,
    http_filters: [...(outer as Json[]), ...(http.filters ?? []), ROUTER],
    // How long Envoy waits between a reset and closing the connection: its default of a second is a long time in tests.
    delayed_close_timeout: '0.1s',
    ...log,
  }
  if (tls) {
    base.forward_client_cert_details = 'APPEND_FORWARD'
    base.set_current_client_cert_details = { subject: true, dns: true, uri: true }
  }
  const type = 'envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager'
  return [extension('http_connection_manager', type, merge(base, manager))]
}
