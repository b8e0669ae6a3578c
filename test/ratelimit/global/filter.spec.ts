/** Rules that the global service counts, beside local ones. The service is scripted; `server.envoy.ratelimit.test.ts` has the field's own. */
import { cluster, createHost, type Host, type HostOptions, HostStartError } from '@meshscript/sdk/testing'
import { afterEach, describe, expect, test } from 'vitest'
import wasm from '../../../filters/ratelimit/assembly/index.ts?filter'
import telling from '../../../filters/ratelimit-headers/assembly/index.ts?filter'
import { type Answer, type Asked, encodeAnswer, readAsked } from './messages.ts'

const METHOD = 'envoy.service.ratelimit.v3.RateLimitService/ShouldRateLimit'
const GLOBAL = { cluster: 'limits', domain: 'shop', authority: 'limits.test', timeout: '1s' }
const tenants = (more: object = {}) => ({
  name: 'tenants',
  scope: 'global',
  descriptors: [{ header: 'x-tenant', as: 'tenant' }, { method: true }],
  ...more,
})
const OVER: Answer = { code: 2, statuses: [{ code: 2, limit: { requests: 5, unit: 2 }, reset: 30_000 }] }
const series = (verdict: string, rule: string) => `ratelimit_requests_total.verdict=.=${verdict};.;.rule=.=${rule};.;`

let host: Host
let asked: Asked[]
afterEach(() => host?.close())

async function start(answer: Answer | 'error', rules: object[], more: object = {}, options: HostOptions = {}) {
  asked = []
  const service = cluster.grpc({
    [METHOD]: ([message]) => {
      asked.push(readAsked(message!))
      return answer === 'error' ? { messages: [], status: 13 } : { messages: [encodeAnswer(answer)] }
    },
  })
  host = await createHost({
    wasm,
    configuration: { version: 1, global: GLOBAL, rules, ...more },
    clusters: { limits: service },
    filterState: ['ratelimit.rule', 'ratelimit.verdict'],
    ...options,
  })
}

const ask = (tenant?: string) => host.request({ headers: tenant === undefined ? {} : { 'x-tenant': tenant } })

describe('the question', () => {
  test('has a descriptor for each global rule that the request matches, once local ones let it pass', async () => {
    const rules = [
      tenants(),
      { name: 'local', limit: { requests: 2, per: '1h' } },
      { ...tenants(), match: [{ path: { prefix: '/other' } }] },
      { scope: 'global', descriptors: [{ constant: 'all' }], limit: { requests: 9, per: '60s' }, cost: 3 },
    ]
    await start({ code: 1 }, rules)
    const statuses = [await ask('acme'), await ask(), await ask('acme')].map(({ status }) => status)
    expect(statuses).toEqual([200, 200, 429])
    const all = { entries: { generic_key: 'all' }, limit: { requests: 9, unit: 2 }, cost: 3 }
    expect(asked.map(({ descriptors }) => descriptors)).toEqual([
      [{ entries: { tenant: 'acme', method: 'GET' } }, all],
      [{ entries: { tenant: '', method: 'GET' } }, all],
    ])
  })
})

