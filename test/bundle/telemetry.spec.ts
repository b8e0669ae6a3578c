/** Telemetry at the end of a bundle: it sees what the filters before it have done, also of requests that never came to it. */

import { cluster, createHost, type Host } from '@meshscript/sdk/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { build } from './build.ts'

const BEFORE = ['authorization', 'ratelimit', 'fault', 'routing']
/** Without callbacks for headers, and with them. */
const VARIANTS = ['telemetry', 'telemetry-headers'] as const
const modules = new Map<string, string>()
for (const variant of VARIANTS) modules.set(variant, await build(...BEFORE, variant))
const workload = { name: 'cart-v1', namespace: 'shop', canonicalService: 'cart' }

const ofOthers = {
  authorization: {
    version: 1,
    policies: [{ name: 'no-secrets', action: 'DENY', rules: [{ to: [{ paths: [{ prefix: '/secret' }] }] }] }],
  },
  ratelimit: {
    version: 1,
    rules: [{ name: 'one', match: [{ path: { exact: '/limited' } }], limit: { requests: 1, per: '1h' } }],
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
  routing: {
    version: 1,
    virtualHosts: [
      {
        name: 'all',
        domains: ['*'],
        routes: [
          { match: [{ path: { exact: '/moved' } }], redirect: { status: 301, path: '/there' } },
          { destinations: [{ cluster: 'v1' }] },
        ],
      },
    ],
  },
}
const ofTelemetry = {
  version: 1,
  reporter: 'destination',
  workload,
  metadataExchange: true,
  metrics: { REQUEST_COUNT: {} },
  traces: { exporter: { type: 'otlp', cluster: 'collector' }, batch: { interval: '20ms' } },
  flows: { exporter: { cluster: 'flows' }, batch: { interval: '20ms' } },
}

describe.each(VARIANTS)('%s', (variant) => {
  let host: Host
  beforeAll(async () => {
    host = await createHost({
      wasm: modules.get(variant)!,
      name: 'bundle',
      configuration: { version: 1, ...ofOthers, [variant]: ofTelemetry },
      clusters: {
        v1: cluster.http(({ headers }) => headers.get('traceparent') ?? 'none'),
        collector: cluster.http(() => 200),
        flows: cluster.http(() => 200),
      },
      routes: [{ clusterHeader: 'x-meshscript-cluster' }],
    })
  })
  afterAll(() => host?.close())

  test.each([
    ['/', 200],
    ['/late', 200],
    ['/limited', 200],
    ['/limited', 429],
    ['/moved', 301],
    ['/418', 418],
    ['/secret/1', 403],
  ])('%s: %d', async (path, status) => {
    const response = await host.request(path)
    expect(response.status).toBe(status)
    await host.advance('200ms')
    const attributes = { 'url.path': path, 'http.response.status_code': status }
    await expect(host).toHaveSpan({ attributes, resource: { 'service.name': 'cart.shop' } })
    if (status === 200) expect(response.text).toMatch(variant === 'telemetry' ? /^none$/ : /^00-.*-01$/)
  })

  test('all of them are counted and recorded', async () => {
    for (const [code, count] of Object.entries({ 200: 3, 429: 1, 301: 1, 418: 1, 403: 1 }))
      await expect(host).toHaveMetric('istio_requests_total', count, { response_code: code })
    const told = host.callouts
      .filter((callout) => callout.cluster === 'flows')
      .flatMap(({ body }) => body.toString('utf8').trim().split('\n'))
      .map((line) => (JSON.parse(line) as { flow: { verdict: string; l7: { http: { url: string } } } }).flow)
      .map(({ verdict, l7 }) => `${new URL(l7.http.url).pathname} ${verdict}`)
    expect(told).toEqual([
      '/ FORWARDED',
      '/late FORWARDED',
      '/limited FORWARDED',
      '/limited DROPPED',
      '/moved FORWARDED',
      '/418 ERROR',
      '/secret/1 DROPPED',
    ])
  })

  test('timers of several filters run side by side', async () => {
    const answers = await Promise.all(Array.from({ length: 5 }, () => host.request('/late')))
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200])
    await host.advance('200ms')
    await expect(host).toHaveMetric('telemetry_items_total', 12, { signal: 'spans', result: 'sent' })
  })
})
