/** Flows as Hubble writes them. What `hubble observe` (1.19.4) prints of them is in printer.test.ts. */

type Json = Record<string, unknown>

function endpoint(identity: number, name: string): Json {
  const app = name.split('-')[0]!
  return {
    ID: identity % 1000,
    identity,
    cluster_name: 'default',
    namespace: 'default',
    labels: [`k8s:app=${app}`, 'k8s:io.kubernetes.pod.namespace=default'],
    pod_name: name,
    workloads: [{ name: app, kind: 'Deployment' }],
  }
}

const tiefighter = endpoint(5531, 'tiefighter')
const xwing = endpoint(17403, 'xwing')
const deathstar = endpoint(21349, 'deathstar-6fb5694d48-5hmds')
const HOST = 'http://deathstar.default.svc.cluster.local'

/** A record around a flow. */
export const record = (flow: Json, node?: string): Json => ({
  flow,
  ...(node !== undefined && { node_name: node }),
  ...(flow['time'] !== undefined && { time: flow['time'] }),
})

function exchange(time: string, port: number, method: string, path: string, more: Json = {}): Json {
  return {
    time: `2006-01-02T15:04:${time}Z`,
    uuid: `uuid-${time}`,
    verdict: 'FORWARDED',
    IP: { source: '10.0.0.1', destination: '10.0.0.9', ipVersion: 'IPv4' },
    l4: { TCP: { source_port: port, destination_port: 80 } },
    source: tiefighter,
    destination: deathstar,
    Type: 'L7',
    node_name: 'kind/worker',
    l7: {
      type: 'REQUEST',
      http: {
        method,
        url: HOST + path,
        protocol: 'HTTP/1.1',
        headers: [{ key: 'X-Auth', value: 'admin' }],
      },
    },
    event_type: { type: 129 },
    traffic_direction: 'INGRESS',
    is_reply: false,
    Summary: `HTTP/1.1 ${method} ${HOST}${path}`,
    ...more,
  }
}

function packet(time: string, port: number, verdict: string, more: Json = {}): Json {
  return {
    time: `2006-01-02T15:04:${time}Z`,
    verdict,
    IP: { source: '10.0.0.3', destination: '10.0.0.9', ipVersion: 'IPv4' },
    l4: { TCP: { source_port: port, destination_port: 80, flags: { SYN: true } } },
    source: xwing,
    destination: deathstar,
    Type: 'L3_L4',
    node_name: 'kind/worker',
    event_type: { type: 5 },
    traffic_direction: 'INGRESS',
    is_reply: false,
    Summary: 'TCP Flags: SYN',
    ...more,
  }
}

/** A request, its response, and one that was denied. */
export const request = exchange('05.101234567', 43010, 'POST', '/v1/request-landing', {
  trace_context: { parent: { trace_id: '4bf92f3577b34da6a3ce929d0e0e4736' } },
  destination_service: { name: 'deathstar', namespace: 'default' },
})

export const response = {
  ...exchange('05.103', 43010, 'POST', '/v1/request-landing'),
  IP: { source: '10.0.0.9', destination: '10.0.0.1', ipVersion: 'IPv4' },
  l4: { TCP: { source_port: 80, destination_port: 43010 } },
  source: deathstar,
  destination: tiefighter,
  l7: {
    type: 'RESPONSE',
    latency_ns: '1999999',
    http: { code: 200, method: 'POST', url: `${HOST}/v1/request-landing`, protocol: 'HTTP/1.1' },
  },
  is_reply: true,
  Summary: `HTTP/1.1 200 1ms (POST ${HOST}/v1/request-landing)`,
}

const ruled = { name: 'rule1', namespace: 'default', kind: 'CiliumNetworkPolicy' }

export const denied = exchange('07.220', 43012, 'PUT', '/v1/exhaust-port', {
  drop_reason_desc: 'POLICY_DENIED',
  verdict: 'DROPPED',
  ingress_denied_by: [ruled],
})

/** The examples of Hubble's own documentation, and forms that are rare. */
export const flows: Json[] = [
  record(request, 'kind/worker'),
  record(response, 'kind/worker'),
  record(denied, 'kind/worker'),
  record(
    packet('09.418', 52110, 'DROPPED', {
      drop_reason_desc: 'POLICY_DENIED',
      ingress_denied_by: [ruled, { name: 'b', kind: 'Q' }, { name: 'no-kind' }],
    }),
    'kind/worker',
  ),
  record(packet('11.006', 52114, 'AUDIT')),
  record(packet('11.006', 52114, 'FORWARDED', { policy_match_type: 2, ingress_allowed_by: [ruled] })),
  record({
    time: '2006-01-12T00:00:00Z',
    verdict: 'FORWARDED',
    auth_type: 'SPIRE',
    IP: { source: 'fd00::1', destination: '1.1.1.1', ipVersion: 'IPv6' },
    l4: { UDP: { source_port: 53, destination_port: 5353 } },
    source: { identity: 2, labels: ['reserved:world'] },
    destination: { identity: 1 },
    Type: 'L7',
    destination_names: ['one.one', 'uno'],
    l7: { type: 'REQUEST', dns: { query: 'a.b.', observation_source: 'proxy' } },
    event_type: { type: 129 },
    Summary: 'DNS Query a.b. A \u001b[31mred\u001b[0m \r x & <y>',
  }),
  record({
    time: '2006-01-12T00:00:00.500Z',
    verdict: 'TRACED',
    auth_type: 'TEST_ALWAYS_FAIL',
    IP: { source: '10.9.9.9', destination: '10.8.8.8' },
    l4: { ICMPv4: { type: 8 } },
    event_type: { type: 4, sub_type: 5 },
    source_service: { name: 'svc', namespace: 'shop' },
    is_reply: false,
    Summary: 'x',
  }),
  record({
    verdict: 'ERROR',
    ethernet: { source: 'aa:bb', destination: 'cc:dd' },
    event_type: { type: 1, sub_type: 133 },
  }),
  record({
    IP: { source: '1.2.3.4', encrypted: true },
    l4: { TCP: { destination_port: 1 } },
    event_type: { type: 77 },
    ip_trace_id: { trace_id: '7' },
  }),
  record({
    verdict: 'REDIRECTED',
    IP: { source: '1.2.3.4' },
    source: { identity: 16777217, namespace: 'a', pod_name: 'b' },
    event_type: { type: 3 },
    debug_capture_point: 'DBG_CAPTURE_FROM_LB',
  }),
  record({
    verdict: 'TRANSLATED',
    l4: { TCP: { source_port: 1 } },
    event_type: { type: 7 },
    sock_xlate_point: 'SOCK_XLATE_POINT_POST_DIRECTION_FWD',
  }),
]

/** As lines of a file. */
export const linesOf = (records: readonly unknown[]) => records.map((each) => `${JSON.stringify(each)}\n`).join('')
