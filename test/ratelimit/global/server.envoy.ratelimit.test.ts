/** Two Envoys, and the field's own service with Redis, which counts for both. */
import { createEnvoyHost } from '@meshscript/sdk/testing/envoy/index'
import type { Host } from '@meshscript/sdk/testing'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import wasm from '../../../filters/ratelimit/assembly/index.ts?filter'
import { RateLimitServer } from './server.ts'

/** Windows are of an hour or a day; a test that would see one end waits for the next. */
const LIMITS = `
domain: shop
descriptors:
  - key: tenant
    rate_limit: { unit: day, requests_per_unit: 6 }
  - key: tenant
    value: gold
    rate_limit: { unit: day, requests_per_unit: 40 }
  - key: free
    rate_limit: { unlimited: true }
  - key: path
    descriptors:
      - key: method
        value: POST
        rate_limit: { unit: hour, requests_per_unit: 3 }
`

/** Some milliseconds are what the first call of a connection takes on a busy machine. */
const GLOBAL = { cluster: 'limits', domain: 'shop', authority: 'limits.test', timeout: '2s' }
const TENANTS = { name: 'tenants', scope: 'global', descriptors: [{ header: 'x-tenant', as: 'tenant' }] }

let server: RateLimitServer
let hosts: Host[] = []

// The service is built where no other suite did.
beforeAll(async () => {
  server = await RateLimitServer.start(LIMITS)
}, 300_000)
afterAll(() => server?.close())
const [HOUR, MINUTE] = [3_600_000, 60_000]
beforeEach(async () => {
  const left = HOUR - (Date.now() % HOUR)
  if (left < MINUTE) await sleep(left)
}, 2 * MINUTE)
afterEach(async () => {
  await Promise.all(hosts.map((host) => host.close()))
  hosts = []
})

async function envoy(rules: object[], global: object = {}, more: object = {}) {
  const host = await createEnvoyHost({
    wasm,
    configuration: { version: 1, headers: 'draft-03', global: { ...GLOBAL, ...global }, rules, ...more },
    bootstrap: { static_resources: { clusters: [server.cluster('limits')] } },
  })
  hosts.push(host)
  return host
}

const asked = (host: Host, tenant: string) => host.request({ headers: { 'x-tenant': tenant } })
const count = (statuses: number[], status: number) => statuses.filter((each) => each === status).length

test('two proxies share a limit, and an exhausted one costs no calls', async () => {
  const proxies = [await envoy([TENANTS]), await envoy([TENANTS])]
  const responses = await Promise.all(Array.from({ length: 20 }, (_, i) => asked(proxies[i % 2]!, 'acme')))
  const statuses = responses.map(({ status }) => status)
  expect([count(statuses, 200), count(statuses, 429)]).toEqual([6, 14])
  const refusal = responses.find(({ status }) => status === 429)!
  expect(refusal.details).toBe('request_rate_limited[tenants]')
  expect(refusal.headers.get('x-ratelimit-limit')).toBe('6, 6;w=86400;name="tenants"')
  expect(refusal.headers.get('x-ratelimit-remaining')).toBe('0')
  expect(Number(refusal.headers.get('x-ratelimit-reset'))).toBeGreaterThan(0)
  for (const proxy of proxies) await asked(proxy, 'acme')
  const before = await server.hits('shop.tenant')
  for (let i = 0; i < 30; i++) expect((await asked(proxies[i % 2]!, 'acme')).status).toBe(429)
  expect(await server.hits('shop.tenant')).toBe(before)
  // Others have a counter of their own.
  expect((await asked(proxies[0]!, 'other')).status).toBe(200)
})

test('descriptors have the service’s limits, costs and limits of the rule', async () => {
  const at = (prefix: string) => [{ path: { prefix } }]
  const host = await envoy([
    { ...TENANTS, match: at('/dear'), cost: 15 },
    { match: at('/orders'), scope: 'global', descriptors: [{ path: ['/orders/{*}'] }, { method: true }] },
    { match: at('/own'), scope: 'global', descriptors: [{ constant: 'own' }], limit: { requests: 2, per: '24h' } },
    { match: at('/free'), scope: 'global', descriptors: [{ constant: 'x', as: 'free' }] },
  ])
  const passing = async (method: string, path: string) => {
    const seen: number[] = []
    for (let i = 0; i < 5; i++)
      seen.push((await host.request({ method, path, headers: { 'x-tenant': 'gold' } })).status)
    return count(seen, 200)
  }
  expect(await passing('GET', '/dear')).toBe(2)
  expect([await passing('POST', '/orders/1'), await passing('GET', '/orders/1')]).toEqual([3, 5])
  expect([await passing('GET', '/own'), await passing('GET', '/free')]).toEqual([2, 5])
})

test('a missing value is no way past the limit', async () => {
  const host = await envoy([TENANTS])
  const statuses: number[] = []
  for (let i = 0; i < 8; i++) statuses.push((await host.request('/')).status)
  expect(count(statuses, 200)).toBe(6)
})

test('what a client sends that is no text is counted', async () => {
  const host = await envoy([TENANTS])
  const statuses: number[] = []
  for (let i = 0; i < 8; i++) statuses.push((await asked(host, '\xff\xfe')).status)
  expect([count(statuses, 200), count(statuses, 429)]).toEqual([6, 2])
})

test('while the service is gone requests fare as configured, and after that as before', async () => {
  const closed = await envoy([TENANTS], { statusOnError: 503 })
  const open = await envoy([TENANTS], { failureMode: 'open' })
  const both = async () => [(await asked(closed, 'stay')).status, (await asked(open, 'stay')).status]
  expect(await both()).toEqual([200, 200])
  await server.stopService()
  for (let i = 0; i < 5; i++) expect(await both()).toEqual([503, 200])
  await server.startService()
  await expect.poll(async () => (await asked(closed, 'again')).status, { timeout: 20_000 }).toBe(200)
  // Redis has kept the count: two of six are gone.
  const statuses: number[] = []
  for (let i = 0; i < 8; i++) statuses.push((await asked(closed, 'stay')).status)
  expect([count(statuses, 200), count(statuses, 429)]).toEqual([4, 4])
}, 60_000)
