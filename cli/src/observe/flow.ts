/** Flow records as Hubble writes them (`flow.Flow` in proto3's JSON mapping), as far as filters and printers look at them. */

import { isName, nameOf } from './names.ts'
import { parseTimestamp, type Timestamp } from './time.ts'

/** A pod, or whatever else sends or receives. */
export interface Endpoint {
  identity: number
  cluster: string
  namespace: string
  pod: string
  labels: string[]
  workloads: { name: string; kind: string }[]
}

/** A Kubernetes service. */
export interface Service {
  namespace: string
  name: string
}

/** A policy that allowed or denied the flow. */
export interface Policy {
  name: string
  kind: string
}

/** What is known of an HTTP request or response. */
export interface Http {
  /** 0 in requests. */
  code: number
  method: string
  url: string
  protocol: string
  headers: { key: string; value: string }[]
}

/** The application's layer of a flow. */
export interface Layer7 {
  /** `REQUEST`, `RESPONSE` or `SAMPLE`. */
  type: string
  latency: bigint
  http?: Http
  /** `observation_source` of a DNS record. */
  dns?: { source: string }
  kafka?: true
}

/** The transport of a flow. */
export interface Layer4 {
  protocol: string
  source?: number
  destination?: number
  /** Names of the TCP flags that are set. */
  flags?: string[]
}

/** A flow. Texts that it lacks are empty, numbers 0. */
export interface Flow {
  time?: Timestamp
  uuid: string
  verdict: string
  dropReason: string
  authentication: string
  ethernet?: { source: string; destination: string }
  ip?: { source: string; destination: string; version: string; encrypted: boolean }
  l4?: Layer4
  l7?: Layer7
  source?: Endpoint
  destination?: Endpoint
  sourceService?: Service
  destinationService?: Service
  sourceNames: string[]
  destinationNames: string[]
  node: string
  nodeLabels: string[]
  event?: { type: number; subtype: number }
  direction: string
  policyMatch: number
  /** Undefined: it is not known. */
  isReply?: boolean
  capturePoint: string
  socketPoint: string
  traceId: string
  ipTraceId: bigint
  summary: string
  allowedBy: { INGRESS: Policy[]; EGRESS: Policy[] }
  deniedBy: { INGRESS: Policy[]; EGRESS: Policy[] }
}

type Values = Record<string, unknown>

export const isObject = (value: unknown): value is Values =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Members of an object by their names in the protocol; JSON may also write them in camel case. `null` is as if absent. */
class Fields {
  readonly #values: Values
  readonly #path: string

  constructor(values: Values, path: string) {
    this.#values = values
    this.#path = path
  }

