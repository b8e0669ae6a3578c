/** Which route a request matches, and of which virtual host. */
import { createHost, type Host, type RequestInit } from '@meshscript/sdk/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import filter from './assembly/index.ts?filter'

/** A match, and whether requests match it. */
type Case = [match: object[], requests: [RequestInit, boolean][]]

const headers = (lines: Record<string, string | string[]>) => ({ headers: lines })
const path = (value: string) => ({ path: value })

/** Asks one host about all matches: each request names the one that it is about, and all the others are beside it. */
function decide(cases: readonly Case[]) {
  let host: Host
  beforeAll(async () => {
    const routes = cases.map(([match], number) => ({
      match: match.map((entry) => ({
        ...entry,
        headers: { ...(entry as { headers?: object }).headers, 'x-case': { exact: `${number}` } },
      })),
      destinations: [{ cluster: `c${number}` }],
    }))
    const virtualHosts = [{ domains: ['*'], routes: [...routes, { destinations: [{ cluster: 'other' }] }] }]
    host = await createHost({ wasm: filter, configuration: { version: 1, virtualHosts } })
  })
  afterAll(() => host?.close())

  for (const [number, [match, requests]] of cases.entries()) {
    for (const [init, matches] of requests) {
      test(`${JSON.stringify(match)} ${matches ? 'is' : 'is not'} ${JSON.stringify(init)}`, async () => {
        const { upstream } = await host.request({
          ...init,
          headers: { ...(init.headers as object), 'x-case': `${number}` },
        })
        expect(upstream?.headers.get('x-meshscript-cluster')).toBe(matches ? `c${number}` : 'other')
      })
    }
  }
}

describe('a match of', () => {
  decide([
    [
      [{ path: { exact: '/a' } }],
      [
        [path('/a'), true],
        [path('/a?b=1'), true],
        [path('/a/'), false],
        [path('/A'), false],
      ],
    ],
    [
      [{ path: { exact: '/a' }, ignoreCase: true }],
      [
        [path('/A'), true],
        [path('/Ab'), false],
      ],
    ],
    [
      [{ path: { prefix: '/Pre' }, ignoreCase: true }],
      [
        [path('/pREfix'), true],
        [path('/pr'), false],
      ],
    ],
    [
      [{ path: { prefix: '/pre' } }],
      [
        [path('/prefix'), true],
        [path('/x/pre'), false],
      ],
    ],
    [[{ path: { suffix: '.png' } }], [[path('/a.png?x'), true]]],
    [
      [{ path: { segments: '/foo/' } }],
      [
        [path('/foo'), true],
        [path('/foo/bar'), true],
        [path('/foobar'), false],
      ],
    ],
    [[{ path: { segments: '/' } }], [[path('/any'), true]]],
    [
      [{ path: { regex: '/r/[0-9]+' } }],
      [
        [path('/r/12?x'), true],
        [path('/r/12a'), false],
        [path('/x/r/1'), false],
      ],
    ],
    [
      [{ path: { template: '/shops/{*}/orders' } }],
      [
        [path('/shops/1/orders'), true],
        [path('/shops/1/2/orders'), false],
      ],
    ],
    [
      [{ method: { exact: 'POST' } }],
      [
        [{ method: 'POST' }, true],
        [{ method: 'GET' }, false],
      ],
    ],
    [[{ scheme: { exact: 'http' } }, { scheme: { exact: 'x' } }], [[{}, true]]],
    [
      [{ authority: { prefix: 'Reviews.' } }],
      [
        [{ authority: 'Reviews.default:9080' }, true],
        [{ authority: 'reviews.default' }, false],
      ],
    ],
    [
      [{ headers: { 'end-user': { exact: 'jason' } } }],
      [
        [headers({ 'end-user': 'jason' }), true],
        [headers({ 'end-user': ['jason', 'bob'] }), true],
        [headers({ 'end-user': 'jason,bob' }), false],
        [{}, false],
      ],
    ],
    [
      [{ headers: { 'x-any': { present: true } } }],
      [
        [headers({ 'x-any': '' }), true],
        [{}, false],
      ],
    ],
    [
      [{ withoutHeaders: { 'x-old': { exact: '1' } } }],
      [
        [{}, true],
        [headers({ 'x-old': '2' }), true],
        [headers({ 'x-old': '1' }), false],
        [headers({ 'x-old': ['2', '1'] }), false],
      ],
    ],
    [[{ withoutHeaders: { 'x-old': { regex: '.*' } } }], [[{}, false]]],
    [[{ withoutHeaders: { 'x-old': { exact: '' } } }], [[{}, false]]],
    [
      [{ withoutHeaders: { 'x-old': { present: true } } }],
      [
        [{}, true],
        [headers({ 'x-old': '' }), false],
      ],
    ],
    [
      [{ queryParams: { q: { exact: '1' } } }],
      [
        [path('/?q=1'), true],
        [path('/?a=2&q=1&q=2'), true],
        [path('/?q=2&q=1'), false],
        [path('/?q=12'), false],
        [path('/?xq=1'), false],
        [path('/q=1'), false],
      ],
    ],
    [
      [{ queryParams: { flag: { present: true } } }],
      [
        [path('/?a&flag'), true],
        [path('/?flag='), true],
        [path('/?flags'), false],
      ],
    ],
    [[{ queryParams: { e: { exact: '%41' } } }], [[path('/?e=%41'), true]]],
    [
      [{ path: { exact: '/x' } }, { method: { exact: 'PUT' }, queryParams: { n: { prefix: '1' } } }],
      [
        [path('/x'), true],
        [{ method: 'PUT', path: '/?n=12' }, true],
        [{ method: 'PUT', path: '/' }, false],
      ],
    ],
    [[{ principal: { exact: 'cluster.local/ns/a/sa/b' } }], [[{}, false]]],
    [[{ claims: [{ claim: ['group'], value: { exact: 'dev' } }] }], [[{}, false]]],
  ])
})

