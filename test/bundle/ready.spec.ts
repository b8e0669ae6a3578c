/** The ready filters as a bundle: what the chain of them does, read once. */

import { cluster, createHost, type Host, type HostOptions, type RequestInit } from '@meshscript/sdk/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import authorization from '../../filters/authorization/assembly/index.ts?filter'
import fault from '../../filters/fault/assembly/index.ts?filter'
import ratelimit from '../../filters/ratelimit/assembly/index.ts?filter'
import routing from '../../filters/routing/assembly/index.ts?filter'
import telemetry from '../../filters/telemetry/assembly/index.ts?filter'
import { build } from './build.ts'

const exact = (text: string) => ({ exact: text })
const prefix = (text: string) => ({ prefix: text })

/** A part for each filter, in the order of the chain. */
const PARTS: Record<string, object> = {
  authorization: {
    version: 1,
    providers: { checker: { http: { cluster: 'checker', headersToUpstreamOnAllow: [exact('x-checked')] } } },
    policies: [
      {
        name: 'asked',
        action: 'CUSTOM',
        provider: 'checker',
        rules: [{ to: [{ paths: [prefix('/asked')] }] }],
      },
      { name: 'no-secrets', action: 'DENY', rules: [{ to: [{ paths: [prefix('/secret')] }] }] },
      {
        name: 'users',
        action: 'ALLOW',
        rules: [{ when: [{ header: 'x-user', values: [exact('bob'), exact('jason')] }] }],
      },
    ],
  },
  ratelimit: {
    version: 1,
    headers: 'rfc',
    rules: [
      { name: 'two', match: [{ path: exact('/limited') }], limit: { requests: 2, per: '1h' } },
      {
        name: 'users',
        match: [{ headers: { 'x-checked': exact('yes') } }],
        descriptors: [{ header: 'x-user' }],
        limit: { requests: 100, per: '1h', algorithm: 'sliding-window' },
        scope: 'worker',
      },
    ],
  },
  fault: {
    version: 1,
    virtualHosts: [
      {
        name: 'all',
        domains: ['*'],
        routes: [
          { name: 'late', match: [{ path: exact('/late') }], fault: { delay: { percentage: 100, fixed: '50ms' } } },
          {
            name: 'late-503',
            match: [{ path: exact('/late-503') }],
            fault: { delay: { percentage: 100, fixed: '50ms' }, abort: { percentage: 100, httpStatus: 503 } },
          },
          { name: '418', match: [{ path: exact('/418') }], fault: { abort: { percentage: 100, httpStatus: 418 } } },
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
          { match: [{ path: exact('/moved') }], redirect: { status: 301, path: '/there' } },
          { match: [{ path: exact('/here') }], directResponse: { status: 200, body: 'from the filter' } },
          { match: [{ headers: { 'x-checked': exact('yes') } }], destinations: [{ cluster: 'checked' }] },
          {
            match: [{ headers: { 'x-user': exact('jason') } }],
            destinations: [{ cluster: 'v2', headers: { response: { set: { 'x-version': 'v2' } } } }],
            rewrite: { path: '/rewritten' },
          },
          { destinations: [{ cluster: 'v1' }], headers: { request: { set: { 'x-routed': 'yes' } } } },
        ],
      },
    ],
  },
  telemetry: {
    version: 1,
    reporter: 'destination',
    workload: { name: 'v1', namespace: 'shop' },
    metrics: { REQUEST_COUNT: { tags: { user: "request.headers['x-user']" } } },
    flows: { exporter: { cluster: 'flows' }, batch: { interval: '10ms' } },
  },
}
const MODULES: Record<string, string> = { authorization, ratelimit, fault, routing, telemetry }
const NAMES = Object.keys(PARTS)
/** Built before the tests, which have less time. */
const wasm = await build(...NAMES)

const service = (name: string) =>
  cluster.http(({ path, headers }) => ({ body: `${name} ${path} ${headers.get('x-routed') ?? '-'}` }))
const around = (): HostOptions => ({
  clusters: {
    v1: service('v1'),
    v2: service('v2'),
    checked: service('checked'),
    flows: cluster.http(() => 200),
    checker: cluster.http(({ headers }) =>
      headers.get('x-user') === 'mallory' ? { status: 403, body: 'no' } : { headers: { 'x-checked': 'yes' } },
    ),
  },
  routes: [{ clusterHeader: 'x-meshscript-cluster' }],
  filterState: ['authorization.policy', 'authorization.verdict', 'ratelimit.rule', 'ratelimit.verdict', 'fault.delay'],
})

let chain: Host
let bundle: Host
beforeAll(async () => {
  const filters = NAMES.map((name) => ({ wasm: MODULES[name]!, name, vmId: name, configuration: PARTS[name] }))
  chain = await createHost({ ...around(), filters })
  bundle = await createHost({
    ...around(),
    wasm,
    name: 'bundle',
    configuration: { version: 1, ...PARTS },
  })
})
afterAll(() => Promise.all([chain, bundle].map((host) => host?.close())))

const seen = async (host: Host, path: string, init: RequestInit) => {
  const { status, text, headers, details, filterState } = await host.request(path, init)
  const further = ['location', 'x-version', 'ratelimit-policy', 'ratelimit'].map((name) => headers.get(name))
  return { status, text, further, details: details.replace(/^.*via_wasm.*$/, ''), filterState }
}

const user = (name: string) => ({ headers: { 'x-user': name } })

test.each<[string, RequestInit]>([
  ['/', user('bob')],
  ['/', user('jason')],
  ['/', {}],
  ['/secret/a', user('bob')],
  ['/moved', user('bob')],
  ['/here?a=b', user('bob')],
  ['/late', user('bob')],
  ['/late', { ...user('jason'), method: 'POST', body: ['a', 'body'] }],
  ['/late', {}],
  ['/late-503', user('bob')],
  ['/418', user('bob')],
  ['/limited', {}],
  ['/limited', user('bob')],
  ['/limited', user('bob')],
  ['/limited', user('bob')],
  ['/limited', { ...user('jason'), method: 'POST', body: 'a body' }],
  ['/asked', user('bob')],
  ['/asked', user('mallory')],
  ['/asked', {}],
  ['/', { ...user('bob'), method: 'POST', body: 'a body' }],
])('%s %j', async (path, init) => {
  const expected = await seen(chain, path, init)
  expect(await seen(bundle, path, init)).toEqual(expected)
})

test('metrics are the same', async () => {
  // The last records are on their way.
  await Promise.all([bundle.advance('200ms'), chain.advance('200ms')])
  expect(await bundle.metrics()).toEqual(await chain.metrics())
  await expect(bundle).toHaveMetric('istio_requests_total', 1, { response_code: '418', user: 'bob' })
  await expect(bundle).toHaveMetric('telemetry_items_total', 20, { signal: 'flows', result: 'sent' })
})

test('headers are read once, and again where one was written', async () => {
  if (bundle.name !== 'node') return
  const { trace } = await bundle.request('/', user('bob'))
  const calls = trace!.filter(({ kind }) => kind === 'hostcall').map(({ name }) => name)
  expect(calls.filter((name) => name === 'get_header_map_pairs')).toHaveLength(1)
  expect(trace!.filter(({ name }) => name === 'on_request_headers')).toHaveLength(1)
})
