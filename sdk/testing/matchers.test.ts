/** Matchers of metrics with labels, and of spans, on what hosts would tell. */
import { encode } from '@msgpack/msgpack'
import { expect, test } from 'vitest'
import { headerList } from './headers.ts'
import { toHaveMetric } from './metric_matcher.ts'
import { toHaveSpan } from './span_matcher.ts'
import { spansOf } from './spans.ts'
import type { Host, MetricValue, UpstreamRequest } from './types.ts'

const withMetrics = (metrics: Record<string, MetricValue>) => ({ metrics: () => Promise.resolve(metrics) }) as Host

const METRICS = {
  plain: 3,
  'requests.method=.=GET;.;.code=.=200;.;': 2,
  'requests.method=.=GET;.;.code=.=503;.;': 5,
  'requests.method=.=POST;.;.code=.=200;.;': 7,
  'requests_other.method=.=GET;.;': 100,
  'time.code=.=200;.;': { count: 2, sum: 10 },
  'time.code=.=503;.;': { count: 1, sum: 4 },
}

test.each<[string, MetricValue | undefined, Record<string, string> | undefined, boolean]>([
  ['plain', 3, undefined, true],
  ['plain', 4, undefined, false],
  ['plain', 3, { method: 'GET' }, false],
  ['requests', 14, undefined, true],
  ['requests', undefined, undefined, true],
  ['requests', 7, { method: 'GET' }, true],
  ['requests', 9, { code: '200' }, true],
  ['requests', 2, { code: '200', method: 'GET' }, true],
  ['requests', undefined, { code: '404' }, false],
  ['requests', undefined, { none: '' }, false],
  ['requests.method=.=GET;.;.code=.=200;.;', 2, undefined, true],
  ['request', undefined, undefined, false],
  ['time', 3, undefined, true],
  ['time', { count: 3, sum: 14 }, undefined, true],
  ['time', { count: 1, sum: 4 }, { code: '503' }, true],
  ['time', { count: 1, sum: 5 }, { code: '503' }, false],
])('metric %s = %j with %j: %s', async (name, value, labels, expected) => {
  expect((await toHaveMetric(withMetrics(METRICS), name, value, labels)).pass).toBe(expected)
})

test('a metric that is not there is told with what there is', async () => {
  const { message } = await toHaveMetric(withMetrics(METRICS), 'requests', 1, { code: '404' })
  expect(message()).toBe(`expected metric requests{code="404"} = 1, but it was missing among 
  {method="GET", code="200"} 2
  {method="GET", code="503"} 5
  {method="POST", code="200"} 7`)
  const sum = await toHaveMetric(withMetrics(METRICS), 'time', 4)
  expect(sum.message()).toBe(`expected metric time = 4, but it was {"count":3,"sum":14} of
  {code="200"} {"count":2,"sum":10}
  {code="503"} {"count":1,"sum":4}`)
  expect((await toHaveMetric(withMetrics(METRICS), 'plain', 4)).message()).toBe(
    'expected metric plain = 4, but it was 3',
  )
  const other = await toHaveMetric(withMetrics(METRICS), 'nothing')
  expect(other.message()).toBe(
    'expected metric nothing, but it was missing among plain, requests, requests_other, time',
  )
})

const request = (type: string, body: string | Uint8Array) =>
  ({ cluster: 'collector', headers: headerList([['content-type', type]]), body: Buffer.from(body) }) as UpstreamRequest
const sent = (...callouts: UpstreamRequest[]) => ({ callouts }) as unknown as Host

const [TRACE, SPAN, PARENT] = ['4bf92f3577b34da6a3ce929d0e0e4736', '00f067aa0ba902b7', '05e3ac9a4f6e3b90']
const OTLP = request(
  'application/json; charset=utf-8',
  JSON.stringify({
    resourceSpans: [
      {
        resource: { attributes: [{ key: 'service.name', value: { stringValue: 'cart' } }] },
        scopeSpans: [
          {
            spans: [
              {
                traceId: TRACE,
                spanId: SPAN,
                parentSpanId: PARENT,
                traceState: 'a=1',
                name: 'GET',
                kind: 2,
                startTimeUnixNano: '1700000000000000001',
                endTimeUnixNano: '1700000000000000005',
                attributes: [
                  { key: 'text', value: { stringValue: 'x' } },
                  { key: 'int', value: { intValue: '200' } },
                  { key: 'bool', value: { boolValue: true } },
                  { key: 'double', value: { doubleValue: 0.5 } },
                  { key: 'list', value: { arrayValue: { values: [{ stringValue: 'y' }] } } },
                ],
                status: { code: 2 },
              },
            ],
          },
        ],
      },
    ],
  }),
)
const ZIPKIN = request(
  'application/json',
  JSON.stringify([
    {
      traceId: TRACE,
      id: SPAN,
      kind: 'CLIENT',
      name: 'post',
      timestamp: 1700000000000000,
      duration: 5,
      localEndpoint: { serviceName: 'cart' },
      tags: { error: '503' },
    },
  ]),
)
const DATADOG = request(
  'application/msgpack',
  encode(
    [
      [
        {
          service: 'cart',
          name: 'http.server.request',
          resource: 'GET',
          type: 'web',
          trace_id: BigInt(`0x${TRACE.slice(16)}`),
          span_id: BigInt(`0x${SPAN}`),
          parent_id: 0n,
          start: 1700000000000000000n,
          duration: 7n,
          error: 0n,
          meta: { 'span.kind': 'server', '_dd.p.tid': TRACE.slice(0, 16), 'http.status_code': '200' },
          metrics: { _sampling_priority_v1: 1 },
        },
      ],
    ],
    { useBigInt64: true },
  ),
)

