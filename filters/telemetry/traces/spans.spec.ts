/** What spans say, in each of the forms they are sent in. The same on both hosts. */
import type { HttpHandler } from '@meshscript/sdk/testing'
import { describe, expect, test } from 'vitest'
import spansOnly from '../assembly/index.ts?filter'
import { host, received, SPAN, TRACE } from '../testing.ts'
import { attributesOf, bodies, EXPORTER, sent, SOON, spansOf, start, traceparent } from './testing.ts'

describe('spans', () => {
  test('OTLP: of a server', async () => {
    await start({
      exporter: { ...EXPORTER, headers: { 'x-key': 'secret' } },
      batch: SOON,
      tags: { zone: { literal: 'eu"1' } },
    })
    const from = BigInt(Date.now()) * 1_000_000n
    const response = await host.request({
      path: '/a/b?token=secret',
      authority: 'reviews.shop:9080',
      headers: { traceparent: traceparent(), tracestate: 'a=1', 'user-agent': 'curl/8', 'x-request-id': 'r-1' },
    })
    await received()
    const [callout] = host.callouts
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
    if (host.name !== 'node') expect(BigInt(span!.startTimeUnixNano)).toBeGreaterThanOrEqual(from - 1_000_000n)
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
    await host.request({ path: '/x', authority: 'reviews', method: 'PURGE' })
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
    await host.request({ method: 'POST', headers: { 'content-type': 'application/grpc', 'x-tenant': 'acme' } })
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
    await host.request({ raw })
    await host.request()
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
    await host.request({ path: '/z', headers: { b3: `${SPAN}-${SPAN}-d` } })
    await received()
    expect(host.callouts[0]).toMatchObject({ method: 'POST', path: '/api/v2/spans' })
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
    await Promise.all([host.request(), host.request()])
    await received()
    const [callout] = host.callouts
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
    await host.request()
    await host.advance('200ms')
    expect(host.callouts).toHaveLength(0)
  })

  test('also where nobody is told of them: telemetry.wasm', async () => {
    await start({ exporter: EXPORTER, batch: SOON }, {}, { wasm: spansOnly })
    expect(sent(await host.request({ headers: { traceparent: traceparent() } }), 'traceparent')).toBe(traceparent())
    await received()
    expect(spansOf(bodies()[0]!)[0]).toMatchObject({ traceId: TRACE, parentSpanId: SPAN })
    expect(host.logs.map(({ message }) => message).join('\n')).toContain('telemetry-headers.wasm')
  })
})
