/** What becomes of a request that matches a route. Sources: Envoy 1.40's router and its filter `cors`. */
import {
  cluster,
  createHost,
  type Host,
  type HostOptions,
  HostStartError,
  type RequestInit,
} from '@meshscript/sdk/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import filter from './assembly/index.ts?filter'

/** Says in its answer what it has got. */
const echo = cluster.http(({ cluster, method, path, authority, headers, body }) => ({
  headers: { 'x-up': 'a', 'x-up2': 'b' },
  body: JSON.stringify({ cluster, method, path, authority, headers: headers.entries, body: body.toString() }),
}))

interface Seen {
  cluster: string
  method: string
  path: string
  authority: string
  body: string
  headers: [string, string][]
}

/** A response, with the request as a cluster got it. */
async function ask(host: Host, init: RequestInit) {
  const response = await host.request({ authority: 'known.test', ...init })
  if (!response.headers.has('x-up')) return { ...response, upstream: undefined }
  const seen = JSON.parse(response.text) as Seen
  const values = (name: string) => seen.headers.filter(([own]) => own === name).map(([, value]) => value)
  return { ...response, upstream: { ...seen, values, has: (name: string) => values(name).length > 0 } }
}

/** A host whose clusters are found by the filter's header. */
async function start(routes: object[], options: HostOptions = {}, more: object = {}) {
  const configuration = { version: 1, virtualHosts: [{ domains: ['known.test'], routes }], ...more }
  const clusters = { v1: echo, v2: echo, mirror: echo, ...options.clusters }
  const native = { headers: { 'x-meshscript-native': 'm1' }, cluster: 'v2' }
  return createHost({
    wasm: filter,
    configuration,
    routes: [native, { clusterHeader: 'x-meshscript-cluster' }],
    ...options,
    clusters,
  })
}

/** One host for a list of routes. */
function withRoutes(routes: object[], options?: HostOptions, more?: object) {
  let host: Host
  beforeAll(async () => {
    host = await start(routes, options, more)
  })
  afterAll(() => host?.close())
  return { request: (init: RequestInit) => ask(host, init) }
}

const at = (path: string) => ({ match: [{ path: { prefix: path } }] })
const to = (name: string) => ({ destinations: [{ cluster: name }] })

describe('clusters', () => {
  const { request } = withRoutes([
    { ...at('/native'), ...to('v1'), native: 'm1' },
    { ...at('/two'), ...to('v2') },
    { ...at('/'), ...to('v1') },
  ])

  test('the first route that matches counts', async () => {
    expect((await request({ path: '/two' })).upstream).toMatchObject({ cluster: 'v2' })
    expect((await request({ path: '/one' })).upstream).toMatchObject({ cluster: 'v1' })
  })

  test('what a client says of them does not count', async () => {
    const headers = { 'x-meshscript-cluster': ['v2', 'v2'], 'x-meshscript-native': 'm1' }
    const { upstream } = await request({ headers })
    expect(upstream?.cluster).toBe('v1')
    expect(upstream?.values('x-meshscript-cluster')).toEqual(['v1'])
    expect(upstream?.has('x-meshscript-native')).toBe(false)
  })

  test('a native route is selected by its own header', async () => {
    const { upstream } = await request({ path: '/native' })
    expect(upstream?.cluster).toBe('v2')
    expect(upstream?.values('x-meshscript-native')).toEqual(['m1'])
  })
})

