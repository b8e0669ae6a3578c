/** What passes and what is refused, and how: the same on both hosts. Limits are so long that no token comes while a test runs. */
import { cluster, createHost, type Host, type HostOptions, type RequestInit } from '@meshscript/sdk/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import filter from './assembly/index.ts?filter'
import telling from '../ratelimit-headers/assembly/index.ts?filter'

const CLIENT = 'spiffe://cluster.local/ns/shop/sa/client'
const hour = (requests: number, more: object = {}) => ({ requests, per: '1h', ...more })
/** A metric with labels, as the host has it. */
const series = (verdict: string, rule: string) => `ratelimit_requests_total.verdict=.=${verdict};.;.rule=.=${rule};.;`
const at = (path: string) => [{ path: { prefix: path } }]

function withRules(rules: object[], more: object = {}, options: HostOptions = {}) {
  let host: Host
  beforeAll(async () => {
    host = await createHost({
      wasm: filter,
      configuration: { version: 1, rules, ...more },
      filterState: ['ratelimit.rule', 'ratelimit.verdict'],
      ...options,
    })
  })
  afterAll(() => host?.close())
  const ask = (path: string, init: RequestInit = {}) => host.request(path, init)
  /** The statuses of so many requests, one after the other. */
  const statuses = async (count: number, path: string, init: RequestInit = {}) => {
    const seen: number[] = []
    for (let n = 0; n < count; n++) seen.push((await ask(path, init)).status)
    return seen
  }
  return { ask, statuses, host: () => host }
}

const passing = (statuses: number[]) => statuses.filter((status) => status === 200).length

describe.each(['worker', 'proxy'])('per %s', (scope) => {
  describe.each(['token-bucket', 'sliding-window'])('a %s', (algorithm) => {
    const limit = (requests: number) => hour(requests, { algorithm })
    const { ask, statuses } = withRules([
      { name: 'three', match: at('/three'), scope, limit: limit(3) },
      { name: 'dear', match: at('/dear'), scope, limit: limit(10), cost: 4 },
      {
        name: 'users',
        match: at('/users'),
        scope,
        descriptors: [{ header: 'x-user' }, { method: true }],
        limit: limit(2),
      },
    ])

    test('lets so many pass', async () => {
      expect(await statuses(5, '/three')).toEqual([200, 200, 200, 429, 429])
    })

    test('takes what a request costs', async () => {
      expect(await statuses(4, '/dear')).toEqual([200, 200, 429, 429])
    })

    test('has a counter for each set of values', async () => {
      for (const user of ['a', 'b', 'ab', '']) {
        const headers = { 'x-user': user }
        expect(await statuses(3, '/users', { headers })).toEqual([200, 200, 429])
        expect(await statuses(3, '/users', { method: 'POST', headers })).toEqual([200, 200, 429])
      }
    })

    test('has one for all without the value', async () => {
      expect(await statuses(3, '/users')).toEqual([200, 200, 429])
    })

    test('takes a second line of a header for another value, not for the first', async () => {
      const headers: [string, string][] = [
        ['x-user', 'a'],
        ['x-user', 'c'],
      ]
      expect(await statuses(3, '/users', { headers })).toEqual([200, 200, 429])
      expect((await ask('/users', { headers: { 'x-user': 'a' } })).status).toBe(429)
    })

    test('does not look at other requests', async () => {
      expect(await statuses(20, '/other')).toEqual(Array(20).fill(200))
    })
  })
})

describe('a bucket', () => {
  const { statuses } = withRules([
    { match: at('/burst'), limit: hour(2, { burst: 5 }) },
    { match: at('/less'), limit: hour(5, { burst: 2 }) },
  ])

  test('lets its burst pass at once', async () => {
    expect(passing(await statuses(8, '/burst'))).toBe(5)
    expect(passing(await statuses(8, '/less'))).toBe(2)
  })
})

describe('several rules', () => {
  const { ask, statuses, host } = withRules([
    { name: 'narrow', match: at('/a/b'), limit: hour(2) },
    { name: 'wide', match: at('/a'), limit: hour(5) },
    { name: 'all', limit: hour(100) },
  ])

  test('all count, and a request that is refused costs nothing elsewhere', async () => {
    expect(await statuses(4, '/a/b')).toEqual([200, 200, 429, 429])
    // Of the five of `wide` two are gone.
    expect(await statuses(4, '/a/c')).toEqual([200, 200, 200, 429])
    expect((await ask('/a/b')).filterState['ratelimit.rule']).toBe('narrow')
    expect((await ask('/a/c')).filterState['ratelimit.rule']).toBe('wide')
    // The other way about: `narrow` comes first, and gets back what it had given.
    expect(passing(await statuses(200, '/d'))).toBe(95)
    await expect(host()).toHaveMetric(series('limited', 'all'), 105)
  })
})