test('spans of three forms, in one', () => {
  expect(spansOf(sent(OTLP, ZIPKIN, DATADOG))).toEqual([
    {
      cluster: 'collector',
      traceId: TRACE,
      spanId: SPAN,
      parentSpanId: PARENT,
      name: 'GET',
      kind: 'server',
      service: 'cart',
      start: 1700000000000000001n,
      end: 1700000000000000005n,
      status: 'error',
      attributes: {
        text: 'x',
        int: 200,
        bool: true,
        double: 0.5,
        list: '{"arrayValue":{"values":[{"stringValue":"y"}]}}',
      },
      resource: { 'service.name': 'cart' },
      traceState: 'a=1',
    },
    {
      cluster: 'collector',
      traceId: TRACE,
      spanId: SPAN,
      parentSpanId: undefined,
      name: 'post',
      kind: 'client',
      service: 'cart',
      start: 1700000000000000000n,
      end: 1700000000000005000n,
      status: 'error',
      attributes: { error: '503' },
      resource: {},
      traceState: undefined,
    },
    {
      cluster: 'collector',
      traceId: TRACE,
      spanId: SPAN,
      parentSpanId: undefined,
      name: 'GET',
      kind: 'server',
      service: 'cart',
      start: 1700000000000000000n,
      end: 1700000000000000007n,
      status: 'unset',
      attributes: {
        'span.kind': 'server',
        '_dd.p.tid': TRACE.slice(0, 16),
        'http.status_code': '200',
        _sampling_priority_v1: 1,
      },
      resource: {},
      traceState: undefined,
    },
  ])
})

test.each([
  ['text', request('text/plain', '[]')],
  ['what is no JSON', request('application/json', '{')],
  ['null', request('application/json', 'null')],
  ['another list', request('application/json', '[1, null, {"a": 1}]')],
  ['another object', request('application/json', '{"a": 1}')],
  ['what is no MessagePack', request('application/msgpack', Uint8Array.of(0xc1))],
  ['another object in MessagePack', request('application/msgpack', encode({ a: 1 }))],
  ['another list in MessagePack', request('application/msgpack', encode([1, null, [{ trace_id: 'a' }]]))],
])('%s is no span', (_, callout) => {
  expect(spansOf(sent(callout))).toEqual([])
})

test('a span is found by its parts, and what there is instead is told', async () => {
  const host = sent(OTLP)
  const expected = {
    name: /^G/,
    kind: 'server',
    status: 'error',
    parentSpanId: PARENT,
    attributes: { int: 200 },
    resource: { 'service.name': /^c/ },
  } as const
  expect((await toHaveSpan.call(undefined, host, expected)).pass).toBe(true)
  expect((await toHaveSpan.call(undefined, host)).pass).toBe(true)
  const attributes = { text: 'x', int: '200', none: null }
  expect((await toHaveSpan.call(undefined, host, { attributes })).pass).toBe(true)
  for (const wrong of [
    { parentSpanId: null },
    { kind: 'client' as const },
    { attributes: { text: null } },
    { service: 'cat' },
    { resource: { 'service.name': 'cat' } },
  ]) {
    const { pass, message } = await toHaveSpan.call({ isNot: true }, host, wrong)
    expect(pass).toBe(false)
    expect(message()).toContain(`cart: server GET (trace ${TRACE}, span ${SPAN}, parent ${PARENT}, error)`)
  }
  expect((await toHaveSpan.call({ isNot: true }, sent())).message()).toBe(
    'expected a span like {}, but it was none at all',
  )
})
