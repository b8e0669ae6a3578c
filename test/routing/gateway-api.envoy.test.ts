/** HTTPRoutes of a mesh in real Envoy: what the Gateway API says of matching, filters, backends, timeouts and retries. */
import { describe, expect, test } from 'vitest'
import { withRoutes, type Ask, type Behaviour, type Question } from './routes.ts'
import { CHI_SQUARE_LIMIT, chiSquare } from './shares.ts'

const options = { workload: { namespace: 'shop', name: 'client', labels: {} }, port: 80 }
const route = (rules: string) => `
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: r, namespace: shop}
spec:
  parentRefs: [{group: "", kind: Service, name: web, port: 80}]
  rules:
${rules.replace(/^/gm, '    ')}
`
const to = (name: string) => `backendRefs: [{name: ${name}, port: 80}]`
const check = (rules: string, run: (ask: Ask) => Promise<void>, behaviours: Record<string, Behaviour> = {}) =>
  withRoutes(route(rules), options, behaviours, run)

/** Path, the rest of the request, and who gets it; a number is a status that nobody but the filter has said. */
type Choice = [path: string, who: string | number, question?: Question]

async function expectChoices(ask: Ask, choices: readonly Choice[]) {
  for (const [path, who, question] of choices) {
    const { status, services } = await ask(path, question)
    expect({ path, question, who: services[0] ?? status }).toEqual({ path, question, who })
  }
}

describe('matches', () => {
  test('paths by segments, exactly, and by expression', async () => {
    const rules = `
- {matches: [{path: {value: /v1/}}], ${to('v1')}}
- {matches: [{path: {value: /v1/deep}}], ${to('deep')}}
- {matches: [{path: {type: Exact, value: /v1/deep/exact}}], ${to('exact')}}
- {matches: [{path: {type: RegularExpression, value: "/v[0-9]+/re"}}], ${to('regex')}}
`
    await check(rules, (ask) =>
      expectChoices(ask, [
        ['/v1', 'v1'],
        ['/v1/', 'v1'],
        ['/v1/a?b=c', 'v1'],
        ['/v1/deep', 'deep'],
        ['/v1/deep/a', 'deep'],
        ['/v1/deeper', 'v1'],
        ['/v1/deep/exact', 'exact'],
        ['/v1/deep/exact?q', 'exact'],
        ['/v1/deep/exact/', 'deep'],
        ['/v1/re', 'regex'],
        ['/v2/re', 'regex'],
        ['/v2/re/', 404],
        ['/v10', 404],
        ['/', 404],
      ]),
    )
  })

  test('headers, parameters and methods, the most specific one first', async () => {
    const rules = `
- {matches: [{path: {value: /}}, {headers: [{name: Version, value: one}]}], ${to('v1')}}
- {matches: [{path: {value: /v2}}, {headers: [{name: version, value: two}]}], ${to('v2')}}
- {matches: [{queryParams: [{name: animal, value: whale}]}], ${to('whale')}}
- {matches: [{headers: [{name: version, value: two}], queryParams: [{name: animal, value: whale}]}], ${to('both')}}
- {matches: [{method: PATCH}], ${to('patch')}}
- {matches: [{headers: [{name: color, type: RegularExpression, value: "gr[ae]y"}]}], ${to('grey')}}
- {matches: [{headers: [{name: Host, value: "web:8080"}]}], ${to('host')}}
`
    await check(rules, (ask) =>
      expectChoices(ask, [
        ['/', 'v1'],
        ['/', 'v1', { headers: [['version', 'one']] }],
        ['/', 'v2', { headers: [['version', 'two']] }],
        ['/v2', 'v2'],
        ['/v2', 'v2', { headers: [['version', 'one']] }],
        ['/?animal=whale', 'whale'],
        ['/?animal=dog&animal=whale', 'v1'],
        ['/?animal=whale', 'both', { headers: [['version', 'two']] }],
        ['/?animal=whale', 'patch', { method: 'PATCH', headers: [['version', 'two']] }],
        ['/', 'grey', { headers: [['color', 'grey']] }],
        ['/', 'v1', { headers: [['color', 'greyish']] }],
        ['/', 'host', { authority: 'web:8080' }],
      ]),
    )
  })
})