  #get(name: string): unknown {
    return this.#values[name] ?? this.#values[camelCase(name)] ?? undefined
  }

  #wrong(name: string, wanted: string): never {
    throw new TypeError(`${this.#path}.${name}: expected ${wanted}`)
  }

  has(name: string): boolean {
    return this.#get(name) !== undefined
  }

  text(name: string): string {
    const value = this.#get(name) ?? ''
    return typeof value === 'string' ? value : this.#wrong(name, 'a text')
  }

  texts(name: string): string[] {
    const value = this.#get(name) ?? []
    if (!Array.isArray(value)) this.#wrong(name, 'a list of texts')
    return value.map((each) => (typeof each === 'string' ? each : this.#wrong(name, 'a list of texts')))
  }

  /** Proto3's JSON has numbers of 64 bits as texts, and takes either form for any. */
  integer(name: string): bigint {
    const value = this.#get(name) ?? 0
    if (typeof value === 'number' && Number.isInteger(value)) return BigInt(value)
    if (typeof value === 'string' && /^-?\d{1,20}$/.test(value)) return BigInt(value)
    return this.#wrong(name, 'a whole number')
  }

  number(name: string): number {
    return Number(this.integer(name))
  }

  flag(name: string): boolean | undefined {
    const value = this.#get(name)
    return value === undefined || typeof value === 'boolean' ? value : this.#wrong(name, 'true or false')
  }

  /** By name or number; names that are not known here are taken as they are, as newer writers have more. */
  name(name: string, of: Parameters<typeof nameOf>[0]): string {
    const value = this.#get(name) ?? 0
    if (typeof value === 'number' && Number.isInteger(value)) return nameOf(of, value)
    return typeof value === 'string' && isName(value) ? value : this.#wrong(name, 'a name in capital letters')
  }

  time(name: string): Timestamp | undefined {
    const text = this.text(name)
    return text === '' ? undefined : (parseTimestamp(text) ?? this.#wrong(name, 'a time like 2006-01-02T15:04:05.999Z'))
  }

  part<T>(name: string, read: (fields: Fields) => T): T | undefined {
    const value = this.#get(name)
    if (value === undefined) return undefined
    return isObject(value) ? read(new Fields(value, `${this.#path}.${name}`)) : this.#wrong(name, 'an object')
  }

  parts<T>(name: string, read: (fields: Fields) => T): T[] {
    const value = this.#get(name) ?? []
    if (!Array.isArray(value)) this.#wrong(name, 'a list of objects')
    return value.map((each: unknown, index) =>
      isObject(each)
        ? read(new Fields(each, `${this.#path}.${name}[${index}]`))
        : this.#wrong(name, 'a list of objects'),
    )
  }
}

const camelCases = new Map<string, string>()

function camelCase(name: string): string {
  let camel = camelCases.get(name)
  if (camel === undefined) {
    camel = name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())
    camelCases.set(name, camel)
  }
  return camel
}

/** Reads a flow, or throws a TypeError that names the member that is wrong. */
export function readFlow(values: Values, path: string): Flow {
  const flow = new Fields(values, path)
  return {
    time: flow.time('time'),
    uuid: flow.text('uuid'),
    verdict: flow.name('verdict', 'verdict'),
    dropReason: flow.name('drop_reason_desc', 'dropReason'),
    authentication: flow.name('auth_type', 'authentication'),
    ethernet: flow.part('ethernet', ends),
    ip: flow.part('IP', (ip) => ({
      ...ends(ip),
      version: ip.name('ipVersion', 'ipVersion'),
      encrypted: ip.flag('encrypted') ?? false,
    })),
    l4: flow.part('l4', readLayer4),
    l7: flow.part('l7', readLayer7),
    source: flow.part('source', readEndpoint),
    destination: flow.part('destination', readEndpoint),
    sourceService: flow.part('source_service', readService),
    destinationService: flow.part('destination_service', readService),
    sourceNames: flow.texts('source_names'),
    destinationNames: flow.texts('destination_names'),
    node: flow.text('node_name'),
    nodeLabels: flow.texts('node_labels'),
    event: flow.part('event_type', (event) => ({ type: event.number('type'), subtype: event.number('sub_type') })),
    direction: flow.name('traffic_direction', 'direction'),
    policyMatch: flow.number('policy_match_type'),
    isReply: flow.flag('is_reply'),
    capturePoint: flow.name('debug_capture_point', 'capturePoint'),
    socketPoint: flow.name('sock_xlate_point', 'socketPoint'),
    traceId: flow.part('trace_context', (trace) => trace.part('parent', (parent) => parent.text('trace_id'))) ?? '',
    ipTraceId: flow.part('ip_trace_id', (trace) => trace.integer('trace_id')) ?? 0n,
    summary: flow.text('Summary'),
    allowedBy: {
      INGRESS: flow.parts('ingress_allowed_by', readPolicy),
      EGRESS: flow.parts('egress_allowed_by', readPolicy),
    },
    deniedBy: {
      INGRESS: flow.parts('ingress_denied_by', readPolicy),
      EGRESS: flow.parts('egress_denied_by', readPolicy),
    },
  }
}

const ends = (fields: Fields) => ({ source: fields.text('source'), destination: fields.text('destination') })
const readService = (service: Fields): Service => ({ namespace: service.text('namespace'), name: service.text('name') })
const readPolicy = (policy: Fields): Policy => ({ name: policy.text('name'), kind: policy.text('kind') })

function readEndpoint(endpoint: Fields): Endpoint {
  return {
    identity: endpoint.number('identity'),
    cluster: endpoint.text('cluster_name'),
    namespace: endpoint.text('namespace'),
    pod: endpoint.text('pod_name'),
    labels: endpoint.texts('labels'),
    workloads: endpoint.parts('workloads', (workload) => ({
      name: workload.text('name'),
      kind: workload.text('kind'),
    })),
  }
}

const FLAGS = ['FIN', 'SYN', 'RST', 'PSH', 'ACK', 'URG', 'ECE', 'CWR', 'NS']

function readLayer4(l4: Fields): Layer4 | undefined {
  for (const protocol of ['TCP', 'UDP', 'SCTP']) {
    const found = l4.part(protocol, (part) => ({
      protocol,
      source: part.number('source_port'),
      destination: part.number('destination_port'),
      flags: part.part('flags', (flags) => FLAGS.filter((flag) => flags.flag(flag))),
    }))
    if (found) return found
  }
  const other = ['ICMPv4', 'ICMPv6', 'VRRP', 'IGMP'].find((name) => l4.has(name))
  return other === undefined ? undefined : { protocol: other }
}

function readLayer7(l7: Fields): Layer7 {
  return {
    type: l7.name('type', 'layer7'),
    latency: l7.integer('latency_ns'),
    http: l7.part('http', (http) => ({
      code: http.number('code'),
      method: http.text('method'),
      url: http.text('url'),
      protocol: http.text('protocol'),
      headers: http.parts('headers', (header) => ({ key: header.text('key'), value: header.text('value') })),
    })),
    dns: l7.part('dns', (dns) => ({ source: dns.text('observation_source') })),
    kafka: l7.has('kafka') || undefined,
  }
}
