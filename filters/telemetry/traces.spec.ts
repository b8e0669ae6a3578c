/** How traces go on, and what is sent of them. The same on both hosts. */
import {
  cluster,
  createHost,
  type Host,
  type HostOptions,
  type HttpHandler,
  type Response,
} from '@meshscript/sdk/testing'
import { afterEach, describe, expect, test } from 'vitest'
import spansOnly from './assembly/index.ts?filter'
import routing from '../routing/assembly/index.ts?filter'
import filter from '../telemetry-headers/assembly/index.ts?filter'

const workload = {
  name: 'reviews-v2',
  namespace: 'shop',
  version: 'v2',
  canonicalService: 'reviews',
  canonicalRevision: 'v2',
  cluster: 'east',
}
const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
const SPAN = '00f067aa0ba902b7'
const traceparent = (flags = '01') => `00-${TRACE}-${SPAN}-${flags}`

let host: Host | undefined
afterEach(() => host?.close())

/** What the receiver got. */
const bodies = () => host!.callouts.map(({ body }) => JSON.parse(body.toString('utf8')) as Otlp)

interface OtlpSpan {
  traceId: string
  spanId: string
  parentSpanId?: string
  traceState?: string
  name: string
  kind: number
  startTimeUnixNano: string
  endTimeUnixNano: string
  attributes: { key: string; value: { stringValue?: string; intValue?: string } }[]
  status: { code?: number }
}
interface Otlp {
  resourceSpans: { resource: { attributes: OtlpSpan['attributes'] }; scopeSpans: { spans: OtlpSpan[] }[] }[]
}
const attributesOf = ({ attributes }: Pick<OtlpSpan, 'attributes'>) =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, value.stringValue ?? Number(value.intValue)]))
const spansOf = (body: Otlp) => body.resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans))

const EXPORTER = { type: 'otlp', cluster: 'collector' }
const SOON = { interval: '20ms' }

async function start(
  traces: object,
  configuration: object = {},
  options: HostOptions = {},
  receive: HttpHandler = () => 200,
) {
  host = await createHost({
    wasm: filter,
    configuration: { version: 1, reporter: 'destination', workload, traces, ...configuration },
    clusters: { collector: cluster.http(receive) },
    // Envoy's own: none is added, and what a client says is kept.
    connectionManager: { generate_request_id: false, use_remote_address: false },
    ...options,
  })
}

/** Until the receiver has so many requests. */
async function received(count = 1): Promise<void> {
  for (let i = 0; i < 100 && host!.callouts.length < count; i++) await host!.advance('20ms')
  expect(host!.callouts.length).toBeGreaterThanOrEqual(count)
}

const sent = (response: Response, name: string) => response.upstream!.headers.get(name)