describe('filters', () => {
  test('rewrite paths and hosts', async () => {
    const rewrite = (from: string, value: string) =>
      `- {matches: [{path: {value: ${from}}}], filters: [{type: URLRewrite, urlRewrite: ${value}}], ${to('v1')}}\n`
    const prefix = (value: string) => `{path: {type: ReplacePrefixMatch, replacePrefixMatch: ${value}}}`
    const rules = [
      rewrite('/foo', prefix('/xyz')),
      rewrite('/slash/', prefix('/xyz/')),
      rewrite('/strip', prefix('/')),
      rewrite('/empty', prefix('""')),
      rewrite('/full', '{path: {type: ReplaceFullPath, replaceFullPath: /one}}'),
      rewrite('/host', '{hostname: other.example.com}'),
      rewrite('/', prefix('/root')),
    ].join('')
    await check(rules, async (ask) => {
      const paths = [
        ['/foo/bar', '/xyz/bar'],
        ['/foo', '/xyz'],
        ['/foo/', '/xyz/'],
        ['/foo/bar?q=/foo', '/xyz/bar?q=/foo'],
        ['/slash/bar', '/xyz/bar'],
        ['/slash', '/xyz'],
        ['/strip/three', '/three'],
        ['/strip', '/'],
        ['/strip/', '/'],
        ['/strip?q', '/?q'],
        ['/empty/a/b', '/a/b'],
        ['/empty', '/'],
        ['/full/a/b?q', '/one?q'],
        ['/any', '/root/any'],
        ['/', '/root/'],
      ] as const
      for (const [path, expected] of paths)
        expect({ path, became: (await ask(path)).path }).toEqual({ path, became: expected })
      expect(await ask('/host/a')).toMatchObject({ path: '/host/a', authority: 'other.example.com' })
    })
  })

  test('change headers, those of a backend last', async () => {
    const modifier = (set: string) => `{type: RequestHeaderModifier, requestHeaderModifier: ${set}}`
    const rules = `
- matches: [{path: {value: /rule}}]
  filters:
    - ${modifier('{set: [{name: X-Set, value: "50%"}], add: [{name: X-Add, value: more}], remove: [X-Gone]}')}
    - {type: ResponseHeaderModifier, responseHeaderModifier: {set: [{name: x-answer, value: set}], remove: [x-secret]}}
  ${to('v1')}
- matches: [{path: {value: /backend}}]
  filters:
    - ${modifier('{set: [{name: X-Set, value: rule}, {name: x-rule, value: rule}]}')}
  backendRefs:
    - name: v1
      port: 80
      filters: [${modifier('{set: [{name: x-set, value: backend}]}')}]
`
    const behaviours = { v1: () => ({ status: 200, headers: { 'x-secret': 'a', 'x-answer': 'own' } }) }
    const headers: [string, string][] = [
      ['x-set', 'a'],
      ['x-add', 'a'],
      ['x-gone', 'a'],
    ]
    await check(
      rules,
      async (ask) => {
        const rule = await ask('/rule', { headers })
        expect(rule.headers).toMatchObject({ 'x-set': '50%' })
        expect(rule.headers['x-add']).toMatch(/more$/)
        expect(rule.headers).not.toHaveProperty('x-gone')
        expect(rule.response).toMatchObject({ 'x-answer': 'set' })
        expect(rule.response).not.toHaveProperty('x-secret')
        const backend = await ask('/backend', { headers })
        expect(backend.headers).toMatchObject({ 'x-set': 'backend', 'x-rule': 'rule', 'x-gone': 'a' })
        expect(backend.response).toMatchObject({ 'x-secret': 'a' })
      },
      behaviours,
    )
  })

  test('redirect', async () => {
    const redirect = (from: string, value: string) =>
      `- {matches: [{path: {value: ${from}}}], filters: [{type: RequestRedirect, requestRedirect: ${value}}]}\n`
    const path = (value: string) => `path: {type: ReplacePrefixMatch, replacePrefixMatch: ${value}}`
    const rules = [
      redirect('/prefix', `{${path('/new')}}`),
      redirect('/strip', `{${path('/')}}`),
      redirect('/full', '{path: {type: ReplaceFullPath, replaceFullPath: /new}, statusCode: 308}'),
      redirect('/host', '{hostname: example.org, statusCode: 301}'),
      redirect('/port', '{port: 8083}'),
      redirect('/scheme', '{scheme: https}'),
      redirect('/all', '{scheme: https, hostname: example.org, port: 8443, statusCode: 303}'),
      redirect('/usual', '{scheme: https, port: 443, statusCode: 307}'),
    ].join('')
    await check(rules, async (ask) => {
      const locations = [
        ['/prefix/a?q', 302, 'http://web/new/a?q'],
        ['/strip/a', 302, 'http://web/a'],
        ['/strip', 302, 'http://web/'],
        ['/full/a?q', 308, 'http://web/new?q'],
        ['/host/a', 301, 'http://example.org/host/a'],
        ['/port/a', 302, 'http://web:8083/port/a'],
        ['/scheme/a', 302, 'https://web/scheme/a'],
        ['/all/a', 303, 'https://example.org:8443/all/a'],
        ['/usual', 307, 'https://web/usual'],
      ] as const
      for (const [path, status, location] of locations) {
        const { status: got, response } = await ask(path)
        expect({ path, status: got, location: response['location'] }).toEqual({ path, status, location })
      }
    })
  })

  test('mirror', async () => {
    const mirror = (name: string, more = '') =>
      `{type: RequestMirror, requestMirror: {backendRef: {name: ${name}, port: 80}${more}}}`
    const rules = `
- {matches: [{path: {value: /two}}], filters: [${mirror('m1')}, ${mirror('m2')}], ${to('v1')}}
- {matches: [{path: {value: /none}}], filters: [${mirror('m1', ', percent: 0')}], ${to('v1')}}
`
    await check(rules, async (ask) => {
      expect((await ask('/two', { seen: 3 })).services.sort()).toEqual(['m1', 'm2', 'v1'])
      expect((await ask('/none')).services).toEqual(['v1'])
    })
  })

  test('answer browsers', async () => {
    const rules = `
- filters:
    - type: CORS
      cors:
        allowOrigins: ["https://*.example.com", "http://localhost:3000"]
        allowMethods: [GET, PUT]
        allowHeaders: [x-a]
        allowCredentials: true
        exposeHeaders: [x-b]
  ${to('v1')}
`
    await check(rules, async (ask) => {
      const preflight = (origin: string) =>
        ask('/', {
          method: 'OPTIONS',
          headers: [
            ['origin', origin],
            ['access-control-request-method', 'PUT'],
          ],
        })
      const allowed = await preflight('https://a.b.example.com')
      expect(allowed).toMatchObject({ status: 200, services: [] })
      expect(allowed.response).toMatchObject({
        'access-control-allow-origin': 'https://a.b.example.com',
        'access-control-allow-methods': 'GET,PUT',
        'access-control-allow-headers': 'x-a',
        'access-control-allow-credentials': 'true',
        'access-control-max-age': '5',
      })
      for (const origin of ['https://example.com', 'http://a.example.com', 'http://localhost:30001']) {
        const { status, services, response } = await preflight(origin)
        expect({ origin, status, services }).toEqual({ origin, status: 200, services: [] })
        expect(response).not.toHaveProperty('access-control-allow-origin')
      }
      const { services, response } = await ask('/', { headers: [['origin', 'http://localhost:3000']] })
      expect(services).toEqual(['v1'])
      expect(response).toMatchObject({
        'access-control-allow-origin': 'http://localhost:3000',
        'access-control-expose-headers': 'x-b',
      })
    })
  })
})

