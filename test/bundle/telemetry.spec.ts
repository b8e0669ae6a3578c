/** Telemetry at the end of a bundle: it sees what the filters before it have done, also of requests that never came to it. */

import { cluster, createHost, type Host } from '@meshscript/sdk/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { build } from './build.ts'

const wasm = await build('authorization', 'fault', 'telemetry-headers')
const workload = { name: 'cart-v1', namespace: 'shop', canonicalService: 'cart' }

const configuration = {
  version: 1,
  authorization: {
    version: 1,
    policies: [{ name: 'no-secrets', action: 'DENY', rules: [{ to: [{ paths: [{ prefix: '/secret' }] }] }] }],
  },
  fault: {
    version: 1,
    virtualHosts: [
      {
        name: 'all',
        domains: ['*'],
        routes: [
          { match: [{ path: { exact: '/late' } }], fault: { delay: { percentage: 100, fixed: '30ms' } } },
          { match: [{ path: { exact: '/418' } }], fault: { abort: { percentage: 100, httpStatus: 418 } } },
        ],
      },
    ],
  },
  'telemetry-headers': {
    version: 1,
    reporter: 'destination',
    workload,
    metadataExchange: true,
    metrics: { REQUEST_COUNT: {} },
    traces: { exporter: { type: 'otlp', cluster: 'collector' }, batch: { interval: '20ms' } },
    flows: { exporter: { cluster: 'flows' }, batch: { interval: '20ms' } },
  },
}

let host: Host
beforeAll(async () => {
  const clusters = { collector: cluster.http(() => 200), flows: cluster.http(() => 200) }
  host = await createHost({ wasm, name: 'bundle', configuration, clusters })
})
afterAll(() => host?.close())

test.each([
  ['/', 200],
  ['/late', 200],
  ['/418', 418],
  ['/secret/1', 403],
])('%s: %d', async (path, status) => {
  const response = await host.request(path)
  expect(response.status).toBe(status)
  await host.advance('200ms')
  await expect(host).toHaveSpan({ attributes: { 'url.path': path, 'http.response.status_code': status } })
  if (status === 200) expect(response.upstream!.headers.get('traceparent')).toMatch(/^00-.*-01$/)
})

test('all of them are counted and recorded', async () => {
  for (const [code, count] of Object.entries({ 200: 2, 418: 1, 403: 1 }))
    await expect(host).toHaveMetric('istio_requests_total', count, { response_code: code })
  const flows = host.callouts
    .filter((callout) => callout.cluster === 'flows')
    .flatMap(({ body }) => body.toString('utf8').trim().split('\n'))
    .map((line) => (JSON.parse(line) as { flow: { verdict: string; l7: { http: { url: string } } } }).flow)
  const told = Object.fromEntries(flows.map(({ verdict, l7 }) => [new URL(l7.http.url).pathname, verdict]))
  expect(told).toEqual({
    '/': 'FORWARDED',
    '/late': 'FORWARDED',
    '/418': expect.any(String) as string,
    '/secret/1': 'DROPPED',
  })
})

test('timers of several filters run side by side', async () => {
  const answers = await Promise.all(Array.from({ length: 5 }, () => host.request('/late')))
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200])
  await host.advance('200ms')
  await expect(host).toHaveMetric('telemetry_items_total', 9, { signal: 'spans', result: 'sent' })
})
