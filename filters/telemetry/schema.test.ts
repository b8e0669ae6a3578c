import type { HostStartError } from '@meshscript/sdk/testing'
import { createNodeHost } from '@meshscript/sdk/testing/node/index'
import { Ajv } from 'ajv'
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import filter from './assembly/index.ts?filter'

const read = (name: string) => readFileSync(new URL(name, import.meta.url), 'utf8')
const validate = new Ajv({ allErrors: true, strict: true, strictRequired: false, allowUnionTypes: true }).compile(
  JSON.parse(read('schema.json')) as object,
)

/** Schema and filter must say the same. */
async function isAccepted(configuration: object): Promise<boolean> {
  try {
    const host = await createNodeHost({ wasm: filter, configuration })
    await host.close()
    return true
  } catch {
    return false
  }
}

const workload = { name: 'a', namespace: 'b' }
const base = { version: 1, reporter: 'destination', workload }
const withFlows = (flows: object) => ({ ...base, flows })
const EVERYTHING = {
  ...base,
  $schema: 'schema.json',
  reporter: 'source',
  workload: {
    ...workload,
    principal: 'spiffe://a/ns/b/sa/c',
    app: 'a',
    version: 'v1',
    cluster: 'c',
    canonicalService: 'd',
    canonicalRevision: 'e',
    service: 'a.b.svc.cluster.local',
  },
  peers: [
    { ...workload, principal: 'spiffe://a/ns/b/sa/d', app: 'x' },
    { ...workload, address: '::1' },
  ],
  services: { 'a|b': { host: 'a.b', name: 'a', namespace: 'b', workload: { ...workload, version: 'v2' } } },
  metadataExchange: true,
  metrics: {
    REQUEST_COUNT: {
      remove: ['reporter', 'x'],
      tags: { a_1: 'request.method', reporter: "'x'", path: { pathTemplates: ['/a/*'], other: '' } },
    },
    REQUEST_DURATION: {},
    REQUEST_SIZE: {},
    RESPONSE_SIZE: {},
    GRPC_REQUEST_MESSAGES: {},
    GRPC_RESPONSE_MESSAGES: { remove: ['reporter'] },
    TCP_OPENED_CONNECTIONS: {},
    TCP_CLOSED_CONNECTIONS: {},
    TCP_SENT_BYTES: {},
    TCP_RECEIVED_BYTES: { remove: ['reporter'] },
    reportingInterval: '1m30s',
    maxSeries: 5,
  },
  accessLog: [
    {},
    { format: 'text', filter: 'response.code >= 400' },
    { format: 'json', exporter: { cluster: 'logs' }, batch: { maxItems: 10 } },
  ],
  traces: {
    propagation: ['datadog', 'b3multi', 'b3', 'w3c'],
    inject: false,
    sampling: 12.34,
    useRequestId: false,
    service: 'a.b',
    exporter: { type: 'zipkin', cluster: 'zipkin', authority: 'z', path: '/spans', headers: { 'x-key': 'k' } },
    batch: { maxItems: 10, maxQueue: 20, maxBytes: 4096, interval: '1m', timeout: '100ms' },
    tags: { l: { literal: 'x' }, e: { environment: 'E', default: 'd' }, h: { header: 'X-H', default: '' } },
    istioTags: false,
  },
  flows: {
    exporter: { cluster: 'observer', authority: 'o', path: '/records', headers: { 'x-key': 'k' } },
    batch: { maxItems: 10, interval: '100ms' },
    log: true,
    headers: ['x-tenant', 'user_agent'],
    query: true,
    node: 'n',
    pod: 'p',
  },
}

test.each<[string, object]>([
  ['nothing to tell', base],
  ['records in the log', withFlows({ log: true })],
  ['records for a receiver', withFlows({ exporter: { cluster: 'a' } })],
  ['no metrics', { ...base, metrics: {} }],
  ['everything', EVERYTHING],
])('%s is accepted', async (_, configuration) => {
  expect(validate(configuration), JSON.stringify(validate.errors)).toBe(true)
  expect(await isAccepted(configuration)).toBe(true)
})

test('the examples of the README are accepted', async () => {
  const examples = [...read('README.md').matchAll(/```json\n(.*?)```/gs)].map(([, json]) => JSON.parse(json!) as object)
  expect(examples.length).toBeGreaterThan(0)
  for (const example of examples) {
    expect(validate(example), JSON.stringify(validate.errors)).toBe(true)
    expect(await isAccepted(example)).toBe(true)
  }
})

const withPeer = (peer: object) => ({ ...base, peers: [{ ...workload, ...peer }] })
const withTraces = (traces: object) => ({ ...base, traces })
const withLog = (log: object) => ({ ...base, accessLog: [log] })
const withCount = (metric: object) => ({ ...base, metrics: { REQUEST_COUNT: metric } })

