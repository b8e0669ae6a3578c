/** The telemetry filter: configurations, and requests whose headers lie about traces and peers. None may be answered otherwise for it, and receivers get what they can read. */

import { Ajv } from 'ajv'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { cluster } from '../../sdk/testing/cluster.ts'
import { spansOf } from '../../sdk/testing/spans.ts'
import type { RequestInit, UpstreamRequest } from '../../sdk/testing/types.ts'
import { root } from '../bench/paths.ts'
import type { Random } from '../json/documents.ts'
import type { ByteSource } from './bytes.ts'
import { depth, duration } from './conditions.ts'
import type { Scene } from './traffic.ts'
import { isBlock } from './unsayable.ts'

const FORMS = ['w3c', 'b3', 'b3multi', 'datadog']
const TYPES = ['otlp', 'zipkin', 'datadog']
const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
const SPAN = '00f067aa0ba902b7'
/** The deepest nesting that the JSON reader takes. */
const MAX_DEPTH = 64
const [HOUR, DAY] = [3_600_000, 86_400_000]
/** Headers that it reads, with values that are right. */
const HEADERS: Record<string, string[]> = {
  traceparent: [`00-${TRACE}-${SPAN}-01`, `cc-${TRACE}-${SPAN}-00-more`],
  tracestate: ['a=1,b=2', 'x'.repeat(600)],
  b3: [`${TRACE}-${SPAN}-1-${SPAN}`, `${SPAN}-${SPAN}`, '0', 'd'],
  'x-b3-traceid': [TRACE, SPAN],
  'x-b3-spanid': [SPAN],
  'x-b3-sampled': ['1', 'false', 'd'],
  'x-b3-flags': ['1', '0'],
  'x-datadog-trace-id': ['18446744073709551615', '7'],
  'x-datadog-parent-id': ['1', '18446744073709551616'],
  'x-datadog-sampling-priority': ['2', '-1', '-9223372036854775808'],
  'x-datadog-tags': ['_dd.p.tid=4bf92f3577b34da6', '_dd.p.tid=4b', 'x'.repeat(511)],
  'x-request-id': ['00000063-0000-4000-8000-000000000000', '7'],
  'x-envoy-peer-metadata-id': ['sidecar~1~a.b~c'],
  'x-envoy-peer-metadata': ['CgsKBE5BTUUSAxoBYQ==', 'Cg==', '=', 'AAAA'],
  'user-agent': ['curl/8', '"\\'],
  'content-type': ['application/grpc', 'application/grpc-web', 'text/plain'],
  'x-tag': ['a', ''],
  authorization: ['Bearer secret'],
}

interface Configuration {
  version: 1
  traces?: { exporter?: { type: string } }
}

function makeConfiguration(random: Random): Configuration {
  const maxItems = random.pick([1, 3, 100])
  const batch = {
    maxItems,
    maxQueue: maxItems + random.below(20),
    maxBytes: random.pick([1024, 65536]),
    interval: '10ms',
  }
  const exporter = (name: string) => ({ cluster: random.pick([name, name, name, 'nowhere']) })
  const traces = {
    propagation: FORMS.filter(() => random.below(2)),
    sampling: random.pick([0, 1, 50, 100]),
    ...(random.below(2) && { useRequestId: false }),
    ...(random.below(4) === 0 && { inject: false }),
    exporter: { type: random.pick(TYPES), ...exporter('spans') },
    batch,
    tags: { a: { header: 'x-tag', default: 'b' }, c: { literal: '"' } },
  }
  const labels = {
    host: 'request.host',
    agent: "request.headers['user-agent']",
    path: { pathTemplates: ['/a/{x}', '/**'] },
  }
  const metrics = { REQUEST_COUNT: { tags: labels }, REQUEST_DURATION: {}, RESPONSE_SIZE: {}, maxSeries: 20 }
  return {
    version: 1,
    ...{ reporter: random.pick(['source', 'destination']), workload: { name: 'w"', namespace: 'n', app: 'größe' } },
    ...(random.below(2) && { metadataExchange: true }),
    ...(random.below(2) && { metrics }),
    ...(random.below(4) && { traces }),
    ...(random.below(2) && {
      flows: { exporter: exporter('flows'), batch, headers: ['user-agent', 'x-tag', 'authorization'] },
    }),
    ...(random.below(2) && {
      accessLog: [{ format: random.pick(['text', 'json']), exporter: exporter('log'), batch }, { format: 'text' }],
    }),
  }
}

function makeRequest(random: Random, bytes: ByteSource): RequestInit {
  const headers = Object.entries(HEADERS).flatMap(([name, values]): [string, string][] => {
    if (random.below(3)) return []
    return [[name, random.below(3) ? random.pick(values) : text(bytes)]]
  })
  const method = random.pick(['GET', 'POST', 'PURGE', 'HEAD'])
  const authority = random.pick(['a.test', 'a.test:8080', '[::1]:1', `h${random.below(100)}`])
  return {
    method,
    path: random.pick(['/', '/a/b?token=secret', `/${'x'.repeat(random.below(6000))}`]),
    authority,
    headers,
  }
}

/** Of any bytes, but as a header's value may be. */
const text = (bytes: ByteSource): string =>
  bytes
    .noise()
    .subarray(0, 2000)
    .toString('latin1')
    .replaceAll(/[^!-~\x80-\xff]/g, '_')

/** Throws where a receiver could not read what it got, or where it tells what it must not. */
function checkCallout(request: UpstreamRequest): void {
  const { path, body } = request
  const text = body.toString('utf8')
  // Istio's access log has queries.
  if (path !== '/logs' && text.includes('secret')) throw new Error(`a secret is told to ${path}: ${text}`)
  const hasLines = path === '/flows' || request.headers.get('content-type') === 'application/x-ndjson'
  const lines = text.split('\n').slice(0, -1)
  if (hasLines) for (const line of lines) JSON.parse(line)
  if (!/spans|traces/.test(path)) return
  const count = spansOf({ callouts: [request] }).length
  if (count === 0) throw new Error(`no span can be read in what ${path} got: ${body.toString('latin1')}`)
}

