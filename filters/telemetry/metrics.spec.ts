/** What is counted, under which labels: the same on both hosts. */
import { cluster, createHost, type Host, type HostOptions, type MetricValue } from '@meshscript/sdk/testing'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { has } from '../../test/matrix/facts.ts'
import filter from './assembly/index.ts?filter'

const workload = {
  name: 'ratings-v1',
  namespace: 'default',
  app: 'ratings',
  version: 'v1',
  cluster: 'Kubernetes',
  canonicalService: 'ratings',
  canonicalRevision: 'version-1',
}
const SERVER = 'spiffe://cluster.local/ns/default/sa/server'
const CLIENT = 'spiffe://cluster.local/ns/web/sa/client'

let host: Host | undefined
afterEach(() => host?.close())

async function start(configuration: object, options: HostOptions = {}): Promise<Host> {
  host = await createHost({
    wasm: filter,
    configuration: { version: 1, reporter: 'destination', workload, ...configuration },
    ...options,
  })
  return host
}

/** The series of a metric: its labels, in their order, and its value. */
async function series(name: string): Promise<{ labels: [string, string][]; value: MetricValue }[]> {
  return Object.entries(await host!.metrics())
    .filter(([stat]) => stat === name || stat.startsWith(`${name}.`))
    .map(([stat, value]) => ({
      labels: [...stat.slice(name.length).matchAll(/\.(\w+)=\.=(.*?);\.;/g)].map(([, label, text]) => [label!, text!]),
      value,
    }))
}

/** The labels of the only series of a metric. */
async function labels(name = 'istio_requests_total'): Promise<Record<string, string>> {
  const found = await series(name)
  expect(found).toHaveLength(1)
  return Object.fromEntries(found[0]!.labels)
}

const COUNT = { REQUEST_COUNT: {} }

describe('standard metrics', () => {
  test('of the side that is asked, in plaintext', async () => {
    await start({ metrics: { REQUEST_COUNT: {}, REQUEST_DURATION: {}, REQUEST_SIZE: {}, RESPONSE_SIZE: {} } })
    for (let n = 0; n < 3; n++) await host!.request('/a', { authority: 'ratings:9080', method: 'POST', body: 'hello' })
    const [count] = await series('istio_requests_total')
    expect(count).toEqual({
      labels: [
        ['reporter', 'destination'],
        ['source_workload', 'unknown'],
        ['source_canonical_service', 'unknown'],
        ['source_canonical_revision', 'latest'],
        ['source_workload_namespace', 'unknown'],
        ['source_principal', 'unknown'],
        ['source_app', 'unknown'],
        ['source_version', 'unknown'],
        ['source_cluster', 'unknown'],
        ['destination_workload', 'ratings-v1'],
        ['destination_workload_namespace', 'default'],
        ['destination_principal', 'unknown'],
        ['destination_app', 'ratings'],
        ['destination_version', 'v1'],
        ['destination_service', 'ratings:9080'],
        ['destination_canonical_service', 'ratings'],
        ['destination_canonical_revision', 'version-1'],
        ['destination_service_name', 'ratings:9080'],
        ['destination_service_namespace', 'default'],
        ['destination_cluster', 'Kubernetes'],
        ['request_protocol', 'http'],
        ['response_code', '200'],
        ['grpc_response_status', ''],
        ['response_flags', '-'],
        ['connection_security_policy', 'none'],
      ],
      value: 3,
    })
    for (const name of ['istio_request_duration_milliseconds', 'istio_request_bytes', 'istio_response_bytes']) {
      const [histogram] = await series(name)
      expect(histogram!.labels).toEqual(count!.labels)
      expect(histogram!.value).toMatchObject({ count: 3 })
    }
  })

  test('with mutual TLS: principals, and the namespace of the certificate', async () => {
    await start({ metrics: COUNT }, { tls: { identity: SERVER } })
    await host!.request('/', { peer: CLIENT })
    expect(await labels()).toMatchObject({
      source_principal: CLIENT,
      source_workload_namespace: 'web',
      destination_principal: SERVER,
      connection_security_policy: 'mutual_tls',
    })
  })
})