describe('backends', () => {
  test('get their shares', async () => {
    const rules = '- backendRefs: [{name: v1, port: 80, weight: 70}, {name: v2, port: 80, weight: 30}]\n'
    await check(rules, async (ask) => {
      const counts: Record<string, number> = {}
      for (let sent = 0; sent < 4000; sent += 100) {
        for (const { response } of await Promise.all(Array.from({ length: 100 }, () => ask('/'))))
          counts[response['x-service']!] = (counts[response['x-service']!] ?? 0) + 1
      }
      expect(Object.keys(counts).sort()).toEqual(['v1', 'v2'])
      expect(chiSquare(counts, { v1: 70, v2: 30 }), JSON.stringify(counts)).toBeLessThan(CHI_SQUARE_LIMIT)
    })
  })

  test('that are not there are answered for with 500, as no weights are', async () => {
    const rules = `
- {matches: [{path: {value: /kind}}], backendRefs: [{name: v1, group: example.com, kind: Bucket}]}
- {matches: [{path: {value: /zero}}], backendRefs: [{name: v1, port: 80, weight: 0}]}
- {matches: [{path: {value: /own}}]}
`
    await check(rules, (ask) =>
      expectChoices(ask, [
        ['/kind', 500],
        ['/zero', 500],
        ['/own', 'web'],
        ['/else', 404],
      ]),
    )
  })
})