describe('what follows is told of the span', () => {
  test('W3C: the trace goes on', async () => {
    await start({})
    const response = await host!.request({ headers: { traceparent: traceparent(), tracestate: 'a=1,b=2' } })
    expect(sent(response, 'traceparent')).toMatch(new RegExp(`^00-${TRACE}-(?!${SPAN})[0-9a-f]{16}-01$`))
    expect(sent(response, 'tracestate')).toBe('a=1,b=2')
  })

  test('W3C: not sampled stays so', async () => {
    await start({})
    const response = await host!.request({ headers: { traceparent: traceparent('00') } })
    expect(sent(response, 'traceparent')).toMatch(new RegExp(`^00-${TRACE}-[0-9a-f]{16}-00$`))
  })

  test.each([
    ['none', undefined],
    ['one in capitals', traceparent().toUpperCase()],
    ['version ff', traceparent().replace(/^00/, 'ff')],
    ['a trace of zeros', `00-${'0'.repeat(32)}-${SPAN}-01`],
    ['a span of zeros', `00-${TRACE}-${'0'.repeat(16)}-01`],
    ['more than version 00 has', `${traceparent()}-00`],
    ['one that is too short', traceparent().slice(0, 54)],
    ['another character', traceparent().replace('4bf', '4bg')],
    ['another separator', traceparent().replace('-', '_')],
  ])('W3C: %s begins a trace, and drops the state of the other one', async (_, value) => {
    await start({})
    const headers = { ...(value !== undefined && { traceparent: value }), tracestate: 'a=1' }
    const response = await host!.request({ headers })
    const parent = sent(response, 'traceparent')
    expect(parent).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/)
    expect(parent).not.toContain(TRACE)
    expect(sent(response, 'tracestate')).toBeUndefined()
  })

  test('W3C: later versions may have more', async () => {
    await start({})
    const response = await host!.request({ headers: { traceparent: `cc${traceparent().slice(2)}-what-ever` } })
    expect(sent(response, 'traceparent')).toMatch(new RegExp(`^00-${TRACE}-`))
  })

  test.each([
    ['128 bits', `${TRACE}-${SPAN}-1`, new RegExp(`^${TRACE}-[0-9a-f]{16}-1-${SPAN}$`)],
    ['64 bits', `${SPAN}-${SPAN}-1`, new RegExp(`^${SPAN}-[0-9a-f]{16}-1-${SPAN}$`)],
    ['no decision', `${TRACE}-${SPAN}`, new RegExp(`^${TRACE}-[0-9a-f]{16}-1-${SPAN}$`)],
    ['not sampled', `${TRACE}-${SPAN}-0`, new RegExp(`^${TRACE}-[0-9a-f]{16}-0-${SPAN}$`)],
    ['debug', `${TRACE}-${SPAN}-d`, new RegExp(`^${TRACE}-[0-9a-f]{16}-d-${SPAN}$`)],
    ['a parent', `${TRACE}-${SPAN}-1-05e3ac9a4f6e3b90`, new RegExp(`^${TRACE}-[0-9a-f]{16}-1-${SPAN}$`)],
    ['a decision only', '0', /^[0-9a-f]{32}-[0-9a-f]{16}-0$/],
    ['debug only', 'd', /^[0-9a-f]{32}-[0-9a-f]{16}-d$/],
    ['a decision that is none', `${TRACE}-${SPAN}-2`, /^(?!4bf)[0-9a-f]{32}-[0-9a-f]{16}-1$/],
    ['a parent that is none', `${TRACE}-${SPAN}-0-05e3`, /^(?!4bf)[0-9a-f]{32}-[0-9a-f]{16}-1$/],
    ['a trace that is none', `${TRACE}0-${SPAN}-0`, /^(?!4bf)[0-9a-f]{32}-[0-9a-f]{16}-1$/],
    ['no span', `${TRACE}-`, /^(?!4bf)[0-9a-f]{32}-[0-9a-f]{16}-1$/],
    ['nothing', '-', /^[0-9a-f]{32}-[0-9a-f]{16}-1$/],
  ])('B3 in one header: %s', async (_, b3, expected) => {
    await start({ propagation: ['b3'] })
    expect(sent(await host!.request({ headers: { b3 } }), 'b3')).toMatch(expected)
  })

  test.each<[string, Record<string, string>, Record<string, RegExp | undefined>]>([
    [
      'a trace goes on',
      { 'x-b3-traceid': TRACE, 'x-b3-spanid': SPAN, 'x-b3-parentspanid': '05e3ac9a4f6e3b90', 'x-b3-sampled': '1' },
      { 'x-b3-traceid': new RegExp(`^${TRACE}$`), 'x-b3-parentspanid': new RegExp(`^${SPAN}$`), 'x-b3-sampled': /^1$/ },
    ],
    [
      'true and false',
      { 'x-b3-traceid': TRACE, 'x-b3-spanid': SPAN, 'x-b3-sampled': 'false' },
      { 'x-b3-traceid': new RegExp(`^${TRACE}$`), 'x-b3-sampled': /^0$/, 'x-b3-flags': undefined },
    ],
    [
      'debug',
      { 'x-b3-traceid': SPAN, 'x-b3-spanid': SPAN, 'x-b3-flags': '1' },
      { 'x-b3-traceid': new RegExp(`^${SPAN}$`), 'x-b3-sampled': /^1$/, 'x-b3-flags': /^1$/ },
    ],
    [
      'a decision only',
      { 'x-b3-sampled': '0' },
      { 'x-b3-traceid': /^[0-9a-f]{32}$/, 'x-b3-parentspanid': undefined, 'x-b3-sampled': /^0$/ },
    ],
    [
      'no span: the parent of another trace is forgotten',
      { 'x-b3-traceid': TRACE, 'x-b3-parentspanid': SPAN },
      { 'x-b3-traceid': /^(?!4bf)[0-9a-f]{32}$/, 'x-b3-parentspanid': undefined, 'x-b3-sampled': /^1$/ },
    ],
  ])('B3 in several headers: %s', async (_, headers, expected) => {
    await start({ propagation: ['b3multi'] })
    const response = await host!.request({ headers })
    for (const [name, value] of Object.entries(expected)) {
      if (value) expect(sent(response, name)).toMatch(value)
      else expect(sent(response, name)).toBeUndefined()
    }
    expect(sent(response, 'x-b3-spanid')).toMatch(/^[0-9a-f]{16}$/)
    expect(sent(response, 'x-b3-spanid')).not.toBe(SPAN)
  })

  const [LOW, PARENT] = [BigInt('0xa3ce929d0e0e4736').toString(), BigInt(`0x${SPAN}`).toString()]
  test.each<[string, Record<string, string>, Record<string, string | RegExp | undefined>]>([
    [
      '128 bits',
      { 'x-datadog-trace-id': LOW, 'x-datadog-tags': '_dd.p.dm=-1,_dd.p.tid=4bf92f3577b34da6' },
      { 'x-datadog-trace-id': LOW, 'x-datadog-tags': '_dd.p.dm=-1,_dd.p.tid=4bf92f3577b34da6' },
    ],
    ['64 bits', { 'x-datadog-trace-id': LOW }, { 'x-datadog-trace-id': LOW, 'x-datadog-tags': undefined }],
    [
      'kept by the user',
      { 'x-datadog-trace-id': LOW, 'x-datadog-sampling-priority': '2' },
      { 'x-datadog-sampling-priority': '2' },
    ],
    [
      'dropped by the user',
      { 'x-datadog-trace-id': LOW, 'x-datadog-sampling-priority': '-1' },
      { 'x-datadog-sampling-priority': '-1' },
    ],
    [
      'not sampled',
      { 'x-datadog-trace-id': LOW, 'x-datadog-sampling-priority': '0' },
      { 'x-datadog-sampling-priority': '0' },
    ],
    [
      'a priority that is none',
      { 'x-datadog-trace-id': LOW, 'x-datadog-sampling-priority': '9' },
      { 'x-datadog-sampling-priority': '1' },
    ],
    [
      'a number of more than 64 bits',
      { 'x-datadog-trace-id': '18446744073709551616' },
      { 'x-datadog-trace-id': /^[0-9]{1,20}$/, 'x-datadog-tags': /^_dd\.p\.tid=[0-9a-f]{16}$/ },
    ],
    [
      'the largest number',
      { 'x-datadog-trace-id': '18446744073709551615' },
      { 'x-datadog-trace-id': '18446744073709551615' },
    ],
  ])('Datadog: %s', async (_, headers, expected) => {
    await start({ propagation: ['datadog'] })
    const response = await host!.request({ headers: { 'x-datadog-parent-id': PARENT, ...headers } })
    for (const [name, value] of Object.entries(expected)) {
      if (value instanceof RegExp) expect(sent(response, name)).toMatch(value)
      else expect(sent(response, name)).toBe(value)
    }
    expect(sent(response, 'x-datadog-parent-id')).not.toBe(PARENT)
  })

  test('several forms: the first that names a trace counts, all are written', async () => {
    await start({ propagation: ['w3c', 'b3', 'b3multi', 'datadog'] })
    const response = await host!.request({ headers: { b3: `${TRACE}-${SPAN}-0`, tracestate: 'a=1' } })
    const [, trace, span, flags] = sent(response, 'traceparent')!.split('-')
    expect([trace, flags]).toEqual([TRACE, '00'])
    expect(sent(response, 'tracestate')).toBeUndefined()
    expect(sent(response, 'b3')).toBe(`${TRACE}-${span}-0-${SPAN}`)
    expect(sent(response, 'x-b3-spanid')).toBe(span)
    expect(sent(response, 'x-datadog-parent-id')).toBe(BigInt(`0x${span}`).toString())
    expect(sent(response, 'x-datadog-tags')).toBe(`_dd.p.tid=${TRACE.slice(0, 16)}`)
  })

  test('or not: inject is false', async () => {
    await start({ inject: false })
    const response = await host!.request({ headers: { traceparent: traceparent() } })
    expect(sent(response, 'traceparent')).toBe(traceparent())
    expect(sent(await host!.request(), 'traceparent')).toBeUndefined()
  })

  test('or not: no form is named', async () => {
    await start({ propagation: [] })
    expect(sent(await host!.request({ headers: { tracestate: 'a=1' } }), 'traceparent')).toBeUndefined()
  })

  test('a request gets an id', async () => {
    await start({})
    const id = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/
    expect(sent(await host!.request(), 'x-request-id')).toMatch(id)
    const own = { 'x-request-id': 'mine' }
    expect(sent(await host!.request({ headers: own }), 'x-request-id')).toBe('mine')
  })
})

