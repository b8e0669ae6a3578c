/** Three services, each behind a real Envoy with the filter: one trace, into real receivers. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import wasm from '../../../filters/telemetry-headers/assembly/index.ts?filter'
import { Chain, SERVICES } from './chain.ts'
import { Collector, type Receiver, type Span } from './collector.ts'
import { expectNested, tracesOf } from './expectations.ts'

let collector: Collector
let chain: Chain

beforeAll(async () => {
  collector = await Collector.start()
}, 300_000)
afterAll(() => collector?.kill())
beforeEach(() => void (collector.spans.length = 0))

const start = async (traces: object, receiver: Receiver = 'otlp', propagation: readonly string[][] = [['w3c']]) => {
  chain = await Chain.start(collector, (service) => ({
    receiver,
    filter: {
      wasm,
      traces: {
        propagation: propagation[SERVICES.indexOf(service) % propagation.length],
        exporter: { type: receiver, cluster: 'collector' },
        ...traces,
      },
    },
  }))
}

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
const SPAN = '00f067aa0ba902b7'

describe('one trace of nested spans', () => {
  afterEach(() => chain.close())

  describe.each<Receiver>(['otlp', 'zipkin', 'datadog'])('%s', (receiver) => {
    // Headers of the client, which began the trace: it is sampled, and SPAN the first one's parent.
    test.each<[string, string[][], Record<string, string>]>([
      ['w3c', [['w3c']], { traceparent: `00-${TRACE}-${SPAN}-01`, tracestate: 'vendor=1' }],
      ['b3', [['b3']], { b3: `${TRACE}-${SPAN}-1` }],
      ['b3multi', [['b3multi']], { 'x-b3-traceid': TRACE, 'x-b3-spanid': SPAN, 'x-b3-sampled': '1' }],
      [
        'datadog',
        [['datadog']],
        {
          'x-datadog-trace-id': BigInt(`0x${TRACE.slice(16)}`).toString(),
          'x-datadog-parent-id': BigInt(`0x${SPAN}`).toString(),
          'x-datadog-tags': `_dd.p.tid=${TRACE.slice(0, 16)}`,
          'x-datadog-sampling-priority': '1',
        },
      ],
      [
        // Each has one in common with the next, which is not its first.
        'mixed',
        [
          ['w3c', 'b3'],
          ['b3', 'datadog'],
          ['datadog', 'b3multi'],
        ],
        { traceparent: `00-${TRACE}-${SPAN}-01` },
      ],
    ])('%s', async (name, propagation, headers) => {
      await start({}, receiver, propagation)
      expect(await chain.request()).toBe(200)
      expect(await chain.request(headers)).toBe(200)
      const traces = await tracesOf(collector, 2)
      expect(traces).toHaveLength(2)
      const [own, joined] = traces.sort(([a], [b]) => Number(a!.traceId === TRACE) - Number(b!.traceId === TRACE))
      expectNested(own!)
      expect(own![0]!.traceId).toMatch(/^(?!0{16})[0-9a-f]{32}$/)
      expect(joined![0]!.traceId).toBe(TRACE)
      expectNested(joined!, SPAN)
      expect(new Set(collector.spans.map((span) => span.receiver))).toEqual(new Set([receiver]))
      for (const span of collector.spans) expectAttributes(span)
      if (receiver === 'otlp' && name === 'w3c') {
        for (const span of joined!) expect(span.traceState).toBe('vendor=1')
        // Sampled, and that the parent is known to be remote.
        for (const span of joined!) expect(span.flags).toBe(0x301)
        expect(chain.received[1]!['tracestate']).toBe('vendor=1')
      }
      // The last application is told of the span of the Envoy before it.
      const last = joined!.find(({ service, kind }) => service === 'c.shop' && kind === 'Server')!
      expect(chain.received[1]![TOLD[name]!.header]).toBe(TOLD[name]!.value(last))
    })
  })

  test('of many requests at once', async () => {
    await start({})
    const statuses = await Promise.all(Array.from({ length: 40 }, () => chain.request()))
    expect(new Set(statuses)).toEqual(new Set([200]))
    const traces = await tracesOf(collector, 40)
    expect(traces).toHaveLength(40)
    for (const trace of traces) expectNested(trace)
  })
})

/** What of the last span its application gets, by propagation. */
const TOLD: Record<string, { header: string; value: (span: Span) => string }> = {
  w3c: { header: 'traceparent', value: ({ spanId }) => `00-${TRACE}-${spanId}-01` },
  b3: { header: 'b3', value: ({ spanId, parentSpanId }) => `${TRACE}-${spanId}-1-${parentSpanId}` },
  b3multi: { header: 'x-b3-spanid', value: ({ spanId }) => spanId },
  datadog: { header: 'x-datadog-parent-id', value: ({ spanId }) => BigInt(`0x${spanId}`).toString() },
  mixed: { header: 'x-b3-spanid', value: ({ spanId }) => spanId },
}