/** The module with everything. */
const path = 'filters/telemetry-grpc/assembly/index.ts'

/** Receivers that mostly do what they should. */
const clusters = (random: Random) => {
  const receive = () => random.pick([200, 200, 200, 503, 400, 429])
  return Object.fromEntries(['spans', 'flows', 'log'].map((name) => [name, cluster.http(receive)]))
}

export const telemetryScene: Scene<Configuration> = {
  path,
  clusters,
  makeConfiguration,
  makeRequest,
  statusesOf: () => [200],
  checkCallout,
}

const workload = { name: 'a', namespace: 'b', app: 'a', version: 'v', cluster: 'c', canonicalService: 'd' }
const exporter = { cluster: 'c', authority: 'a', path: '/p', headers: { 'x-a': 'b' } }
const batch = { maxItems: 10, maxQueue: 20, maxBytes: 4096, interval: '1m', timeout: '100ms' }
const complete = {
  $schema: 'schema.json',
  version: 1,
  reporter: 'source',
  workload: { ...workload, principal: 'spiffe://a/ns/b/sa/c', service: 'a.b.svc.cluster.local' },
  peers: [
    { ...workload, principal: 'spiffe://a/ns/b/sa/d' },
    { ...workload, address: '10.0.0.0/8' },
  ],
  services: { 'a|b': { host: 'a.b', name: 'a', namespace: 'b', workload } },
  metadataExchange: true,
  metrics: {
    REQUEST_COUNT: {
      remove: ['reporter', 'x'],
      tags: { a: 'request.method', p: { pathTemplates: ['/a/*'], other: 'o' } },
    },
    REQUEST_SIZE: {},
    GRPC_REQUEST_MESSAGES: {},
    TCP_SENT_BYTES: { remove: ['reporter'] },
    reportingInterval: '1m30s',
    maxSeries: 5,
  },
  traces: {
    propagation: ['datadog', 'b3multi', 'b3', 'w3c'],
    inject: false,
    sampling: 12.34,
    useRequestId: false,
    service: 'a.b',
    exporter: { type: 'zipkin', ...exporter },
    batch,
    tags: { l: { literal: 'x' }, e: { environment: 'E', default: 'd' }, h: { header: 'X-H', default: '' } },
    istioTags: false,
  },
  flows: { exporter, batch, log: true, headers: ['a'] },
  accessLog: [{ format: 'text' }, { format: 'json', exporter, batch }],
}
const small = {
  version: 1,
  reporter: 'destination',
  workload: { name: 'a', namespace: 'b' },
  metrics: { REQUEST_COUNT: {}, REQUEST_DURATION: {} },
  traces: { exporter: { type: 'datadog', cluster: 'c' }, batch: { maxItems: 4096 } },
  flows: { log: true, query: true, node: 'n', pod: 'p' },
}

export const telemetry = {
  path,
  real: [complete, small],
  isValid: validator(),
  grow: (bytes: number): object => {
    const count = Math.ceil(bytes / JSON.stringify(complete.peers).length)
    const peers = Array.from({ length: count }, (_, i) => ({
      ...workload,
      address: `10.${(i >> 8) & 255}.${i & 255}.0/24`,
    }))
    return { version: 1, reporter: 'source', workload, peers }
  },
}

interface Batched {
  exporter?: object
  batch?: { maxItems?: number; maxQueue?: number; interval?: string; timeout?: string }
}
interface Valid {
  peers?: { address?: string }[]
  metrics?: Record<string, { tags?: Record<string, string | object> }> & { reportingInterval?: string }
  traces?: Batched
  flows?: Batched & { log?: boolean }
  accessLog?: (Batched & { filter?: string })[]
}

function validator(): (configuration: unknown) => boolean {
  const schema = JSON.parse(readFileSync(join(root, 'filters/telemetry/schema.json'), 'utf8')) as object
  const validate = new Ajv({ strict: true, strictRequired: false, allowUnionTypes: true }).compile<Valid>(schema)
  return (configuration) => depth(configuration) <= MAX_DEPTH && validate(configuration) && isAllowed(configuration)
}

/** What the schema does not say. The host that reads configurations evaluates no expressions: a label is the one attribute that is asked for here. */
function isAllowed({ peers = [], metrics = {}, traces, flows, accessLog = [] }: Valid): boolean {
  const { reportingInterval, ...named } = metrics
  const tags = Object.values(named).flatMap(({ tags = {} }) => Object.values(tags))
  return (
    peers.every(({ address }) => address === undefined || isBlock(address)) &&
    isPeriod(reportingInterval, DAY) &&
    tags.every((tag) => typeof tag !== 'string' || tag === 'request.method') &&
    [traces, flows, ...accessLog].every((part) => !part || isBatched(part)) &&
    (!flows || flows.exporter !== undefined || flows.log === true) &&
    accessLog.every(({ filter }) => filter === undefined)
  )
}

function isBatched({ exporter, batch }: Batched): boolean {
  if (!exporter || !batch) return !batch
  const { maxItems = 512, maxQueue = Math.max(2048, maxItems), interval, timeout } = batch
  return maxItems <= maxQueue && isPeriod(interval, HOUR) && isPeriod(timeout, HOUR)
}

function isPeriod(text: string | undefined, most: number): boolean {
  const milliseconds = duration(text)
  return milliseconds === undefined || (milliseconds >= 1 && milliseconds <= most)
}