describe('of a group', () => {
  const gold = [{ headers: { 'x-plan': { exact: 'gold' } } }]
  const { statuses, ask } = withRules([
    { name: 'all', limit: hour(100) },
    { name: 'gold', group: 'clients', match: gold, limit: hour(4) },
    { name: 'posts', group: 'clients', match: [{ method: { exact: 'POST' } }], limit: hour(1) },
    { name: 'others', group: 'clients', limit: hour(2) },
  ])

  test('only the first rule that matches counts', async () => {
    expect(passing(await statuses(6, '/', { headers: { 'x-plan': 'gold' } }))).toBe(4)
    expect(passing(await statuses(6, '/', { method: 'POST', headers: { 'x-plan': 'gold' } }))).toBe(0)
    expect(passing(await statuses(3, '/', { method: 'POST' }))).toBe(1)
    expect(passing(await statuses(6, '/'))).toBe(2)
    expect((await ask('/')).filterState['ratelimit.rule']).toBe('others')
  })
})

describe('what a rule gives back', () => {
  const { statuses } = withRules([
    { name: 'first', match: at('/x'), limit: hour(3) },
    { name: 'second', match: [{ path: { exact: '/x/full' } }], limit: hour(1) },
  ])

  test('is there for the next request', async () => {
    expect(await statuses(4, '/x/full')).toEqual([200, 429, 429, 429])
    expect(await statuses(3, '/x')).toEqual([200, 200, 429])
  })
})

describe('by who asks', () => {
  const { statuses } = withRules(
    [{ descriptors: [{ principal: true }], limit: hour(1) }],
    {},
    { tls: { permissive: true } },
  )

  test('the identity of the certificate', async () => {
    expect(await statuses(2, '/', { peer: CLIENT })).toEqual([200, 429])
    expect(await statuses(2, '/', { peer: `${CLIENT}-2` })).toEqual([200, 429])
    expect(await statuses(2, '/')).toEqual([200, 429])
  })
})

describe('by address', () => {
  const { statuses } = withRules([{ descriptors: [{ remoteAddress: true }], limit: hour(1) }])

  test('the one that Envoy takes it for', async () => {
    for (const address of ['10.0.0.1', '10.0.0.2', '2001:db8::1'])
      expect(await statuses(2, '/', { headers: { 'x-forwarded-for': address } })).toEqual([200, 429])
  })
})

describe('by path', () => {
  const path = ['/users/{*}', '/users/{*}/orders/{**}', '/static/{**}']
  const { statuses } = withRules([{ descriptors: [{ path }], limit: hour(1) }])

  test('one counter for each template, and one for all others', async () => {
    expect(await statuses(2, '/users/1')).toEqual([200, 429])
    expect(await statuses(1, '/users/2?x=/static/a')).toEqual([429])
    expect(await statuses(2, '/users/2/orders/a/b')).toEqual([200, 429])
    expect(await statuses(2, '/else')).toEqual([200, 429])
    expect(await statuses(1, '/users')).toEqual([429])
  })
})

describe('by claim and constant', () => {
  const rules = [
    { match: at('/claim'), descriptors: [{ claim: ['realm', 'tier'] }], limit: hour(1) },
    { match: at('/constant'), descriptors: [{ constant: 'x' }], limit: hour(2) },
  ]
  const metadata = { 'envoy.filters.http.jwt_authn': { payload: { realm: { tier: 'gold' } } } }
  const { statuses } = withRules(rules, {}, { metadata })

  test('as configured', async () => {
    expect(await statuses(2, '/claim')).toEqual([200, 429])
    expect(await statuses(3, '/constant')).toEqual([200, 200, 429])
  })
})