describe('sampling', () => {
  const isSampled = (response: Response) => sent(response, 'traceparent')!.endsWith('-01')

  // The first eight digits modulo 10 000, as Envoy does.
  test.each([
    ['00000063-0000-4000-8000-000000000000', 1, true],
    ['00000064-0000-4000-8000-000000000000', 1, false],
    ['00002773-0000-4000-8000-000000000000', 1, true],
    ['00000064-0000-9000-8000-000000000000', 0, true],
    ['00000064-0000-a000-8000-000000000000', 0, true],
    ['00000064-0000-b000-8000-000000000000', 0, true],
    ['00000000-0000-4000-8000-000000000000', 0, false],
    ['0000270f-0000-4000-8000-000000000000', 100, true],
  ])('request id %s, %d %%: %s', async (id, sampling, expected) => {
    await start({ sampling })
    expect(isSampled(await host!.request({ headers: { 'x-request-id': id } }))).toBe(expected)
  })

  test('what the request says of its trace is respected', async () => {
    await start({ sampling: 0 })
    expect(isSampled(await host!.request({ headers: { traceparent: traceparent() } }))).toBe(true)
    expect(isSampled(await host!.request())).toBe(false)
    await host!.reconfigure({ version: 1, reporter: 'destination', workload, traces: { sampling: 100 } })
    expect(isSampled(await host!.request({ headers: { traceparent: traceparent('00') } }))).toBe(false)
  })

  test('x-envoy-force-trace demands one', async () => {
    // Envoy takes it from clients, but not from a filter in front.
    const routes = [
      { headers: { request: { set: { 'x-envoy-force-trace': '1' } } }, destinations: [{ cluster: 'upstream' }] },
    ]
    const forcing = { version: 1, virtualHosts: [{ domains: ['*'], routes }] }
    const configuration = { version: 1, reporter: 'destination', workload, traces: { sampling: 0 } }
    host = await createHost({
      filters: [
        { wasm: routing, name: 'routing', configuration: forcing },
        { wasm: filter, name: 'telemetry', configuration },
      ],
    })
    expect(isSampled(await host.request())).toBe(true)
  })

  test('by chance, about as many as it says', async () => {
    await start({ sampling: 30, useRequestId: false })
    let sampled = 0
    for (let i = 0; i < 400; i++) if (isSampled(await host!.request())) sampled++
    // 120, and 5 standard deviations of 9.2.
    expect(sampled).toBeGreaterThan(74)
    expect(sampled).toBeLessThan(166)
  })
})