function expectAttributes({ name, kind, attributes, status, receiver }: Span): void {
  // Datadog's spans have the name of the operation; what they are about is the resource.
  expect(receiver === 'datadog' ? attributes['dd.span.Resource'] : name).toBe('GET')
  const text = Object.fromEntries(Object.entries(attributes).map(([key, value]) => [key, String(value)]))
  expect(text).toMatchObject({
    'http.request.method': 'GET',
    'http.response.status_code': '200',
    'network.protocol.version': '1.1',
    component: 'proxy',
    'istio.namespace': 'shop',
    response_flags: '-',
    upstream_cluster: expect.stringMatching(/^(application|next)$/) as string,
    'guid:x-request-id': expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
    ...(kind === 'Server'
      ? { 'url.path': '/cart', 'url.scheme': 'http' }
      : { 'url.full': expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/cart$/) as string }),
  })
  expect(JSON.stringify(attributes)).not.toContain('secret')
  expect(status).not.toBe('Error')
}

describe('sampling', () => {
  const all = [['w3c', 'b3', 'b3multi', 'datadog']]
  const low = BigInt(`0x${TRACE.slice(16)}`).toString()
  const datadog = (priority: number) => ({
    'x-datadog-trace-id': low,
    'x-datadog-parent-id': BigInt(`0x${SPAN}`).toString(),
    'x-datadog-sampling-priority': String(priority),
  })
  const multi = { 'x-b3-traceid': TRACE, 'x-b3-spanid': SPAN }
  /** Sends both, and expects spans of the second only: had the first one any, they would have come before. */
  const expectNone = async (headers: Record<string, string>, sampled: Record<string, string>) => {
    expect(await chain.request(headers)).toBe(200)
    expect(await chain.request(sampled)).toBe(200)
    const traces = await tracesOf(collector)
    expect(traces).toHaveLength(1)
    expect(traces[0]).toHaveLength(5)
    expect(traces[0]![0]!.attributes['guid:x-request-id']).toBe(chain.received[1]!['x-request-id'])
  }

  describe('none by itself', () => {
    beforeAll(() => start({ sampling: 0 }, 'otlp', all))
    afterAll(() => chain.close())
    beforeEach(() => void (chain.received.length = 0))

    test('a request without a word of it has no span', () => expectNone({}, { b3: `${TRACE}-${SPAN}-1` }))

    test.each<[string, Record<string, string>]>([
      ['traceparent', { traceparent: `00-${TRACE}-${SPAN}-01` }],
      ['b3', { b3: `${TRACE}-${SPAN}-1` }],
      ['b3, to debug', { b3: `${TRACE}-${SPAN}-d` }],
      ['x-b3-sampled', { ...multi, 'x-b3-sampled': '1' }],
      ['x-b3-flags, to debug', { ...multi, 'x-b3-flags': '1' }],
      ['x-datadog-sampling-priority', datadog(1)],
      ['x-datadog-sampling-priority, the user’s', datadog(2)],
    ])('an incoming decision holds on all three: %s', async (_, headers) => {
      expect(await chain.request(headers)).toBe(200)
      const traces = await tracesOf(collector)
      expect(traces).toHaveLength(1)
      expect(traces[0]![0]!.traceId.slice(16)).toBe(TRACE.slice(16))
      expectNested(traces[0]!, SPAN)
    })

    test.each<[string, Record<string, string>]>([
      ['x-envoy-force-trace', { 'x-envoy-force-trace': '1' }],
      ['an x-request-id that says so', { 'x-request-id': '00002710-0000-a000-8000-000000000000' }],
      ['b3, without a trace', { b3: 'd' }],
    ])('forced: %s', async (_, headers) => {
      expect(await chain.request(headers)).toBe(200)
      const traces = await tracesOf(collector)
      expect(traces).toHaveLength(1)
      expectNested(traces[0]!)
    })
  })

  describe('all', () => {
    beforeAll(() => start({ sampling: 100 }, 'otlp', all))
    afterAll(() => chain.close())
    beforeEach(() => void (chain.received.length = 0))

    test.each<[string, Record<string, string>]>([
      ['traceparent', { traceparent: `00-${TRACE}-${SPAN}-00` }],
      ['b3', { b3: `${TRACE}-${SPAN}-0` }],
      ['b3, without a trace', { b3: '0' }],
      ['x-b3-sampled', { ...multi, 'x-b3-sampled': '0' }],
      ['x-datadog-sampling-priority', datadog(0)],
      ['x-datadog-sampling-priority, the user’s', datadog(-1)],
    ])('but what is not to be: %s', async (_, headers) => {
      await expectNone(headers, {})
      // Nor does the last one hear anything else.
      expect(chain.received.map((received) => received['traceparent']!.slice(-2))).toEqual(['00', '01'])
    })
  })

  test('by the id of the request, which all three share', async () => {
    await start({ sampling: 25 }, 'otlp', all)
    try {
      // Of 10 000: the first two are below 25 %.
      const ids = [0, 2499, 2500, 9999].map((n) => `${n.toString(16).padStart(8, '0')}-0000-4000-8000-000000000000`)
      for (const id of ids.toReversed()) expect(await chain.request({ 'x-request-id': id })).toBe(200)
      const traces = await tracesOf(collector, 2)
      expect(traces.map(([span]) => span!.attributes['guid:x-request-id']).sort()).toEqual(ids.slice(0, 2))
      for (const trace of traces) expectNested(trace)
    } finally {
      await chain.close()
    }
  })
})