describe('a refusal', () => {
  const none = [{ name: 'r', descriptors: [{ header: 'x-user' }], limit: hour(1) }]
  const user = (name: string) => ({ headers: { 'x-user': name } })

  describe('without more', () => {
    const upstream = cluster.http(() => 'ok', { protocol: 'http2' })
    const { ask, host } = withRules(none, {}, { upstream })

    test('is told as Envoy tells it', async () => {
      await ask('/', user('a'))
      const { status, text, headers, details, filterState, upstream } = await ask('/?secret', user('a'))
      expect([status, text, details]).toEqual([429, 'local_rate_limited', 'local_rate_limited[r]'])
      expect(upstream).toBeUndefined()
      expect(filterState).toEqual({ 'ratelimit.rule': 'r', 'ratelimit.verdict': 'limited' })
      expect(headers.entries.filter(([name]) => /ratelimit|retry/.test(name))).toEqual([])
      expect(host().logs.at(-1)?.message).toBe('limited rule=r method=GET path=/')
    })

    test('of gRPC is RESOURCE_EXHAUSTED', async () => {
      const init = {
        method: 'POST',
        headers: { 'content-type': 'application/grpc', te: 'trailers', 'x-user': 'grpc' },
      }
      await ask('/a.B/C', init)
      const { status, headers } = await ask('/a.B/C', init)
      expect([status, headers.get('grpc-status'), headers.get('grpc-message')]).toEqual([
        200,
        '8',
        'local_rate_limited',
      ])
    })
  })

  describe('with status and body', () => {
    const { ask } = withRules(none, { status: 503, body: 'später' })

    test('has these', async () => {
      await ask('/')
      const { status, text } = await ask('/')
      expect([status, text]).toEqual([503, 'später'])
    })
  })

  describe('in audit mode', () => {
    const { ask, host } = withRules(
      [
        { name: 'r', limit: hour(1) },
        { name: 's', limit: hour(2) },
      ],
      { mode: 'audit' },
    )

    test('is counted and logged only', async () => {
      for (let n = 0; n < 4; n++) expect((await ask('/')).status).toBe(200)
      const { filterState } = await ask('/')
      expect(filterState).toEqual({ 'ratelimit.rule': 's', 'ratelimit.verdict': 'audited' })
      await expect(host()).toHaveMetric(series('audited', 'r'), 4)
      await expect(host()).toHaveMetric(series('audited', 's'), 3)
    })
  })
})

describe('headers', () => {
  const limits = [
    { name: 'wide', limit: hour(100) },
    { name: 'ten', match: at('/ten'), limit: { requests: 10, per: '1h', burst: 2 } },
  ]
  const shown = ['x-ratelimit-limit', 'x-ratelimit-remaining']

  describe('of draft 03', () => {
    const { ask } = withRules(limits, { headers: 'draft-03' }, { wasm: telling })
    const read = async (path: string) => {
      const { headers } = await ask(path)
      return shown.map((name) => headers.get(name))
    }

    test('tell of the rule that leaves least', async () => {
      expect(await read('/ten')).toEqual(['10, 10;w=3600;name="ten"', '1'])
      expect(await read('/')).toEqual(['100, 100;w=3600;name="wide"', '98'])
      expect(await read('/ten')).toEqual(['10, 10;w=3600;name="ten"', '0'])
      const { status, headers } = await ask('/ten')
      expect([status, headers.get('x-ratelimit-remaining')]).toEqual([429, '0'])
      // The next token is there in six minutes.
      const reset = Number(headers.get('x-ratelimit-reset'))
      expect(reset).toBeGreaterThan(340)
      expect(reset).toBeLessThanOrEqual(360)
    })
  })

  describe('of the plain module', () => {
    const { ask, host } = withRules(limits, { headers: 'draft-03' })
    const read = async () => {
      const { status, headers } = await ask('/ten')
      return [status, ...shown.map((name) => headers.get(name))]
    }

    test('are in refusals only', async () => {
      expect([await read(), await read(), await read()]).toEqual([
        [200, undefined, undefined],
        [200, undefined, undefined],
        [429, '10, 10;w=3600;name="ten"', '0'],
      ])
      expect(host().logs[0]?.message).toContain('ratelimit-headers.wasm')
    })
  })

  describe('of the newer draft', () => {
    const { ask } = withRules(limits, { headers: 'rfc' }, { wasm: telling })

    test('have a policy, and what is left of it', async () => {
      await ask('/ten')
      const { headers } = await ask('/ten')
      expect(headers.get('ratelimit-policy')).toBe('"ten";q=10;w=3600')
      expect(headers.get('ratelimit')).toMatch(/^"ten";r=0;t=\d+$/)
      expect(headers.get('retry-after')).toBeUndefined()
      const refused = await ask('/ten')
      expect(refused.status).toBe(429)
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(340)
    })
  })
})

test('a new configuration with the same limit goes on counting, one with another begins anew', async () => {
  const configuration = (requests: number) => ({ version: 1, rules: [{ name: 'r', limit: hour(requests) }] })
  const host = await createHost({ wasm: filter, configuration: configuration(2) })
  try {
    const statuses = async () => [(await host.request('/')).status, (await host.request('/')).status]
    expect(await statuses()).toEqual([200, 200])
    await host.reconfigure({ ...configuration(2), status: 430 })
    expect(await statuses()).toEqual([430, 430])
    await host.reconfigure(configuration(1))
    expect(await statuses()).toEqual([200, 429])
  } finally {
    await host.close()
  }
})