describe('without a route', () => {
  const { request } = withRoutes([{ ...at('/a'), ...to('v1') }])
  const passing = withRoutes(
    [{ ...at('/a'), ...to('v1') }],
    { routes: [{ headers: { 'x-meshscript-cluster': 'v2' }, cluster: 'v2' }, { cluster: 'v1' }] },
    { unknownHost: 'pass' },
  )

  test.each(['known.test', 'unknown.test'])('%s is not found', async (authority) => {
    const { status, text, details, upstream } = await request({ authority, path: '/b' })
    expect([status, text, details, upstream]).toEqual([404, '', 'route_not_found', undefined])
  })

  test('hosts that are not known can be left to native routes, without what clients say of ours', async () => {
    const headers = { 'x-meshscript-cluster': 'v2', 'x-meshscript-native': 'm1' }
    const { upstream } = await passing.request({ authority: 'unknown.test', headers })
    expect(upstream?.cluster).toBe('v1')
    expect(upstream?.has('x-meshscript-native')).toBe(false)
    expect((await passing.request({ path: '/b' })).status).toBe(404)
  })
})

describe('weights', () => {
  const split = { destinations: [{ cluster: 'v1', weight: 75 }, { cluster: 'v2', weight: 25 }, { cluster: 'mirror' }] }
  const { request } = withRoutes([
    { ...at('/header'), ...split, sticky: { header: 'x-user' } },
    { ...at('/cookie'), ...split, sticky: { cookie: 'user' } },
    { ...at('/'), ...split },
  ])
  const counts = async (count: number, init: (number: number) => RequestInit) => {
    const found = new Map<string, number>()
    const names = await Promise.all(
      Array.from({ length: count }, async (_, number) => (await request(init(number))).upstream!.cluster),
    )
    for (const name of names) found.set(name, (found.get(name) ?? 0) + 1)
    return found
  }

  test('random: both get their share, and one without a weight gets nothing', async () => {
    const found = await counts(400, () => ({}))
    expect(found.has('mirror')).toBe(false)
    // Five standard deviations.
    expect(Math.abs(found.get('v2')! - 100)).toBeLessThan(44)
  })

  test('sticky: a key stays where it is', async () => {
    for (const user of ['jason', 'bob', 'eve', 'zoe']) {
      const header = await counts(8, () => ({ path: '/header', headers: { 'x-user': user } }))
      const cookie = await counts(8, () => ({ path: '/cookie', headers: { cookie: `a=b; user="${user}"; c=d` } }))
      expect(header.size).toBe(1)
      // By the same key, wherever it comes from.
      expect([...cookie]).toEqual([...header])
    }
    expect((await counts(200, (number) => ({ path: '/header', headers: { 'x-user': `u${number}` } }))).size).toBe(2)
  })

  test('without a key it is random', async () => {
    expect((await counts(100, () => ({ path: '/cookie', headers: { cookie: 'username=x' } }))).size).toBe(2)
  })
})

describe('redirects', () => {
  const { request } = withRoutes([
    { match: [{ path: { exact: '/a' } }], redirect: { path: '/b' } },
    { ...at('/query'), redirect: { path: '/b?new=1' } },
    { ...at('/p/'), redirect: { path: '/b', authority: 'x.example', status: 302 } },
    { ...at('/s'), redirect: { scheme: 'https', status: 308 }, headers: { response: { set: { 'x-r': '1' } } } },
    { ...at('/port'), redirect: { scheme: 'https', port: 8443 } },
    { ...at('/usual'), redirect: { scheme: 'https', port: 443 } },
    { ...at('/prefix/'), redirect: { prefix: '/new/', port: 'protocolDefault' } },
    { ...at('/listener'), redirect: { path: '/b', port: 'request' } },
  ])

  test('to the port that the request came to', async () => {
    const { headers } = await request({
      path: '/listener',
      authority: 'known.test:1',
      headers: { 'x-forwarded-proto': 'http' },
    })
    expect(headers.get('location')).toMatch(/^http:\/\/known\.test:[1-9]\d+\/b$/)
  })

  test.each([
    ['/a?q=1', 'known.test:9080', 301, 'http://known.test:9080/b?q=1'],
    ['/query?q=1', 'known.test', 301, 'http://known.test/b?new=1'],
    ['/p/x', 'known.test', 302, 'http://x.example/b'],
    ['/s?x', 'known.test:9080', 308, 'https://known.test:9080/s?x'],
    ['/s', 'known.test:80', 308, 'https://known.test/s'],
    ['/port', 'known.test:9080', 301, 'https://known.test:8443/port'],
    ['/usual', 'known.test', 301, 'https://known.test/usual'],
    ['/prefix/a/b?c', 'known.test', 301, 'http://known.test/new/a/b?c'],
  ])('%s of %s: %d %s', async (path, authority, status, location) => {
    const response = await request({ path, authority, headers: { 'x-forwarded-proto': 'http' } })
    expect([response.status, response.headers.get('location'), response.text]).toEqual([status, location, ''])
    expect(response.headers.get('x-r')).toBe(path.startsWith('/s') ? '1' : undefined)
  })
})