describe('the virtual host', () => {
  let host: Host
  beforeAll(async () => {
    const hosts = [
      ['api.shop.test', 'Exact.Test'],
      ['*.shop.test'],
      ['*.b.shop.test'],
      ['api.*'],
      ['api.shop.*'],
      ['*-x.test', '[::1]'],
    ]
    const virtualHosts = hosts.map((domains, number) => ({
      domains,
      routes: [{ match: [{ path: { prefix: '/' } }], destinations: [{ cluster: `h${number}` }] }],
    }))
    host = await createHost({ wasm: filter, configuration: { version: 1, virtualHosts } })
  })
  afterAll(() => host?.close())

  test.each([
    ['api.shop.test', 'h0'],
    ['API.shop.test:8080', 'h0'],
    ['exact.test', 'h0'],
    ['www.shop.test', 'h1'],
    ['a.b.shop.test', 'h2'],
    ['api.x', 'h3'],
    ['api.shop.x', 'h4'],
    ['api.b.shop.test', 'h2'],
    ['a-x.test', 'h5'],
    ['[::1]:80', 'h5'],
    ['[::1]', 'h5'],
  ])('of %s', async (authority, cluster) => {
    const { upstream } = await host.request({ authority })
    expect(upstream?.headers.get('x-meshscript-cluster')).toBe(cluster)
  })

  test.each(['-x.test', '.shop.test', 'shop.test', 'other'])('of %s is none', async (authority) => {
    const { status, upstream } = await host.request({ authority })
    expect([status, upstream]).toEqual([404, undefined])
  })
})

describe('of routes that each look at another header', () => {
  let host: Host
  beforeAll(async () => {
    const routes = Array.from({ length: 40 }, (_, i) => ({
      match: [{ headers: { [`x-${i}`]: { exact: '1' } } }],
      destinations: [{ cluster: `c${i}` }],
    }))
    const path = { match: [{ path: { exact: '/path' } }], destinations: [{ cluster: 'path' }] }
    routes.splice(20, 0, path as never)
    const virtualHosts = [{ domains: ['*'], routes: [...routes, { destinations: [{ cluster: 'other' }] }] }]
    host = await createHost({ wasm: filter, configuration: { version: 1, virtualHosts } })
  })
  afterAll(() => host?.close())

  test.each<[RequestInit, string]>([
    [{}, 'other'],
    [headers({ 'x-7': '1' }), 'c7'],
    [headers({ 'x-7': '2' }), 'other'],
    [headers({ 'x-39': '1', 'x-8': ['2', '1'], 'x-12': '1' }), 'c8'],
    [{ ...headers({ 'x-39': '1' }), ...path('/path') }, 'path'],
    [{ ...headers({ 'x-39': '1', 'x-3': '1' }), ...path('/path') }, 'c3'],
  ])('the first counts: %j', async (init, cluster) => {
    const { upstream } = await host.request(init)
    expect(upstream?.headers.get('x-meshscript-cluster')).toBe(cluster)
  })
})
