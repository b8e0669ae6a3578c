/** Envoy's clusters for destinations, with what DestinationRules say of them. */
import type { Diagnostics } from '../../resources/diagnostics.ts'
import type { DestinationRule } from '../../resources/networking/destination-rule.ts'
import type { Path } from '../../resources/nodes.ts'
import { type ClusterName, type Endpoint, type EndpointFinder, parseClusterName } from './endpoints.ts'

export type Json = Record<string, unknown>

/** What of a `trafficPolicy` is Envoy's to do for a cluster. */
interface TrafficPolicy {
  loadBalancer?: { simple?: string; consistentHash?: unknown }
  connectionPool?: {
    tcp?: { maxConnections?: number; connectTimeout?: string }
    http?: {
      http1MaxPendingRequests?: number
      http2MaxRequests?: number
      maxRequestsPerConnection?: number
      maxRetries?: number
    }
  }
  outlierDetection?: {
    consecutive5xxErrors?: number
    consecutiveGatewayErrors?: number
    interval?: string
    baseEjectionTime?: string
    maxEjectionPercent?: number
  }
  tls?: {
    mode?: string
    sni?: string
    caCertificates?: string
    clientCertificate?: string
    privateKey?: string
    subjectAltNames?: string[]
  }
  portLevelSettings?: (TrafficPolicy & { port?: { number?: number } })[]
}

const WRITTEN = ['loadBalancer', 'connectionPool', 'outlierDetection', 'tls', 'portLevelSettings', 'port']
const POLICIES: Record<string, string> = {
  ROUND_ROBIN: 'ROUND_ROBIN',
  LEAST_REQUEST: 'LEAST_REQUEST',
  LEAST_CONN: 'LEAST_REQUEST',
  RANDOM: 'RANDOM',
}
/** Ports by whose protocol Istio speaks HTTP/2. */
const HTTP2 = /^(grpc|http2|kubernetes\.io\/h2c)(-|$)/

export class ClusterWriter {
  constructor(
    private readonly finder: EndpointFinder,
    private readonly diagnostics: Diagnostics,
    /** Folder of the proxy's certificates; for ISTIO_MUTUAL. */
    private readonly certificates: string | undefined,
    private readonly trustDomain: string,
  ) {}

  write(name: string): Json {
    const cluster = parseClusterName(name)
    const { kind, endpoints, lacksSubset } = this.finder.find(cluster)
    if (lacksSubset) {
      const hint = `give its pods with their status, or --endpoint ${cluster.host}/${cluster.subset}=HOST:PORT`
      const message = `the endpoints of the subset ${cluster.subset} of ${cluster.host} are not known: it gets all of the host`
      this.diagnostics.add('warning', 'MS1221', message, { hint })
    }
    const port = this.finder.portOf(cluster)
    const isHttp2 = HTTP2.test(port?.appProtocol ?? port?.name ?? '')
    return {
      ...this.writeTo(name, endpoints, kind === 'dns'),
      ...this.policyOf(cluster),
      ...(isHttp2 && {
        typed_extension_protocol_options: {
          'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
            '@type': 'type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions',
            explicit_http_config: { http2_protocol_options: {} },
          },
        },
      }),
    }
  }

  /** A cluster with these endpoints, and nothing else. `isDns`: Envoy looks their names up, even such as are addresses. */
  writeTo(name: string, endpoints: readonly Endpoint[], isDns = false): Json {
    return {
      name,
      type: !isDns && endpoints.every(({ address }) => isAddress(address)) ? 'STATIC' : 'STRICT_DNS',
      connect_timeout: '10s',
      load_assignment: {
        cluster_name: name,
        endpoints: [
          {
            lb_endpoints: endpoints.map(({ address, port: port_value }) => ({
              endpoint: { address: { socket_address: { address, port_value } } },
            })),
          },
        ],
      },
    }
  }

  /** That of the host, and over it that of the subset, member by member as in Istio. */
  private policyOf(cluster: ClusterName): Json {
    const { host, subset } = cluster
    let config: Json = {}
    for (const rule of this.finder.rulesFor(host)) {
      const spec = rule.spec as { trafficPolicy?: TrafficPolicy; subsets?: { name: string; trafficPolicy?: TrafficPolicy }[] } // prettier-ignore
      const index = (spec.subsets ?? []).findIndex(({ name }) => name === subset)
      const levels: [TrafficPolicy | undefined, Path][] = [
        [spec.trafficPolicy, ['spec', 'trafficPolicy']],
        [spec.subsets?.[index]?.trafficPolicy, ['spec', 'subsets', index, 'trafficPolicy']],
      ]
      for (const [policy, path] of levels) {
        if (!policy) continue
        // What is said of a port stands for all that is said of the host.
        const settings = policy.portLevelSettings ?? []
        const port = settings.findIndex((each) => each.port?.number === cluster.port)
        const own = port < 0 ? policy : settings[port]!
        const at = port < 0 ? path : [...path, 'portLevelSettings', port]
        config = { ...config, ...this.convert(own, rule, at, cluster) }
      }
    }
    return config
  }

  private convert(policy: TrafficPolicy, rule: DestinationRule, path: Path, cluster: ClusterName): Json {
    const refuse = (at: Path, message: string, hint: string) =>
      rule.report(this.diagnostics, 'error', 'MS1301', [...path, ...at], message, hint)
    for (const name of Object.keys(policy)) {
      if (!WRITTEN.includes(name))
        refuse([name], `${name} is not written to clusters`, 'remove it, or write it into the cluster yourself')
    }
    const { loadBalancer, connectionPool, outlierDetection, tls } = policy
    const config: Json = {}
    if (loadBalancer) {
      const simple = POLICIES[loadBalancer.simple ?? '']
      if (simple) config['lb_policy'] = simple
      else {
        const hint = `write simple: ${Object.keys(POLICIES).join(', ')}; or split by "sticky" of the routing filter`
        refuse(['loadBalancer'], 'this way to choose an endpoint is not written to clusters', hint)
      }
    }
    if (connectionPool) Object.assign(config, poolOf(connectionPool))
    if (outlierDetection) config['outlier_detection'] = outliersOf(outlierDetection)
    if (tls) {
      const transport = this.transportOf(tls, cluster, (message, hint) => refuse(['tls', 'mode'], message, hint))
      if (transport) config['transport_socket'] = transport
    }
    return config
  }

  private transportOf(
    tls: NonNullable<TrafficPolicy['tls']>,
    cluster: ClusterName,
    refuse: (message: string, hint: string) => void,
  ): Json | undefined {
    const { mode = 'DISABLE', sni, caCertificates: ca, clientCertificate: certificate, privateKey: key } = tls
    const names = tls.subjectAltNames ?? []
    if (mode === 'DISABLE') return undefined
    if (mode === 'SIMPLE' || mode === 'MUTUAL') {
      // Without it Envoy would take any certificate.
      if (!ca)
        refuse(
          'no authority is named for the certificate of the server',
          'write caCertificates, e.g. /etc/ssl/certs/ca-certificates.crt',
        )
      return upstreamTls({ ca, certificate, key, sni, names })
    }
    if (mode !== 'ISTIO_MUTUAL') {
      refuse(`there is no mode ${mode}`, 'write DISABLE, SIMPLE, MUTUAL or ISTIO_MUTUAL')
      return undefined
    }
    if (this.certificates === undefined) {
      const hint = 'give --certificates FOLDER, with cert-chain.pem, key.pem and root-cert.pem'
      refuse('no certificates for ISTIO_MUTUAL', hint)
      return undefined
    }
    const file = (name: string) => `${this.certificates}/${name}`
    // As Istio: only the accounts that the Service's pods have may answer.
    const accounts = this.finder.accountsOf(cluster).map((account) => `spiffe://${this.trustDomain}/${account}`)
    return upstreamTls({
      ca: file('root-cert.pem'),
      certificate: file('cert-chain.pem'),
      key: file('key.pem'),
      sni,
      names: names.length ? names : accounts,
    })
  }
}