test.each<[string, object]>([
  ['another version', { ...base, version: 2 }],
  ['no reporter', { version: 1, workload }],
  ['another reporter', { ...base, reporter: 'waypoint' }],
  ['no workload', { version: 1, reporter: 'source' }],
  ['a workload without a namespace', { ...base, workload: { name: 'a' } }],
  ['a principal that is none', { ...base, workload: { ...workload, principal: 'a/ns/b/sa/c' } }],
  ['an empty service', { ...base, workload: { ...workload, service: '' } }],
  ['a peer by nothing', withPeer({})],
  ['a peer by two things', withPeer({ principal: 'spiffe://a', address: '::1' })],
  ['a service without a host', { ...base, services: { a: {} } }],
  ['an empty host', { ...base, services: { a: { host: '' } } }],
  ['a metric that is not there', { ...base, metrics: { REQUESTS: {} } }],
  ['a label that Prometheus has not', withCount({ tags: { 'a-b': "'x'" } })],
  ['a label that begins with a digit', withCount({ tags: { '1a': "'x'" } })],
  ['a label without a name', withCount({ tags: { '': "'x'" } })],
  ['an expression that is a number', withCount({ tags: { a: 1 } })],
  ['no templates', withCount({ tags: { a: { pathTemplates: [] } } })],
  ['a template that is no path', withCount({ tags: { a: { pathTemplates: ['a'] } } })],
  ['neither templates nor an expression', withCount({ tags: { a: {} } })],
  ['an unknown field beside templates', withCount({ tags: { a: { pathTemplates: ['/'], or: 'x' } } })],
  ['a label to remove that is a number', withCount({ remove: [1] })],
  ['an interval without a unit', { ...base, metrics: { reportingInterval: '5' } }],
  ['no series', { ...base, metrics: { maxSeries: 0 } }],
  ['another form of headers', withTraces({ propagation: ['jaeger'] })],
  ['a form of headers twice', withTraces({ propagation: ['b3', 'b3'] })],
  ['more than all', withTraces({ sampling: 101 })],
  ['another type of receiver', withTraces({ exporter: { type: 'jaeger', cluster: 'a' } })],
  ['a receiver without a cluster', withTraces({ exporter: { type: 'otlp' } })],
  ['a receiver without a cluster name', withTraces({ exporter: { type: 'otlp', cluster: '' } })],
  ['a path that is none', withTraces({ exporter: { type: 'otlp', cluster: 'a', path: 'v1' } })],
  ['a header in capitals', withTraces({ exporter: { type: 'otlp', cluster: 'a', headers: { 'X-Key': '1' } } })],
  ['an attribute with two values', withTraces({ tags: { a: { literal: 'x', header: 'y' } } })],
  ['an attribute without a value', withTraces({ tags: { a: {} } })],
  ['an attribute of no header', withTraces({ tags: { a: { header: '' } } })],
  ['an empty batch', withTraces({ exporter: { type: 'otlp', cluster: 'a' }, batch: { maxItems: 0 } })],
  ['an interval that is none', withTraces({ exporter: { type: 'otlp', cluster: 'a' }, batch: { interval: 'x' } })],
  ['an unknown field of traces', withTraces({ rate: 1 })],
  ['another format', withLog({ format: 'xml' })],
  ['a condition of nothing', withLog({ filter: '' })],
  ['a log that is no object', { ...base, accessLog: ['text'] }],
  ['logs that are no list', { ...base, accessLog: {} }],
  ['lines of a batch for nobody', withLog({ batch: { maxItems: 1 } })],
  ['an unknown field of a log', withLog({ path: '/dev/stdout' })],
  ['a batch of records for nobody', withFlows({ log: true, batch: {} })],
  ['records for a receiver without a cluster', withFlows({ exporter: {} })],
  ['a header of records in capitals', withFlows({ log: true, headers: ['X-A'] })],
  ['a header of records without a name', withFlows({ log: true, headers: [''] })],
  ['too many headers of records', withFlows({ log: true, headers: Array.from({ length: 33 }, (_, n) => `x-${n}`) })],
  ['an unknown field of records', withFlows({ log: true, redact: [] })],
  ['an unknown field', { ...base, metric: {} }],
  ['an unknown field of a metric', withCount({ name: 'x' })],
])('%s is refused', async (_, configuration) => {
  expect(validate(configuration)).toBe(false)
  expect(await isAccepted(configuration)).toBe(false)
})

test.each<[string, object, RegExp]>([
  ['an expression', withCount({ tags: { a: 'request.(' } }), /metrics\.REQUEST_COUNT\.tags\.a/],
  ['a condition', withLog({ filter: 'request.(' }), /accessLog\[0\]\.filter/],
  [
    'a template',
    withCount({ tags: { a: { pathTemplates: ['/a', '/**/**'] } } }),
    /REQUEST_COUNT\.tags\.a\.pathTemplates\[1\]/,
  ],
  ['an interval of nothing', { ...base, metrics: { reportingInterval: '0s' } }, /metrics\.reportingInterval/],
  ['a batch for nobody', withTraces({ batch: { maxItems: 1 } }), /traces\.batch/],
  [
    'a queue for less than a batch',
    withTraces({ exporter: { type: 'otlp', cluster: 'a' }, batch: { maxItems: 9, maxQueue: 8 } }),
    /traces\.batch\.maxQueue/,
  ],
  ['records that go nowhere', withFlows({}), /flows/],
  ['records that are not even logged', withFlows({ log: false }), /flows/],
  ['an address', withPeer({ address: 'here' }), /peers\[0\]\.address/],
])('%s that the schema cannot check is refused, with its place', async (_, configuration, place) => {
  const error = await createNodeHost({ wasm: filter, configuration }).then(
    () => undefined,
    (reason: HostStartError) => reason,
  )
  expect(error?.logs.map(({ message }) => message).join('\n')).toMatch(place)
})