describe('direct responses', () => {
  const { request } = withRoutes([
    { ...at('/down'), directResponse: { status: 503, body: 'down' }, headers: { response: { add: { 'x-d': '1' } } } },
    { ...at('/json'), directResponse: { status: 200, bodyBase64: 'eyJhIjoxfQ==', contentType: 'application/json' } },
    { ...at('/empty'), directResponse: { status: 204 } },
  ])

  test('with a text', async () => {
    const { status, text, headers, details } = await request({ path: '/down' })
    expect([status, text, details]).toEqual([503, 'down', 'direct_response'])
    expect([headers.getAll('content-type'), headers.getAll('x-d')]).toEqual([['text/plain'], ['1']])
  })

  test('with bytes of a type', async () => {
    const { text, headers } = await request({ path: '/json' })
    expect([text, headers.getAll('content-type')]).toEqual(['{"a":1}', ['application/json']])
  })

  test('without a body', async () => {
    const { status, text } = await request({ path: '/empty' })
    expect([status, text]).toEqual([204, ''])
  })
})

describe('rewrites', () => {
  const { request } = withRoutes([
    { ...at('/pre'), ...to('v1'), rewrite: { prefix: '/x' } },
    { match: [{ path: { prefix: '/ROOT' }, ignoreCase: true }], ...to('v1'), rewrite: { prefix: '/' } },
    { match: [{ path: { segments: '/seg' } }], ...to('v1'), rewrite: { prefix: '/s' } },
    { match: [{ path: { exact: '/exact' } }], ...to('v1'), rewrite: { prefix: '/whole' } },
    { match: [{ path: { regex: '/r/.*' } }], ...to('v1'), rewrite: { prefix: '/whole' } },
    { ...at('/full'), ...to('v1'), rewrite: { path: '/f', authority: 'other.test' } },
    {
      ...at('/service/'),
      ...to('v1'),
      rewrite: { regex: { match: '^/service/([^/]+)(/.*)$', substitution: '\\2/instance/\\1' } },
    },
    {
      match: [
        { method: { exact: 'POST' }, path: { prefix: '/two/long' } },
        { method: { exact: 'GET' }, path: { prefix: '/two' } },
      ],
      ...to('v1'),
      rewrite: { prefix: '/2' },
    },
    { match: [{ headers: { 'x-any': { present: true } } }], ...to('v1'), rewrite: { prefix: '/any/' } },
    { destinations: [{ cluster: 'v1', authority: 'destination.test' }], rewrite: { authority: 'route.test' } },
  ])

  test.each<[RequestInit, string]>([
    [{ path: '/prefix?q' }, '/xfix?q'],
    [{ path: '/root/a' }, '//a'],
    [{ path: '/seg/a' }, '/s/a'],
    [{ path: '/exact?q' }, '/whole?q'],
    [{ path: '/r/1?q' }, '/whole?q'],
    [{ path: '/full/a?q=/full' }, '/f?q=/full'],
    [{ path: '/service/foo/v1/api?x' }, '/v1/api/instance/foo?x'],
    [{ path: '/service/foo' }, '/service/foo'],
    [{ path: '/two/long', method: 'POST' }, '/2'],
    [{ path: '/two/long' }, '/2/long'],
    [{ path: '/b', headers: { 'x-any': '' } }, '/any/b'],
  ])('%j becomes %s', async (init, path) => {
    const { upstream } = await request(init)
    expect(upstream?.path).toBe(path)
    expect(upstream?.values('x-envoy-original-path')).toEqual([init.path])
  })

  test('of the authority, by the destination before the route', async () => {
    expect((await request({ path: '/full' })).upstream?.authority).toBe('other.test')
    expect((await request({ path: '/' })).upstream?.authority).toBe('destination.test')
  })
})

