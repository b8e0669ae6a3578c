import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { createHost, type Host } from '@meshscript/sdk/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import filter from './assembly/index.ts?filter'

/** What `meshscript compile` makes of the policies. */
function configuration(): string {
  const meshscript = fileURLToPath(import.meta.resolve('meshscript/package.json')).replace(
    'package.json',
    'bin/meshscript.js',
  )
  const args = ['compile', 'policies.yaml', '--workload', 'shop/shop', '--filter', 'authorization']
  return execFileSync(process.execPath, [meshscript, ...args], { cwd: import.meta.dirname, encoding: 'utf8' })
}

let host: Host
beforeAll(async () => {
  host = await createHost({ wasm: filter, configuration: configuration(), tls: { trustDomain: 'cluster.local' } })
})
afterAll(() => host.close())

const ACME = 'spiffe://cluster.local/ns/acme/sa/orders'
const GATEWAY = 'spiffe://cluster.local/ns/gateway/sa/gateway'
const named = (tenant?: string): Record<string, string> => (tenant === undefined ? {} : { 'x-tenant': tenant })
const id = (policy: string, rule: number) => `ns[shop]-policy[${policy}]-rule[${rule}]`

test.each([
  ['a tenant', 'GET', '/tenants/acme/orders', ACME],
  ['a tenant, at the root', 'GET', '/tenants/acme?all=1', ACME],
  ['an account that a policy names', 'POST', '/tenants/acme/orders', ACME],
  ['the gateway, for a tenant', 'GET', '/tenants/acme/orders', GATEWAY, 'acme'],
  ['anybody, where no tenant is named', 'GET', '/prices', ACME],
])('%s may pass', async (_, method, path, peer, tenant?: string) => {
  expect(await host.request(path, { method, peer, headers: named(tenant) })).toBeAllowed()
})

test.each([
  ['another tenant', 'GET', '/tenants/globex/orders', ACME],
  ['another tenant, whatever it calls itself', 'GET', '/tenants/globex/orders', ACME, 'globex'],
  ['the gateway, for another tenant', 'GET', '/tenants/globex/orders', GATEWAY, 'acme'],
  ['the gateway, for nobody', 'GET', '/tenants/', GATEWAY, ''],
  ['another spelling of a tenant', 'GET', '/tenants/%61cme/orders', ACME],
])('%s is refused by the check', async (_, method, path, peer, tenant?: string) => {
  const response = await host.request(path, { method, peer, headers: named(tenant) })
  expect(response).toBeDenied(403)
  expect(response.details).toBe('tenants_tenant')
})

test.each([
  ['a method that no policy allows', 'DELETE', '/tenants/acme/orders', ACME, 'none'],
  ['an account that no policy names', 'POST', '/tenants/acme/orders', GATEWAY, 'none'],
  ['what a policy denies', 'GET', '/tenants/acme/drafts/1', ACME, id('no-drafts', 0)],
])('%s is refused by the policies', async (_, method, path, peer, decision) => {
  const response = await host.request(path, { method, peer, headers: named('acme') })
  expect(response).toBeDenied(403)
  expect(response.details).toBe(`tenants_${decision}`)
})
