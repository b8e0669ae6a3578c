/** Requests that are out of the ordinary: each makes a span that real receivers take. */
import { buildBootstrap, createEnvoyHost } from '@meshscript/sdk/testing/envoy/index'
import type { Host, HttpHandler, RequestInit } from '@meshscript/sdk/testing'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import wasm from '../../../filters/telemetry-headers/assembly/index.ts?filter'
import { Collector, type Receiver } from './collector.ts'

let collector: Collector
let host: Host | undefined

beforeAll(async () => {
  collector = await Collector.start()
}, 300_000)
afterAll(() => collector?.kill())
beforeEach(() => void (collector.spans.length = 0))
afterEach(() => host?.close())

/** More than the 4096 bytes that are sent of it; they end within a character. */
const LONG = `x${'ä'.repeat(3000)}`
const NAME = 'cart"\\\u0007ü'
const QUOTED = 'a "b" \\ \u0001 😀'

const upstream: HttpHandler = ({ path, headers }) => {
  if (path === '/reset') return { reset: true }
  if (path === '/grpc') return { headers: { 'content-type': 'application/grpc', 'grpc-status': '14' } }
  return Number(headers.get('x-status') ?? 200)
}

async function start(receiver: Receiver): Promise<void> {
  host = await createEnvoyHost({
    wasm,
    upstream,
    configuration: {
      version: 1,
      reporter: 'destination',
      workload: { name: NAME, namespace: 'shop' },
      traces: {
        propagation: ['w3c', 'b3', 'b3multi', 'datadog'],
        exporter: { type: receiver, cluster: 'collector' },
        batch: { interval: '50ms' },
        tags: {
          'quoted "name"': { literal: QUOTED },
          empty: { literal: '' },
          long: { header: 'x-long' },
        },
      },
    },
    bootstrap: buildBootstrap({ clusters: { collector: collector.cluster(receiver) } }),
  })
}

const bytes = (path: string, header: string): RequestInit => ({
  raw: Buffer.from(`GET ${path} HTTP/1.1\r\nhost: cart\r\n${header}\r\nconnection: close\r\n\r\n`, 'latin1'),
})

/** By path: what is asked, and what the span has to have. */
const REQUESTS: Record<string, [RequestInit, Record<string, unknown>, ('error' | 'well')?]> = {
  '/plain': [{}, { 'server.address': 'localhost' }],
  '/bytes"\\': [
    bytes('/bytes"\\', 'user-agent: \xff"\\\t\xf0\x9f\x98\x80\xed\xa0\x80'),
    { 'user_agent.original': '\ufffd"\\\t😀\ufffd\ufffd\ufffd' },
  ],
  '/query': [{ path: '/query?secret=1' }, {}],
  [`/${'a'.repeat(4095)}`]: [{ path: `/${'a'.repeat(10_000)}` }, {}],
  '/long': [{ headers: { 'x-long': LONG } }, { long: expect.stringMatching(/^xä{2047}\ufffd?$/) as string }],
  '/head': [{ method: 'HEAD' }, { 'http.request.method': 'HEAD' }],
  '/purge': [{ method: 'PURGE' }, { 'http.request.method': '_OTHER', 'http.request.method_original': 'PURGE' }],
  '/2': [{ protocol: 'http2' }, { 'network.protocol.version': '2' }],
  '/404': [{ headers: { 'x-status': '404' } }, { 'http.response.status_code': '404' }],
  '/500': [{ headers: { 'x-status': '500' } }, { 'http.response.status_code': '500', 'error.type': '500' }, 'error'],
  '/reset': [{}, { 'http.response.status_code': '503', response_flags: 'UC' }, 'error'],
  '/grpc': [
    { method: 'POST', headers: { 'content-type': 'application/grpc' } },
    { 'rpc.system': 'grpc', 'rpc.grpc.status_code': '14' },
    'error',
  ],
  '/v6': [{ authority: '[::1]:8080' }, { 'server.address': '::1', 'server.port': '8080' }],
}

test.each<Receiver>(['otlp', 'zipkin', 'datadog'])('%s', async (receiver) => {
  await start(receiver)
  for (const [path, [request]] of Object.entries(REQUESTS)) await host!.request({ path, ...request })
  await expect.poll(() => collector.spans.length, { timeout: 10_000 }).toBe(Object.keys(REQUESTS).length)
  for (const [path, [, expected, outcome = 'well']] of Object.entries(REQUESTS)) {
    const span = collector.spans.find(({ attributes }) => attributes['url.path'] === path)!
    expect(span, path).toMatchObject({ kind: 'Server', service: `${NAME}.shop`, parentSpanId: '' })
    expect(span.status === 'Error', path).toBe(outcome === 'error')
    const attributes = Object.entries(span.attributes).map(([name, value]) => [name, String(value)])
    expect(Object.fromEntries(attributes), path).toMatchObject({ 'quoted "name"': QUOTED, empty: '', ...expected })
  }
  const { 'telemetry_items_total.signal=.=spans;.;.result=.=rejected;.;': rejected } = await host!.metrics()
  expect(rejected).toBeUndefined()
})