describe('values', () => {
  test('of what Envoy answers by itself, and of what does not answer', async () => {
    await start(
      { metrics: { REQUEST_COUNT: { remove: ['reporter'] } } },
      {
        routes: [
          { prefix: '/none', cluster: 'refused' },
          { prefix: '/direct', directResponse: { status: 404 } },
          { prefix: '/missing', clusterHeader: 'x-cluster' },
          { prefix: '/known' },
        ],
        clusters: { refused: cluster.refused() },
      },
    )
    for (const path of ['/none', '/direct', '/known', '/nowhere']) await host!.request(path)
    await host!.request('/missing', { headers: { 'x-cluster': 'nobody' } })
    const stream = await host!.stream({ path: '/known', method: 'POST' })
    await stream.write('a')
    await stream.abort()
    await vi.waitFor(async () => expect(await series('istio_requests_total')).toHaveLength(6), 10_000)
    const seen = (await series('istio_requests_total')).map(({ labels }) => {
      const { response_code, response_flags } = Object.fromEntries(labels)
      return `${response_code} ${response_flags}`
    })
    expect(seen.sort()).toEqual(['0 DC', '200 -', '404 -', '404 NR', '503 NC', '503 UF'])
  })

  test.each([
    ['application/grpc', 'grpc', '5'],
    ['application/grpc+proto', 'grpc', '5'],
    ['application/grpc-web', 'http', ''],
    ['application/json', 'http', ''],
  ])('of %s', async (type, protocol, status) => {
    await start({ metrics: COUNT }, { upstream: () => ({ headers: { 'grpc-status': '5' } }) })
    await host!.request('/a.B/C', { method: 'POST', headers: { 'content-type': type } })
    expect(await labels()).toMatchObject({ request_protocol: protocol, grpc_response_status: status })
  })

  test('of the side that asks: the service is behind the cluster', async () => {
    const clusters = {
      'outbound|9080|v2|reviews.shop.svc.cluster.local': cluster.http(() => 200),
      PassthroughCluster: cluster.http(() => 200),
      mine: cluster.http(() => 200),
    }
    const routes = Object.keys(clusters).map((name) => ({ prefix: `/${name.slice(0, 4)}`, cluster: name }))
    const mine = {
      host: 'mine.ops.svc.cluster.local',
      namespace: 'ops',
      workload: { name: 'mine-v1', namespace: 'ops' },
    }
    await start({ reporter: 'source', metrics: COUNT, services: { mine } }, { clusters, routes })
    for (const { prefix } of routes) await host!.request(`${prefix}?a`, { authority: 'asked' })
    const seen = (await series('istio_requests_total')).map(({ labels }) => Object.fromEntries(labels))
    const of = (name: string) => seen.find((found) => found.destination_service_name === name)
    expect(of('reviews')).toMatchObject({
      reporter: 'source',
      source_workload: 'ratings-v1',
      source_cluster: 'Kubernetes',
      destination_service: 'reviews.shop.svc.cluster.local',
      destination_workload: 'unknown',
      destination_service_namespace: 'unknown',
      connection_security_policy: 'unknown',
    })
    expect(of('PassthroughCluster')).toMatchObject({ destination_service: 'asked' })
    expect(of('mine')).toMatchObject({
      destination_service: 'mine.ops.svc.cluster.local',
      destination_service_namespace: 'ops',
      destination_workload: 'mine-v1',
    })
    expect(seen).toHaveLength(3)
  })

  test('of a workload whose service is known: nothing that clients send', async () => {
    await start({ workload: { ...workload, service: 'ratings.default.svc.cluster.local' }, metrics: COUNT })
    await host!.request('/', { authority: 'evil' })
    expect(await labels()).toMatchObject({
      destination_service: 'ratings.default.svc.cluster.local',
      destination_service_name: 'ratings',
    })
  })
})

describe('labels', () => {
  test('are left out, changed and added', async () => {
    const remove = ['reporter', 'not_there']
    const tags = {
      request_method: 'request.method',
      api_version: "request.headers['x-version']",
      is_bad: 'response.code >= 400',
      source_app: "'mine'",
      code: 'response.code',
    }
    await start({ metrics: { REQUEST_COUNT: { remove, tags }, RESPONSE_SIZE: {} } })
    await host!.request('/', { headers: { 'x-version': 'v3' } })
    const [count] = await series('istio_requests_total')
    expect(count!.labels.slice(0, 1)).toEqual([['source_workload', 'unknown']])
    expect(count!.labels.slice(-5)).toEqual([
      ['connection_security_policy', 'none'],
      ['api_version', 'v3'],
      ['code', '200'],
      ['is_bad', has('booleanExpressions') ? 'false' : 'unknown'],
      ['request_method', 'GET'],
    ])
    expect(count!.labels).toContainEqual(['source_app', 'mine'])
    expect(Object.keys(await labels('istio_response_bytes'))).toHaveLength(25)
  })

  test('without a value are unknown', async () => {
    await start({ metrics: { REQUEST_COUNT: { tags: { version: "request.headers['x-version']" } } } })
    await host!.request('/')
    expect(await labels()).toMatchObject({ version: 'unknown' })
  })

  test('name paths by templates', async () => {
    const pathTemplates = ['/users/{id}', '/users/me', '/users/{id}/orders/*', '/static/**', '/']
    await start({ metrics: { REQUEST_COUNT: { tags: { path: { pathTemplates } } } } })
    const asked: Record<string, string[]> = {
      '/users/{id}': ['/users/7', '/users/me?x=/static/1', '/users/a.b-c%20d'],
      '/users/{id}/orders/*': ['/users/7/orders/1'],
      '/static/**': ['/static/', '/static/js/app.js'],
      '/': ['/', '/?a'],
      unknown: ['/users', '/users/', '/users/7/orders', '/users/7/orders/1/2', '/users/"'],
    }
    for (const path of Object.values(asked).flat()) await host!.request(path)
    for (const [path, { length }] of Object.entries(asked))
      await expect(host).toHaveMetric('istio_requests_total', length, { path })
  })

  test('of templates: another name for the rest, and templates that are the same', async () => {
    const tags = {
      path: { pathTemplates: ['/a/{x}', '/a/{y}', '/a/*'], other: 'else' },
      same: { pathTemplates: ['/a/*'] },
    }
    await start({ metrics: { REQUEST_COUNT: { tags }, RESPONSE_SIZE: { tags } } })
    for (const path of ['/a/1', '/b']) await host!.request(path)
    await expect(host).toHaveMetric('istio_requests_total', 1, { path: '/a/{x}', same: '/a/*' })
    await expect(host).toHaveMetric('istio_response_bytes', 1, { path: 'else', same: 'unknown' })
  })
})
