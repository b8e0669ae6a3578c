/** Which route a request takes after the filter changed it: abi.md 3.2. */
import { describe, expect, test } from 'vitest'
import { sharedProbe } from './probe/probe.ts'
import { REQUEST, REQUEST_HEADERS } from './probe/script.ts'
import { cluster } from '@meshscript/sdk/testing'

const probe = sharedProbe({
  routes: [
    { name: 'beta', headers: { 'x-version': 'beta' }, cluster: 'beta' },
    { name: 'shop', authority: 'shop.test', cluster: 'shop' },
    { name: 'admin', prefix: '/admin', cluster: 'admin' },
    { name: 'chosen', prefix: '/chosen', clusterHeader: 'x-cluster' },
    { name: 'rest', cluster: 'upstream' },
  ],
  clusters: Object.fromEntries(['beta', 'shop', 'admin'].map((name) => [name, cluster.http(() => name)])),
})

const route = ['property', 'xds\0route_name'] as const

describe('a change of headers', () => {
  test('of the path re-routes', async () => {
    const response = await probe().request({
      request_headers: [route, ['replace', REQUEST_HEADERS, ':path', '/admin/x'], route],
    })
    await probe().expectLog([
      'request_headers 6 1',
      'property xds.route_name -> 0 "rest"',
      'replace 0 :path /admin/x -> 0',
      'property xds.route_name -> 0 "rest"',
    ])
    expect(response.text).toBe('admin')
  })

  test('of the authority re-routes', async () => {
    const response = await probe().request({
      request_headers: [['replace', REQUEST_HEADERS, ':authority', 'shop.test'], route],
    })
    await probe().expectLog([
      'request_headers 6 1',
      'replace 0 :authority shop.test -> 0',
      'property xds.route_name -> 0 "rest"',
    ])
    expect(response.text).toBe('shop')
  })

  test('that a route matches re-routes: added, and removed', async () => {
    const added = await probe().request({ request_headers: [['add', REQUEST_HEADERS, 'x-version', 'beta']] })
    expect(added.text).toBe('beta')
    const headers = { 'x-version': 'beta' }
    const removed = await probe().request({ request_headers: [['remove', REQUEST_HEADERS, 'x-version']] }, { headers })
    expect(removed.text).toBe('ok')
  })

  test('that names the cluster', async () => {
    const chosen = await probe().request(
      { request_headers: [['add', REQUEST_HEADERS, 'x-cluster', 'beta']] },
      { path: '/chosen' },
    )
    expect(chosen.text).toBe('beta')
    const unknown = await probe().request(
      { request_headers: [['add', REQUEST_HEADERS, 'x-cluster', 'nowhere']] },
      { path: '/chosen' },
    )
    expect(unknown).toMatchObject({ status: 503, details: 'cluster_not_found' })
    const none = await probe().request({}, { path: '/chosen' })
    expect(none).toMatchObject({ status: 503, details: 'cluster_not_found' })
  })

  test('in the callback of a held request re-routes too', async () => {
    const response = await probe().request({
      request_headers: [
        ['tick', 20],
        ['return', 1],
      ],
      tick: [
        ['effective', '$stream'],
        ['replace', REQUEST_HEADERS, ':path', '/admin/x'],
        ['continue', REQUEST],
        ['tick', 0],
      ],
    })
    expect(response.text).toBe('admin')
  })
})

test('clear_route_cache is a foreign function without arguments', async () => {
  await probe().request({ request_headers: [['foreign', 'clear_route_cache', '']] })
  await probe().expectLog(['request_headers 6 1', 'foreign clear_route_cache  -> 0 null 0'])
})
