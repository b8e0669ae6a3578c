/** Flow records of Hubble (`hubble observe -o json`), and of the telemetry filter, of HTTP requests to the workload or from it. */
import { addHeader, emptyRequest, RequestError, splitUrl, type PolicyRequest } from '../requests/request.ts'
import { unknown, type Direction, type Skipped, type TrafficRecord } from './record.ts'

interface Endpoint {
  namespace?: string
  labels?: string[]
  workloads?: { name?: string }[]
}

interface Flow {
  source?: Endpoint
  destination?: Endpoint
  IP?: { source?: string; destination?: string }
  l4?: { TCP?: { source_port?: number; destination_port?: number } }
  l7?: { type?: string; http?: { method?: string; url?: string; headers?: { key?: string; value?: string }[] } }
  event_type?: { sub_type?: number }
  traffic_direction?: string
  is_reply?: boolean
}

export interface FlowOptions {
  workload: { namespace: string; name: string }
  /** Of the principals of the sources. */
  trustDomain: string
  direction: Direction
}

/** What Hubble writes for a value that it was told to hide. */
const redacted = 'HUBBLE_REDACTED'
/** What the proxy keeps out of the records of headers. */
const leftOut = ['x-request-id', 'x-forwarded-proto', 'x-forwarded-client-cert']

export function isFlow(line: Record<string, unknown>): boolean {
  return 'flow' in line || 'l7' in line || 'traffic_direction' in line
}

export function fromFlow(line: Record<string, unknown>, options: FlowOptions): TrafficRecord | Skipped {
  const flow = (line['flow'] ?? line) as Flow
  const { l7, traffic_direction } = flow
  const http = l7?.http
  if (!http?.method || !http.url) return { skip: 'not HTTP' }
  // The telemetry filter has one record of a request and its response, and marks it so.
  const isOnly = flow.event_type?.sub_type === 1
  if (l7?.type === 'RESPONSE' && !isOnly) return { skip: 'a response' }
  const found = traffic_direction === 'EGRESS' ? 'outbound' : 'inbound'
  if (found !== options.direction) return { skip: found }
  const { source, destination, client, server } = endsOf(flow)
  if (!isFor(found === 'inbound' ? destination : source, options.workload)) return { skip: 'for another workload' }

  const { host, path } = splitUrl(http.url)
  const request: PolicyRequest = { ...emptyRequest(), method: http.method, host, path }
  const kinds: Parameters<typeof unknown>[0][number][] = ['claims', 'metadata', 'sni']
  const hidden = [...leftOut]
  for (const { key = '', value = '' } of http.headers ?? []) {
    if (value.includes(redacted)) hidden.push(key.toLowerCase())
    else addHeader(request, key, value)
  }
  if (path.includes(redacted)) throw new RequestError('the URL is redacted')
  const complete = !isOnly && (http.headers ?? []).length > 0

  const principal = principalOf(source, options.trustDomain)
  // The workload's own sidecar asks it for no certificate.
  if (found === 'outbound') request.peer = []
  else if (principal === undefined) kinds.push('principal')
  else request.peer = [principal]
  if (client.ip === undefined) kinds.push('sourceIp', 'remoteIp')
  else if (isOnly && client.port === 0) {
    // As X-Forwarded-For tells it: the direct peer is not known.
    kinds.push('sourceIp')
    request.headers.push(['x-forwarded-for', client.ip])
  } else {
    request.sourceIp = client.ip
    if (!complete) kinds.push('remoteIp')
  }
  if (server.ip === undefined) kinds.push('destinationIp')
  else request.destinationIp = server.ip
  if (server.port === undefined) kinds.push('port')
  else request.port = server.port
  const shown = isOnly ? request.headers.map(([name]) => name) : []
  return { request, unknown: unknown(kinds, complete, complete ? hidden : shown) }
}

/** Who has asked whom: of a response, the other way round. */
function endsOf({ source = {}, destination = {}, IP, l4, is_reply }: Flow) {
  const from = { ip: IP?.source, port: l4?.TCP?.source_port }
  const to = { ip: IP?.destination, port: l4?.TCP?.destination_port }
  return is_reply
    ? { source: destination, destination: source, client: to, server: from }
    : { source, destination, client: from, server: to }
}

/** Where the record does not name the workload, it is taken for one of it. */
function isFor({ namespace, workloads = [] }: Endpoint, workload: FlowOptions['workload']): boolean {
  if (namespace !== undefined && namespace !== workload.namespace) return false
  return workloads.length === 0 || workloads.some(({ name }) => name === workload.name)
}

/** Namespace and service account as Cilium puts them into the labels of an identity. */
function principalOf({ namespace, labels = [] }: Endpoint, trustDomain: string): string | undefined {
  const label = (key: string) => labels.find((each) => each.startsWith(`k8s:${key}=`))?.slice(key.length + 5)
  const from = label('io.kubernetes.pod.namespace') ?? namespace
  const account = label('io.cilium.k8s.policy.serviceaccount')
  return from && account && `spiffe://${trustDomain}/ns/${from}/sa/${account}`
}