test('GRPCRoutes: methods, and errors that a client of gRPC reads', async () => {
  const text = `
apiVersion: gateway.networking.k8s.io/v1
kind: GRPCRoute
metadata: {name: r, namespace: shop, annotations: {retry.linkerd.io/grpc: "internal,unavailable"}}
spec:
  parentRefs: [{group: "", kind: Service, name: web}]
  rules:
    - {matches: [{method: {service: shop.Cart}}], ${to('cart')}}
    - {matches: [{method: {service: shop.Cart, method: Get}}], ${to('get')}}
    - {matches: [{method: {method: Watch}}], ${to('watch')}}
    - {matches: [{method: {type: RegularExpression, service: "shop[.]v[0-9]+[.]Cart"}}], ${to('regex')}}
    - {matches: [{method: {service: shop.Gone}}], backendRefs: []}
`
  const failing = (status: string) => (attempt: number) => ({
    status: 200,
    headers: { 'content-type': 'application/grpc', 'grpc-status': attempt === 0 ? status : '0' },
  })
  await withRoutes(text, options, { cart: failing('14'), get: failing('13'), watch: failing('5') }, async (ask) => {
    const call = async (path: string) => {
      const { services, response } = await ask(path, {
        method: 'POST',
        headers: [
          ['content-type', 'application/grpc'],
          ['te', 'trailers'],
        ],
      })
      return { path, services, grpcStatus: response['grpc-status'] }
    }
    for (const [path, services, grpcStatus] of [
      ['/shop.Cart/Add', ['cart', 'cart'], '0'],
      ['/shop.Cart/Get', ['get', 'get'], '0'],
      ['/shop.Other/Watch', ['watch'], '5'],
      ['/shop.v2.Cart/Add', ['regex'], undefined],
      ['/shop.Gone/Get', [], '14'],
      ['/shop.Other/Get', [], '12'],
    ] as const)
      expect(await call(path)).toEqual({ path, services, grpcStatus })
  })
})

describe('timeouts and retries', () => {
  test('end and repeat requests', async () => {
    const rules = `
- {matches: [{path: {value: /request}}], timeouts: {request: 1s}, ${to('slow')}}
- {matches: [{path: {value: /backend}}], timeouts: {request: 10s, backendRequest: 1s}, ${to('slow')}}
- {matches: [{path: {value: /off}}], timeouts: {request: 0s}, ${to('slow')}}
- {matches: [{path: {value: /retry}}], retry: {attempts: 3, codes: [503]}, ${to('failing')}}
- {matches: [{path: {value: /once}}], retry: {attempts: 1, codes: [503]}, ${to('failing')}}
- {matches: [{path: {value: /other}}], retry: {attempts: 3, codes: [500]}, ${to('failing')}}
- {matches: [{path: {value: /never}}], ${to('failing')}}
- matches: [{path: {value: /try}}]
  retry: {attempts: 1, codes: [503]}
  timeouts: {request: 10s, backendRequest: 1s}
  ${to('first')}
`
    const behaviours: Record<string, Behaviour> = {
      slow: () => ({ status: 200, after: 3000 }),
      failing: (attempt) => (attempt < 2 ? 503 : 200),
      first: (attempt) => ({ status: 200, after: attempt === 0 ? 3000 : 0 }),
    }
    await check(
      rules,
      async (ask) => {
        const expected = [
          ['/request', 504, 1],
          ['/backend', 504, 1],
          ['/off', 200, 1],
          ['/retry', 200, 3],
          ['/once', 503, 2],
          ['/other', 503, 1],
          ['/never', 503, 1],
          ['/try', 200, 2],
        ] as const
        for (const [path, status, attempts] of expected) {
          const { status: got, services } = await ask(path)
          expect({ path, status: got, attempts: services.length }).toEqual({ path, status, attempts })
        }
      },
      behaviours,
    )
  })
})