describe('headers', () => {
  const { request } = withRoutes([
    {
      headers: {
        request: { set: { 'x-route': 'r', 'x-both': 'route' }, add: { 'x-a': 'route' }, remove: ['x-drop', 'x-made'] },
        response: { set: { 'x-resp': 'route' }, remove: ['x-up2'] },
      },
      destinations: [
        {
          cluster: 'v1',
          headers: {
            request: { set: { 'x-dest': 'd', 'x-both': 'dest', 'x-made': '1' }, add: { 'x-a': 'dest' } },
            response: { add: { 'x-resp': 'dest', 'x-other': '1' } },
          },
        },
      ],
    },
  ])

  test('those of the destination are changed first, then those of the route', async () => {
    const sent = { 'x-a': 'client', 'x-drop': ['1', '2'], 'x-route': ['client', 'client2'] }
    const { upstream, headers } = await request({ headers: sent })
    const seen = (name: string) => upstream!.values(name)
    expect(['x-a', 'x-route', 'x-both', 'x-dest', 'x-made', 'x-drop'].map(seen)).toEqual([
      ['client', 'dest', 'route'],
      ['r'],
      ['route'],
      ['d'],
      [],
      [],
    ])
    expect(['x-resp', 'x-other', 'x-up', 'x-up2'].map((name) => headers.getAll(name))).toEqual([
      ['route'],
      ['1'],
      ['a'],
      [],
    ])
  })
})

describe('CORS', () => {
  const cors = {
    allowOrigins: [{ exact: 'https://a.test' }, { regex: 'https://.*\\.b\\.test' }],
    allowMethods: ['GET', 'PUT'],
    allowHeaders: ['x-one', 'x-two'],
    exposeHeaders: ['x-up'],
    maxAge: '24h',
    allowCredentials: true,
  }
  const { request } = withRoutes([
    { ...at('/ignore'), ...to('v1'), cors: { ...cors, unmatchedPreflights: 'ignore' } },
    {
      ...at('/any'),
      ...to('v1'),
      cors: { allowOrigins: [{ exact: '*' }], allowMethods: ['*'], allowHeaders: ['*'] },
      headers: { response: { set: { 'x-ops': '1' } } },
    },
    { ...at('/'), ...to('v1'), cors },
  ])
  const preflight = (path: string, origin: string) =>
    request({
      path,
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'PUT', 'access-control-request-headers': 'x-one' },
    })
  const allowed = (list: { toJSON(): object }) =>
    Object.fromEntries(Object.entries(list.toJSON()).filter(([name]) => name.startsWith('access-control-')))

  test('a question is answered here', async () => {
    const { status, text, headers, upstream, details } = await preflight('/', 'https://x.b.test')
    expect([status, text, upstream, details]).toEqual([200, '', undefined, 'cors_response'])
    expect(allowed(headers)).toEqual({
      'access-control-allow-origin': 'https://x.b.test',
      'access-control-allow-credentials': 'true',
      'access-control-allow-methods': 'GET,PUT',
      'access-control-allow-headers': 'x-one,x-two',
      'access-control-max-age': '86400',
      'access-control-expose-headers': 'x-up',
    })
  })

  test('what was asked for is allowed by *', async () => {
    const { headers } = await preflight('/any', 'https://evil.test')
    expect(allowed(headers)).toEqual({
      'access-control-allow-origin': 'https://evil.test',
      'access-control-allow-methods': 'PUT',
      'access-control-allow-headers': 'x-one',
    })
    expect(headers.has('x-ops')).toBe(false)
  })

  test('a response says who may read it', async () => {
    const { headers, upstream } = await request({ headers: { origin: 'https://a.test' } })
    expect(upstream?.cluster).toBe('v1')
    expect(allowed(headers)).toEqual({
      'access-control-allow-origin': 'https://a.test',
      'access-control-allow-credentials': 'true',
      'access-control-expose-headers': 'x-up',
    })
  })

  test('others are told nothing: questions go on, or are answered without a word', async () => {
    const forwarded = await preflight('/', 'https://evil.test')
    expect([forwarded.upstream?.method, allowed(forwarded.headers)]).toEqual(['OPTIONS', {}])
    const ignored = await preflight('/ignore', 'https://evil.test')
    expect([ignored.status, ignored.upstream]).toEqual([200, undefined])
    expect(ignored.headers.has('access-control-allow-origin')).toBe(false)
    const plain = await request({ headers: { origin: 'https://evil.test' } })
    expect(allowed(plain.headers)).toEqual({})
  })

  test('a request without an origin is none of its business', async () => {
    const { upstream, headers } = await request({ method: 'OPTIONS' })
    expect([upstream?.cluster, allowed(headers)]).toEqual(['v1', {}])
  })
})