describe('spans', () => {
  test('OTLP: of a server', async () => {
    await start({
      exporter: { ...EXPORTER, headers: { 'x-key': 'secret' } },
      batch: SOON,
      tags: { zone: { literal: 'eu"1' } },
    })
    const from = BigInt(Date.now()) * 1_000_000n
    const response = await host!.request({
      path: '/a/b?token=secret',
      authority: 'reviews.shop:9080',
      headers: { traceparent: traceparent(), tracestate: 'a=1', 'user-agent': 'curl/8', 'x-request-id': 'r-1' },
    })
    await received()
    const [callout] = host!.callouts
    expect(callout).toMatchObject({ cluster: 'collector', method: 'POST', path: '/v1/traces' })
    expect(callout!.headers.get('content-type')).toBe('application/json')
    expect(callout!.headers.get('x-key')).toBe('secret')
    const [body] = bodies()
    expect(attributesOf(body!.resourceSpans[0]!.resource)).toEqual({
      'service.name': 'reviews.shop',
      'service.namespace': 'shop',
      'service.version': 'v2',
      'k8s.namespace.name': 'shop',
    })
    await expect(host).toHaveSpan({ traceId: TRACE, attributes: { zone: 'eu"1', 'server.port': 9080 } })
    await expect(host).not.toHaveSpan({ kind: 'client' })
    const [span, ...others] = spansOf(body!)
    expect(others).toEqual([])
    expect(span).toMatchObject({
      traceId: TRACE,
      parentSpanId: SPAN,
      spanId: sent(response, 'traceparent')!.split('-')[2],
      traceState: 'a=1',
      name: 'GET',
      kind: 2,
      status: {},
    })
    expect(BigInt(span!.endTimeUnixNano)).toBeGreaterThanOrEqual(BigInt(span!.startTimeUnixNano))
    if (host!.name !== 'node') expect(BigInt(span!.startTimeUnixNano)).toBeGreaterThanOrEqual(from - 1_000_000n)
    expect(attributesOf(span!)).toEqual({
      'http.request.method': 'GET',
      'url.path': '/a/b',
      'url.scheme': 'http',
      'server.address': 'reviews.shop',
      'server.port': 9080,
      'http.response.status_code': 200,
      'network.protocol.version': '1.1',
      'user_agent.original': 'curl/8',
      'client.address': '127.0.0.1',
      component: 'proxy',
      'istio.canonical_service': 'reviews',
      'istio.canonical_revision': 'v2',
      'istio.namespace': 'shop',
      'istio.cluster_id': 'east',
      upstream_cluster: 'upstream',
      response_flags: '-',
      'guid:x-request-id': 'r-1',
      zone: 'eu"1',
    })
  })

  test('OTLP: of a client, and an error', async () => {
    const traces = { exporter: EXPORTER, batch: SOON, istioTags: false, service: 'front' }
    await start(traces, { reporter: 'source' }, { upstream: () => 404 })
    await host!.request({ path: '/x', authority: 'reviews', method: 'PURGE' })
    await received()
    const [span] = spansOf(bodies()[0]!)
    expect(span).toMatchObject({ name: 'HTTP', kind: 3, status: { code: 2 } })
    expect(span).not.toHaveProperty('parentSpanId')
    const { 'network.peer.port': port, ...attributes } = attributesOf(span!)
    expect(port).toBeGreaterThan(0)
    expect(attributes).toEqual({
      'http.request.method': '_OTHER',
      'http.request.method_original': 'PURGE',
      'url.full': 'http://reviews/x',
      'server.address': 'reviews',
      'http.response.status_code': 404,
      'network.protocol.version': '1.1',
      'network.peer.address': '127.0.0.1',
      'error.type': '404',
    })
  })

  test('gRPC, and headers as attributes', async () => {
    const tags = {
      tenant: { header: 'X-Tenant' },
      plan: { header: 'x-plan', default: 'free' },
      none: { header: 'x-none' },
    }
    const upstream: HttpHandler = () => ({ headers: { 'content-type': 'application/grpc', 'grpc-status': '14' } })
    await start({ exporter: EXPORTER, batch: SOON, tags }, {}, { upstream })
    await host!.request({ method: 'POST', headers: { 'content-type': 'application/grpc', 'x-tenant': 'acme' } })
    await received()
    const [span] = spansOf(bodies()[0]!)
    expect(attributesOf(span!)).toMatchObject({
      'rpc.system': 'grpc',
      'rpc.grpc.status_code': 14,
      'error.type': '14',
      tenant: 'acme',
      plan: 'free',
    })
    expect(attributesOf(span!)).not.toHaveProperty('none')
  })

  test('bytes that are no text leave valid JSON', async () => {
    await start({ exporter: EXPORTER, batch: SOON })
    const raw = Buffer.from(
      'GET /\x80\xe2\x82"\\ HTTP/1.1\r\nhost: a\r\nuser-agent: \xff"\\\t\xf0\x9f\x98\x80\xed\xa0\x80\r\nconnection: close\r\n\r\n',
      'latin1',
    )
    await host!.request({ raw })
    await host!.request()
    await received()
    const [span] = spansOf(bodies()[0]!)
    const agent = attributesOf(span!)['user_agent.original']
    if (agent !== undefined) expect(agent).toBe('\ufffd"\\\t😀\ufffd\ufffd\ufffd')
  })

  test('Zipkin', async () => {
    await start(
      { propagation: ['b3'], exporter: { type: 'zipkin', cluster: 'collector' }, batch: SOON },
      {},
      { upstream: () => 503 },
    )
    await host!.request({ path: '/z', headers: { b3: `${SPAN}-${SPAN}-d` } })
    await received()
    expect(host!.callouts[0]).toMatchObject({ method: 'POST', path: '/api/v2/spans' })
    const spans = bodies()[0] as unknown as Record<string, unknown>[]
    expect(spans).toHaveLength(1)
    expect(spans[0]).toMatchObject({
      traceId: SPAN,
      parentId: SPAN,
      id: expect.stringMatching(/^[0-9a-f]{16}$/) as string,
      name: 'GET',
      kind: 'SERVER',
      debug: true,
      localEndpoint: { serviceName: 'reviews.shop' },
      tags: { 'http.response.status_code': '503', 'url.path': '/z', error: '503' },
    })
    await expect(host).toHaveSpan({ kind: 'server', status: 'error', parentSpanId: SPAN })
    expect(spans[0]!['duration']).toBeGreaterThan(0)
    expect(Number.isInteger(spans[0]!['timestamp'])).toBe(true)
  })

  test('Datadog', async () => {
    await start({ propagation: ['datadog'], exporter: { type: 'datadog', cluster: 'collector' }, batch: SOON })
    await Promise.all([host!.request(), host!.request()])
    await received()
    const [callout] = host!.callouts
    expect(callout).toMatchObject({ method: 'POST', path: '/v0.4/traces' })
    expect(callout!.headers.get('content-type')).toBe('application/msgpack')
    const count = Number(callout!.headers.get('x-datadog-trace-count'))
    // An array of so many, the first an array of one map with twelve members.
    expect([...callout!.body.subarray(0, 7)]).toEqual([0xdd, 0, 0, 0, count, 0x91, 0x8c])
    const span = { kind: 'server', name: 'GET', service: 'reviews.shop', parentSpanId: null, status: 'unset' } as const
    await expect(host).toHaveSpan({ ...span, traceId: /^[0-9a-f]{32}$/, attributes: { 'http.status_code': 200 } })
  })

  test('none of a request that is not sampled, nor without a receiver', async () => {
    await start({ exporter: EXPORTER, batch: SOON, sampling: 0 })
    await host!.request()
    await host!.advance('200ms')
    expect(host!.callouts).toHaveLength(0)
  })

  test('also where nobody is told of them: telemetry.wasm', async () => {
    await start({ exporter: EXPORTER, batch: SOON }, {}, { wasm: spansOnly })
    expect(sent(await host!.request({ headers: { traceparent: traceparent() } }), 'traceparent')).toBe(traceparent())
    await received()
    expect(spansOf(bodies()[0]!)[0]).toMatchObject({ traceId: TRACE, parentSpanId: SPAN })
    expect(host!.logs.map(({ message }) => message).join('\n')).toContain('telemetry-headers.wasm')
  })
})