interface TlsFiles {
  ca: string | undefined
  certificate: string | undefined
  key: string | undefined
  sni: string | undefined
  /** Of which the server's certificate must have one; none: any. */
  names: readonly string[]
}

function upstreamTls({ ca, certificate, key, sni, names }: TlsFiles): Json {
  const sans = names.flatMap((exact) => ['DNS', 'URI'].map((san_type) => ({ san_type, matcher: { exact } })))
  return {
    name: 'envoy.transport_sockets.tls',
    typed_config: {
      '@type': 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext',
      ...(sni && { sni }),
      common_tls_context: {
        ...(certificate && {
          tls_certificates: [{ certificate_chain: { filename: certificate }, private_key: { filename: key } }],
        }),
        ...(ca && {
          validation_context: {
            trusted_ca: { filename: ca },
            ...(sans.length && { match_typed_subject_alt_names: sans }),
          },
        }),
      },
    },
  }
}

function poolOf({ tcp, http }: NonNullable<TrafficPolicy['connectionPool']>): Json {
  const threshold = {
    ...(tcp?.maxConnections !== undefined && { max_connections: tcp.maxConnections }),
    ...(http?.http1MaxPendingRequests !== undefined && { max_pending_requests: http.http1MaxPendingRequests }),
    ...(http?.http2MaxRequests !== undefined && { max_requests: http.http2MaxRequests }),
    ...(http?.maxRetries !== undefined && { max_retries: http.maxRetries }),
  }
  return {
    ...(tcp?.connectTimeout && { connect_timeout: tcp.connectTimeout }),
    ...(Object.keys(threshold).length && { circuit_breakers: { thresholds: [threshold] } }),
    ...(http?.maxRequestsPerConnection && { max_requests_per_connection: http.maxRequestsPerConnection }),
  }
}

function outliersOf(outliers: NonNullable<TrafficPolicy['outlierDetection']>): Json {
  const { consecutive5xxErrors, consecutiveGatewayErrors, interval, baseEjectionTime, maxEjectionPercent } = outliers
  return {
    ...(consecutive5xxErrors !== undefined && {
      consecutive_5xx: consecutive5xxErrors,
      enforcing_consecutive_5xx: consecutive5xxErrors ? 100 : 0,
    }),
    ...(consecutiveGatewayErrors !== undefined && {
      consecutive_gateway_failure: consecutiveGatewayErrors,
      enforcing_consecutive_gateway_failure: consecutiveGatewayErrors ? 100 : 0,
    }),
    ...(interval && { interval }),
    ...(baseEjectionTime && { base_ejection_time: baseEjectionTime }),
    ...(maxEjectionPercent !== undefined && { max_ejection_percent: maxEjectionPercent }),
  }
}

const isAddress = (text: string) => /^\d+(\.\d+){3}$/.test(text) || text.includes(':')