describe('a refusal', () => {
  test('is told as Envoy tells it', async () => {
    await start(OVER, [tenants()], { headers: 'draft-03' })
    const { status, text, details, headers, filterState, upstream } = await ask('acme')
    expect({ status, text, details, upstream }).toEqual({
      status: 429,
      text: '',
      details: 'request_rate_limited[tenants]',
      upstream: undefined,
    })
    expect(headers.get('x-ratelimit-limit')).toBe('5, 5;w=60;name="tenants"')
    expect(headers.get('x-ratelimit-remaining')).toBe('0')
    expect(headers.get('x-ratelimit-reset')).toBe('30')
    expect(filterState).toEqual({ 'ratelimit.rule': 'tenants', 'ratelimit.verdict': 'limited' })
    await expect(host).toHaveMetric(series('limited', 'tenants'), 1)
  })

  test('has the service’s headers and body, else the configured ones', async () => {
    await start({ ...OVER, responseHeaders: { 'x-why': 'plan' }, body: 'upgrade' }, [tenants()], {
      status: 503,
      body: 'b',
    })
    const { status, text, headers } = await ask('acme')
    expect([status, text, headers.get('x-why')]).toEqual([503, 'upgrade', 'plan'])
    expect((await ask('acme')).text).toBe('b')
  })

  test('of no rule that is named', async () => {
    await start({ code: 2 }, [tenants()], { headers: 'rfc' })
    const { status, details, headers } = await ask('acme')
    expect([status, details, headers.has('ratelimit')]).toEqual([429, 'request_rate_limited[global]', false])
    await expect(host).toHaveMetric(series('limited', 'global'), 1)
  })

  test('costs nothing of local counters, whether it is remembered or not', async () => {
    const local = { name: 'local', limit: { requests: 1, per: '1h' } }
    await start(OVER, [local, { ...tenants(), match: [{ headers: { 'x-tenant': { exact: 'acme' } } }] }])
    for (let i = 0; i < 4; i++) expect((await ask('acme')).details).toBe('request_rate_limited[tenants]')
    expect(asked).toHaveLength(1)
    expect((await ask()).status).toBe(200)
    expect((await ask()).status).toBe(429)
  })

  test('only is counted in audit mode', async () => {
    await start(OVER, [tenants()], { mode: 'audit' })
    const { status, filterState } = await ask('acme')
    expect([status, filterState['ratelimit.verdict']]).toEqual([200, 'audited'])
    await expect(host).toHaveMetric(series('audited', 'tenants'), 1)
  })

  test('of gRPC is RESOURCE_EXHAUSTED', async () => {
    await start(OVER, [tenants()])
    const headers = { 'content-type': 'application/grpc', te: 'trailers', 'x-tenant': 'acme' }
    expect((await host.request({ method: 'POST', path: '/a.B/C', headers })).headers.get('grpc-status')).toBe('8')
  })
})

test('all responses tell the quota that is the least, and have the service’s headers, by ratelimit-headers.wasm', async () => {
  const answer = {
    code: 1,
    statuses: [{ code: 1, limit: { requests: 5, unit: 2 }, remaining: 3, reset: 1500 }],
    responseHeaders: { 'x-plan': 'gold' },
  }
  const local = { name: 'local', limit: { requests: 2, per: '1h' } }
  await start(answer, [local, tenants()], { headers: 'draft-03' }, { wasm: telling })
  const told = async () => {
    const { headers } = await ask('acme')
    return ['limit', 'remaining', 'reset']
      .map((name) => headers.get(`x-ratelimit-${name}`))
      .concat(headers.get('x-plan'))
  }
  expect((await told())[0]).toBe('2, 2;w=3600;name="local"')
  await host.close()
  await start(
    answer,
    [{ ...local, limit: { requests: 50, per: '1h' } }, tenants()],
    { headers: 'draft-03' },
    { wasm: telling },
  )
  expect(await told()).toEqual(['5, 5;w=60;name="tenants"', '3', '2', 'gold'])
})

describe('without an answer', () => {
  test('the request is refused, and gets back what it has taken', async () => {
    const local = { name: 'local', limit: { requests: 1, per: '1h' } }
    const rule = { ...tenants(), match: [{ headers: { 'x-tenant': { present: true } } }] }
    await start('error', [local, rule], { global: { ...GLOBAL, statusOnError: 503 } })
    for (let i = 0; i < 3; i++) {
      const { status, details, filterState } = await ask('acme')
      expect([status, details, filterState['ratelimit.verdict']]).toEqual([503, 'rate_limiter_error', 'failed'])
    }
    expect((await ask()).status).toBe(200)
    await expect(host).toHaveMetric(series('failed', 'global'), 3)
  })

  test.each([
    ['where it is to', { global: { ...GLOBAL, failureMode: 'open' } }],
    ['in audit mode', { mode: 'audit' }],
  ])('the request passes %s', async (_, more) => {
    await start('error', [tenants()], more)
    expect((await ask('acme')).status).toBe(200)
    await expect(host).toHaveMetric(series('failed', 'global'), 1)
  })
})

describe('a configuration is refused', () => {
  test.each<[string, object, string]>([
    ['without a service', { global: undefined, rules: [tenants()] }, 'a service at "global"'],
    ['without descriptors', { rules: [{ scope: 'global' }] }, 'tells requests apart by'],
    ['with an odd limit', { rules: [tenants({ limit: { requests: 1, per: '3s' } })] }, 'rules[0].limit.per'],
  ])('%s', async (_, more, message) => {
    const error: unknown = await start({ code: 1 }, [], more).catch((error: unknown) => error)
    expect(error).toBeInstanceOf(HostStartError)
    expect((error as HostStartError).logs.map(({ message }) => message).join('\n')).toContain(message)
  })
})