describe('batches', () => {
  const items = (result: string) => `telemetry_items_total.signal=.=spans;.;.result=.=${result};.;`

  test('as many as are waited for go together', async () => {
    await start({ exporter: EXPORTER, batch: { maxItems: 3, interval: '1h' } })
    for (let i = 0; i < 7; i++) await host!.request(`/${i}`)
    await received(2)
    expect(bodies().map((body) => spansOf(body).map((span) => attributesOf(span)['url.path']))).toEqual([
      ['/0', '/1', '/2'],
      ['/3', '/4', '/5'],
    ])
    await expect(host).toHaveMetric(items('sent'), 6)
  })

  test('a receiver that fails for a while gets them later, those that there is no room for are dropped and counted', async () => {
    let isWell = false
    const batch = { maxItems: 2, maxQueue: 4, interval: '20ms' }
    await start({ exporter: EXPORTER, batch }, {}, {}, () => (isWell ? 200 : 503))
    for (let i = 0; i < 10; i++) expect((await host!.request(`/${i}`)).status).toBe(200)
    await received()
    await expect(host).toHaveMetric(items('dropped'), 6)
    isWell = true
    const failed = host!.callouts.length
    for (let i = 0; i < 200 && host!.callouts.length < failed + 2; i++) await host!.advance('50ms')
    const paths = bodies().map((body) => spansOf(body).map((span) => attributesOf(span)['url.path']))
    expect(paths.slice(0, 1)).toEqual([['/0', '/1']])
    expect(paths.slice(-2)).toEqual([
      ['/0', '/1'],
      ['/2', '/3'],
    ])
    await host!.request('/after')
    await received(host!.callouts.length + 1)
    await expect(host).toHaveMetric(items('sent'), 5)
    await expect(host).toHaveMetric('telemetry_items_total', 11)
    expect(host).toContainLog('warn', 'spans: collector takes none: status 503; they are kept')
    expect(host).toContainLog('warn', 'spans: collector takes them again; 6 were dropped')
  })

  test('what the receiver refuses is not sent again', async () => {
    await start({ exporter: EXPORTER, batch: SOON }, {}, {}, () => 400)
    await host!.request()
    await received()
    await host!.advance('200ms')
    expect(host!.callouts).toHaveLength(1)
    await expect(host).toHaveMetric(items('rejected'), 1)
    expect(host).toContainLog('warn', 'spans: collector refuses 1: status 400')
  })

  test('retry-after is respected', async () => {
    await start({ exporter: EXPORTER, batch: SOON }, {}, {}, () => ({ status: 429, headers: { 'retry-after': '1' } }))
    await host!.request()
    await received()
    await host!.advance('600ms')
    expect(host!.callouts).toHaveLength(1)
    await host!.advance('600ms')
    expect(host!.callouts).toHaveLength(2)
  })

  test('a cluster that is not there', async () => {
    await start({ exporter: { type: 'otlp', cluster: 'nowhere' }, batch: SOON })
    expect((await host!.request()).status).toBe(200)
    await host!.advance('100ms')
    expect(host).toContainLog('warn', 'spans: nowhere takes none: there is no such cluster; they are kept')
  })

  test('what waits is sent when the configuration changes', async () => {
    const configuration = { version: 1, reporter: 'destination', workload }
    await start({ exporter: EXPORTER, batch: { interval: '1h' } })
    await host!.request('/before')
    await host!.reconfigure({ ...configuration, traces: { exporter: EXPORTER, batch: { interval: '20ms' } } })
    await received()
    expect(attributesOf(spansOf(bodies()[0]!)[0]!)['url.path']).toBe('/before')
    await host!.request('/after')
    await received(2)
    expect(attributesOf(spansOf(bodies()[1]!)[0]!)['url.path']).toBe('/after')
  })
})