describe('a configuration is refused', () => {
  const route = (json: object) => ({
    version: 1,
    virtualHosts: [{ domains: ['*'], routes: [{ ...to('v1'), ...json }] }],
  })
  test.each<[object, string]>([
    [{ version: 2, virtualHosts: [] }, 'version: expected 1'],
    [{ version: 1, virtualHosts: [{ domains: ['a', 'A'], routes: [] }] }, 'another virtual host has this domain'],
    [{ version: 1, virtualHosts: [{ domains: ['a:80'], routes: [] }] }, 'without a port'],
    [{ version: 1, virtualHosts: [], nativeHeader: 'X-A' }, 'in lower case'],
    [route({ redirect: {} }), 'expected one of "destinations", "redirect" and "directResponse"'],
    [route({ destinations: [{ cluster: 'a', weight: 0 }] }), 'a weight above 0'],
    [route({ destinations: [{ cluster: 'a' }, { cluster: 'b' }] }), 'a weight above 0'],
    [route({ match: [] }), 'at least one entry'],
    [route({ match: [{}] }), 'a field to compare'],
    [route({ match: [{ headers: { 'X-A': { exact: '1' } } }] }), 'in lower case'],
    [route({ match: [{ path: { regex: '(' } }] }), 'missing )'],
    [route({ match: [{ path: { regex: 'a' }, ignoreCase: true }] }), 'only exact text'],
    [route({ rewrite: { regex: { match: 'a', substitution: '\\1' } } }), 'there is no group 1'],
    [route({ rewrite: { path: '/a', prefix: '/b' } }), 'only one of'],
    [route({ headers: { request: { set: { ':path': '/' } } } }), 'only "rewrite"'],
    [route({ timeout: '5 apples' }), 'expected a duration'],
    [route({ sticky: { header: 'X' } }), 'in lower case'],
    [route({ sticky: {} }), 'expected one of'],
    [route({ mirrors: [{ cluster: 'm', percentage: 101 }] }), 'from 0 to 100'],
    [route({ retires: {} }), 'retires'],
  ])('%j', async (configuration, message) => {
    const error: unknown = await createHost({ wasm: filter, configuration }).catch((error: unknown) => error)
    expect(error).toBeInstanceOf(HostStartError)
    expect((error as HostStartError).logs.map(({ message }) => message).join('\n')).toContain(message)
  })
})
