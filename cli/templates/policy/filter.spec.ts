import { createHost, type Host } from '@meshscript/sdk/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import wasm from './assembly/index.ts?filter'
import configuration from './config.json' with { type: 'json' }

let host: Host
beforeAll(async () => {
  host = await createHost({ wasm, configuration, tls: { trustDomain: 'cluster.local' } })
})
afterAll(() => host?.close())

const ORDERS = 'spiffe://cluster.local/ns/acme/sa/orders'
const WEB = 'spiffe://cluster.local/ns/acme/sa/web'

test.each([
  ['GET', '/tenants/acme/orders', WEB],
  ['GET', '/prices', WEB],
  ['POST', '/tenants/acme/orders', ORDERS],
])('%s %s of %s may pass', async (method, path, peer) => {
  expect(await host.request(path, { method, peer })).toBeAllowed()
})

test.each([
  ['an account that no policy names', 'POST', '/tenants/acme/orders', WEB],
  ['a path that no policy names', 'GET', '/admin', ORDERS],
])('the policies refuse %s', async (_, method, path, peer) => {
  const response = await host.request(path, { method, peer })
  expect(response).toBeDenied(403)
  expect(response.details).toBe('none')
})

test('the check refuses what is another tenant’s', async () => {
  const response = await host.request('/tenants/globex/orders', { peer: WEB })
  expect(response).toBeDenied(403)
  expect(response.details).toBe('tenant')
})
