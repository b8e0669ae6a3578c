/** Copies for other clusters, by HTTP callouts. */
import { cluster, createHost, type Host, type RequestInit, type UpstreamRequest } from '@meshscript/sdk/testing'
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import filter from './assembly/index.ts?filter'

const at = (path: string) => ({ match: [{ path: { prefix: path } }] })
const to = (...mirrors: object[]) => ({ destinations: [{ cluster: 'v1' }], mirrors })

let host: Host
let copies: UpstreamRequest[] = []
const gather = cluster.http((request) => {
  copies.push(request)
  return { status: 500, delay: request.path === '/slow' ? 300 : 0 }
})

beforeAll(async () => {
  const routes = [
    { ...at('/never'), ...to({ cluster: 'm1', percentage: 0 }) },
    { ...at('/both'), ...to({ cluster: 'm1' }, { cluster: 'm2' }) },
    { ...at('/some'), ...to({ cluster: 'm1', percentage: 50 }) },
    { ...at('/gone'), ...to({ cluster: 'nobody' }, { cluster: 'm1' }) },
    {
      ...at('/rw'),
      ...to({ cluster: 'm1' }),
      rewrite: { prefix: '/x' },
      headers: { request: { set: { 'x-a': '1' } } },
    },
    { ...at('/'), ...to({ cluster: 'm1' }), retries: { on: '5xx', attempts: 2 }, timeout: '5s' },
  ]
  const configuration = { version: 1, virtualHosts: [{ domains: ['*'], routes }] }
  const clusters = { v1: cluster.http(({ body }) => `v1 ${body.length}`), m1: gather, m2: gather }
  host = await createHost({
    wasm: filter,
    configuration,
    clusters,
    routes: [{ clusterHeader: 'x-meshscript-cluster' }],
  })
})
afterAll(() => host?.close())
beforeEach(() => {
  copies = []
})

/** Sends a request and waits for its copies. */
async function copiesOf(init: RequestInit, count = 1) {
  const { status, text } = await host.request(init)
  expect(status).toBe(200)
  await vi.waitFor(() => expect(copies.length).toBe(count), 10_000)
  return { text, copies: copies.map(({ cluster, method, path, body }) => [cluster, method, path, body.toString()]) }
}

test('a request without a body', async () => {
  const { text, copies } = await copiesOf({ path: '/a?b' })
  expect([text, copies]).toEqual(['v1 0', [['m1', 'GET', '/a?b', '']]])
})

test('the copy has host and headers of the request, but none that are for the proxy', async () => {
  await copiesOf({ authority: 'reviews:9080', headers: { 'x-b': ['1', '2'] } })
  const [{ authority, headers }] = copies as [UpstreamRequest]
  expect([authority, headers.getAll('x-b')]).toEqual(['reviews:9080', ['1', '2']])
  const own = headers.entries.map(([name]) => name).filter((name) => /^x-(meshscript|envoy-(ret|max|ups))/.test(name))
  expect(own).toEqual([])
})

test('a body comes along, in however many parts', async () => {
  const body = ['one ', 'two ', 'three']
  const { text, copies } = await copiesOf({ method: 'POST', path: '/body', body })
  expect([text, copies]).toEqual(['v1 13', [['m1', 'POST', '/body', 'one two three']]])
})

test('and without trailers, behind which it ends', async () => {
  const init: RequestInit = { method: 'POST', body: 'text', trailers: { 'x-t': '1' }, protocol: 'http2' }
  expect((await copiesOf(init)).copies).toEqual([['m1', 'POST', '/', 'text']])
})

test('a request whose body is too long is not copied', async () => {
  const { text } = await host.request({ method: 'POST', body: 'x'.repeat((1 << 20) + 1) })
  expect(text).toBe(`v1 ${(1 << 20) + 1}`)
  await copiesOf({ path: '/next' })
  expect(copies.map(({ path }) => path)).toEqual(['/next'])
})

test('as it was rewritten', async () => {
  expect((await copiesOf({ path: '/rw/y' })).copies).toEqual([['m1', 'GET', '/x/y', '']])
  expect(copies[0]?.headers.get('x-a')).toBe('1')
})

test('several mirrors', async () => {
  const { copies } = await copiesOf({ path: '/both' }, 2)
  expect(copies.map(([cluster]) => cluster).sort()).toEqual(['m1', 'm2'])
})

test('nobody waits for a mirror, or minds that there is none', async () => {
  await copiesOf({ path: '/slow' })
  copies = []
  await copiesOf({ path: '/gone' })
})

test('a share of the requests', async () => {
  await Promise.all(Array.from({ length: 200 }, () => host.request('/some')))
  await host.request('/never')
  // Five standard deviations.
  await vi.waitFor(() => expect(Math.abs(copies.length - 100)).toBeLessThan(36), 10_000)
  expect(copies.every(({ path }) => path === '/some')).toBe(true)
})
