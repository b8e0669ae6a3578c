/** Routes and sticky splits by who asks: the claims of a token, the certificate of the peer. */
import { createHost, type Host, type RequestInit } from '@meshscript/sdk/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import filter from './assembly/index.ts?filter'

const CLIENT = 'spiffe://cluster.local/ns/shop/sa/client'
const payload = { sub: 'eve', groups: ['beta', 'staff'], realm: { tier: 'gold' } }

const to = (cluster: string) => ({ destinations: [{ cluster }] })
const only = (name: string, match: object) => ({ ...match, headers: { 'x-case': { exact: name } } })

let host: Host
const clusterOf = async (init: RequestInit) =>
  (await host.request(init)).upstream?.headers.get('x-meshscript-cluster') ?? null

function hostOf(routes: object[], init: object) {
  beforeAll(async () => {
    const virtualHosts = [{ domains: ['*'], routes: [...routes, to('other')] }]
    host = await createHost({ wasm: filter, configuration: { version: 1, virtualHosts }, ...init })
  })
  afterAll(() => host?.close())
}

describe('with a token', () => {
  const claim = (path: string[], value: object) => ({ claims: [{ claim: path, value }] })
  const cases: [name: string, match: object, matches: boolean][] = [
    ['text', claim(['sub'], { exact: 'eve' }), true],
    ['other-text', claim(['sub'], { exact: 'ev' }), false],
    ['list', claim(['groups'], { prefix: 'st' }), true],
    ['other-list', claim(['groups'], { exact: 'alpha' }), false],
    ['nested', claim(['realm', 'tier'], { regex: 'g[a-z]+' }), true],
    ['missing', claim(['none'], { present: true }), false],
    ['two', { claims: [...claim(['sub'], { exact: 'eve' }).claims, ...claim(['groups'], { exact: 'beta' }).claims] }, true],
    ['one-of-two', { claims: [...claim(['sub'], { exact: 'eve' }).claims, ...claim(['groups'], { exact: 'x' }).claims] }, false],
  ] // prettier-ignore
  hostOf(
    cases.map(([name, match]) => ({ match: [only(name, match)], ...to(name) })),
    { metadata: { 'envoy.filters.http.jwt_authn': { payload } } },
  )

  test.each(cases)('%s', async (name, _, matches) => {
    expect(await clusterOf({ headers: { 'x-case': name } })).toBe(matches ? name : 'other')
  })
})

describe('without a token', () => {
  hostOf([{ match: [{ claims: [{ claim: ['sub'], value: { exact: 'eve' } }] }], ...to('eve') }], {})

  test('no claim matches', async () => {
    expect(await clusterOf({})).toBe('other')
  })
})

describe('with certificates', () => {
  const split = { destinations: ['a', 'b', 'c', 'd'].map((cluster) => ({ cluster, weight: 25 })) }
  hostOf(
    [
      { match: [only('exact', { principal: { exact: CLIENT.slice('spiffe://'.length) } })], ...to('exact') },
      { match: [only('prefix', { principal: { prefix: 'cluster.local/ns/shop/' } })], ...to('prefix') },
      { match: [only('any', { principal: { present: true } })], ...to('any') },
      { match: [only('sticky', {})], ...split, sticky: { principal: true } },
    ],
    { tls: { permissive: true } },
  )

  test.each([
    ['exact', CLIENT, true],
    ['exact', `${CLIENT}s`, false],
    ['exact', undefined, false],
    ['prefix', CLIENT, true],
    ['prefix', CLIENT.replace('shop', 'other'), false],
    ['any', CLIENT, true],
    ['any', undefined, false],
  ])('%s: %s %s', async (name, peer, matches) => {
    const init = { headers: { 'x-case': name }, ...(peer !== undefined && { peer }) }
    expect(await clusterOf(init)).toBe(matches ? name : 'other')
  })

  test('a peer keeps its destination; several peers have several', async () => {
    const chosen = new Set<string | null>()
    for (let n = 0; n < 12; n++) {
      const init = { headers: { 'x-case': 'sticky' }, peer: `${CLIENT}-${n}` }
      const first = await clusterOf(init)
      expect(await clusterOf(init)).toBe(first)
      expect(await clusterOf(init)).toBe(first)
      chosen.add(first)
    }
    // That twelve of them share one of four happens once in four million.
    expect(chosen.size).toBeGreaterThan(1)
  })
})

describe.each(['eve', 'adam', 'kim'])('sticky by the claim of %s', (sub) => {
  const split = { destinations: ['a', 'b', 'c', 'd'].map((cluster) => ({ cluster, weight: 25 })) }
  hostOf([{ ...split, sticky: { claim: ['sub'] } }], {
    metadata: { 'envoy.filters.http.jwt_authn': { payload: { sub } } },
  })

  test('the same destination each time', async () => {
    const chosen = new Set<string | null>()
    for (let n = 0; n < 10; n++) chosen.add(await clusterOf({}))
    expect([...chosen]).toHaveLength(1)
    expect(['a', 'b', 'c', 'd']).toContain([...chosen][0])
  })
})
