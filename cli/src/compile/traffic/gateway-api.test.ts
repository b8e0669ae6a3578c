import { describe, expect, test } from 'vitest'
import { clusterOf, compileTraffic as compile, service } from './testing.ts'

const route = (spec: string, name = 'r', namespace = 'shop', more = '') =>
  `{apiVersion: gateway.networking.k8s.io/v1, kind: HTTPRoute, metadata: {name: ${name}, namespace: ${namespace}${more}}, spec: ${spec}}`
const parent = (name = 'web', more = '') => `parentRefs: [{group: "", kind: Service, name: ${name}${more}}]`
/** A route with one rule of these fields. */
const rule = (fields: string) => route(`{${parent()}, rules: [{${fields}}]}`)
const to = (name = 'web', more = '') => `backendRefs: [{name: ${name}, port: 80${more}}]`
const [web, v1, v2] = [clusterOf('web'), clusterOf('web-v1'), clusterOf('web-v2')]

describe('parents', () => {
  test('are Services, by all their names', () => {
    expect(compile([rule(to())])).toMatchObject({
      told: [],
      hosts: [
        {
          name: 'shop/web',
          domains: ['web.shop.svc.cluster.local', 'web', 'web.shop', 'web.shop.svc'],
          routes: [{ name: 'shop/r.0', destinations: [{ cluster: web }] }],
        },
      ],
    })
  })

  test.each(['parentRefs: [{name: edge}]', 'parentRefs: [{kind: Gateway, name: edge}]'])(
    '%s is not for us',
    (parent) => {
      const { hosts, told } = compile([route(`{${parent}, rules: [{${to()}}]}`)])
      expect(hosts).toEqual([])
      expect(told).toEqual(['info MS1404 spec.parentRefs[0]', 'warning MS1402'])
    },
  )

  test('that the input lacks, beside others, are told', () => {
    const { told, hints } = compile([rule('name: a'), service('webs')])
    expect(told).toEqual(['warning MS1221 spec.parentRefs[0].name'])
    expect(hints).toEqual(['did you mean webs?'])
  })

  test('have no hostnames', () => {
    const { hosts, told } = compile([route(`{${parent()}, hostnames: [shop.example.com], rules: [{${to()}}]}`)])
    expect(hosts![0]!.domains).not.toContain('shop.example.com')
    expect(told).toEqual(['warning MS1413 spec.hostnames'])
  })

  test('by port', () => {
    const two = [
      route(`{${parent('web', ', port: 80')}, rules: [{${to('web-v1')}}]}`, 'a'),
      route(`{${parent('web', ', port: 81')}, rules: [{${to('web-v2')}}]}`, 'b'),
      route(`{${parent()}, rules: [{matches: [{path: {value: /c}}], ${to()}}]}`, 'c'),
    ]
    const clusters = (port?: number, ...more: string[]) =>
      compile([...two, ...more], { port }).routes?.map(({ destinations }) => destinations![0]!.cluster)
    expect(clusters(80)).toEqual([web, v1])
    expect(clusters(81)).toEqual([web, v2])
    expect(clusters(82)).toEqual([web])
    expect(compile(two, { port: undefined }).told).toEqual(['error MS1221 spec.parentRefs[0].port'])
    expect(compile(two.slice(1), { port: undefined }).routes).toHaveLength(2)
  })

  test('by the name of a port are refused', () => {
    const text = route(`{${parent('web', ', sectionName: http')}, rules: [{${to()}}]}`)
    expect(compile([text]).told).toEqual(['error MS1301 spec.parentRefs[0].sectionName'])
  })

  test.each([
    ['shop', ['shop/producer.0']],
    ['front', ['front/consumer.0']],
    ['else', ['shop/producer.0']],
  ])('of another namespace, for requests of %s', (namespace, names) => {
    const parentRef = parent('web', ', namespace: shop')
    const documents = [
      route(`{${parentRef}, rules: [{${to()}}]}`, 'producer'),
      route(`{${parentRef}, rules: [{backendRefs: [{name: web, namespace: shop, port: 80}]}]}`, 'consumer', 'front'),
    ]
    const { routes } = compile(documents, { workload: { namespace, name: 'w', labels: {} } })
    expect(routes!.map(({ name }) => name)).toEqual(names)
  })

  test('that a TrafficSplit is for too', () => {
    const split =
      '{apiVersion: split.smi-spec.io/v1alpha2, kind: TrafficSplit, metadata: {name: s, namespace: shop}, spec: {service: web, backends: [{service: web-v1, weight: 1}]}}'
    expect(compile([rule(to()), split]).told).toEqual(['error MS1411 spec.service'])
  })

  test('that a VirtualService is for too', () => {
    const virtual =
      '{apiVersion: networking.istio.io/v1, kind: VirtualService, metadata: {name: v, namespace: shop}, spec: {hosts: [web], http: [{route: [{destination: {host: web}}]}]}}'
    expect(compile([rule(to()), virtual]).told).toEqual(['error MS1411 spec.parentRefs[0]'])
  })
})

describe('matches', () => {
  test.each([
    ['{}', undefined],
    ['{path: {value: /}}', undefined],
    ['{path: {value: /a/}}', [{ path: { segments: '/a' } }]],
    ['{path: {type: Exact, value: /a/}}', [{ path: { exact: '/a/' } }]],
    ['{path: {type: RegularExpression, value: "/a.*"}}', [{ path: { regex: '/a.*' } }]],
    ['{method: GET}', [{ method: { exact: 'GET' } }]],
    [
      '{headers: [{name: X-A, value: b}, {name: host, value: c}], queryParams: [{name: q, type: RegularExpression, value: "d+"}]}',
      [{ authority: { exact: 'c' }, headers: { 'x-a': { exact: 'b' } }, queryParams: { q: { regex: 'd+' } } }],
    ],
  ])('%s', (match, expected) => {
    expect(compile([rule(`matches: [${match}], ${to()}`)]).routes![0]!.match).toEqual(expected)
  })

  test('are sorted by what they ask for, across rules and routes', () => {
    const rules = (paths: string[]) =>
      `{${parent()}, rules: [${paths.map((match) => `{matches: [{${match}}], ${to()}}`).join(', ')}]}`
    const paths = [
      'path: {value: /}',
      'headers: [{name: a, value: b}]',
      'method: GET',
      'queryParams: [{name: a, value: b}]',
      'path: {value: /long/path}',
      'path: {type: RegularExpression, value: "/r.*"}',
      'path: {value: /long/}, method: GET, headers: [{name: a, value: b}]',
      'path: {value: /long/}, method: GET',
      'headers: [{name: a, value: b}, {name: c, value: d}]',
      'path: {type: Exact, value: /e}',
      'path: {type: RegularExpression, value: "/r[0-9]+/deep"}',
    ]
    const { routes } = compile([route(rules(paths.slice(0, 5)), 'b'), route(rules(paths.slice(5)), 'a')])
    expect(routes!.map(({ name }) => name)).toEqual([
      'shop/a.4',
      'shop/a.5',
      'shop/a.0',
      'shop/b.4',
      'shop/a.1',
      'shop/a.2',
      'shop/b.2',
      'shop/a.3',
      'shop/b.1',
      'shop/b.3',
      'shop/b.0',
    ])
  })

  test('that ask for the same go by age, then by name, then by place', () => {
    const same = `{${parent()}, rules: [{${to()}}, {${to()}}]}`
    const at = (time: string) => `, creationTimestamp: "${time}"`
    const documents = [
      route(same, 'b'),
      route(same, 'a'),
      route(same, 'old', 'shop', at('2024-01-01T00:00:00Z')),
      route(same, 'new', 'shop', at('2025-01-01T00:00:00Z')),
    ]
    const names = ['old', 'new', 'a', 'b'].flatMap((name) => [`shop/${name}.0`, `shop/${name}.1`])
    expect(compile(documents).routes!.map(({ name }) => name)).toEqual(names)
  })
})

describe('backends', () => {
  test('by weight; those of weight 0 get nothing', () => {
    const refs =
      'backendRefs: [{name: web-v1, port: 80, weight: 9}, {name: web-v2, port: 80}, {name: web, port: 80, weight: 0}]'
    expect(compile([rule(refs)]).routes![0]!.destinations).toEqual([
      { cluster: v1, weight: 9 },
      { cluster: v2, weight: 1 },
    ])
  })

  test('left out: the Service itself', () => {
    expect(compile([rule('matches: [{path: {value: /}}]')]).routes![0]!.destinations).toEqual([{ cluster: web }])
    expect(compile([rule('name: a')], { port: undefined }).told).toEqual(['error MS1221 spec.rules[0]'])
  })

  test.each([
    ['backendRefs: []', 'warning MS1412 spec.rules[0].backendRefs'],
    [to('web', ', weight: 0'), 'warning MS1412 spec.rules[0].backendRefs'],
    ['backendRefs: [{name: web, kind: Bucket, group: a.b}]', 'warning MS1221 spec.rules[0].backendRefs[0].kind'],
    [to('wbe'), 'warning MS1221 spec.rules[0].backendRefs[0].name'],
    ['backendRefs: [{name: web, port: 90}]', 'warning MS1221 spec.rules[0].backendRefs[0].port'],
  ])('%s: 500', (refs, message) => {
    const { routes, told } = compile([rule(refs), service('web')])
    expect(routes![0]).toEqual({ name: 'shop/r.0', directResponse: { status: 500 } })
    expect(told).toEqual([message])
  })

  test('of which a part is invalid are refused', () => {
    const refs = 'backendRefs: [{name: web, port: 80}, {name: wbe, port: 80}]'
    expect(compile([rule(refs), service('web')]).told).toEqual([
      'error MS1301 spec.rules[0].backendRefs',
      'warning MS1221 spec.rules[0].backendRefs[1].name',
    ])
  })

  test('of another namespace need no grant', () => {
    const { routes } = compile([rule('backendRefs: [{name: web, namespace: other, port: 80}]')])
    expect(routes![0]!.destinations).toEqual([{ cluster: clusterOf('web', 80, 'other') }])
  })

  test('have headers and a host of their own, after those of the rule', () => {
    const filters = (set: string, more = '') =>
      `filters: [{type: RequestHeaderModifier, requestHeaderModifier: ${set}}${more}]`
    const backend = `backendRefs: [{name: web-v1, port: 80, ${filters(
      '{set: [{name: B, value: own}], add: [{name: C, value: own}], remove: [D]}',
      ', {type: URLRewrite, urlRewrite: {hostname: v1.example.com}}',
    )}}, {name: web-v2, port: 80}]`
    const own = filters(
      '{set: [{name: A, value: rule}, {name: B, value: rule}, {name: d, value: rule}], add: [{name: C, value: rule}]}',
    )
    expect(compile([rule(`${own}, ${backend}`)]).routes).toEqual([
      {
        name: 'shop/r.0',
        destinations: [
          {
            cluster: v1,
            weight: 1,
            authority: 'v1.example.com',
            headers: { request: { remove: ['d'], set: { a: 'rule', b: 'own' }, add: { c: 'rule,own' } } },
          },
          {
            cluster: v2,
            weight: 1,
            headers: { request: { set: { a: 'rule', b: 'rule', d: 'rule' }, add: { c: 'rule' } } },
          },
        ],
      },
    ])
  })
})

describe('filters', () => {
  const filter = (type: string, value: string) => `{type: ${type}, ${type[0]!.toLowerCase() + type.slice(1)}: ${value}}`
  const rewrite = (value: string) => `{type: URLRewrite, urlRewrite: ${value}}`
  const cors = (value: string) => `{type: CORS, cors: ${value}}`
  const path = (value: string) => `path: {type: ReplacePrefixMatch, replacePrefixMatch: ${value}}`
  const at = (value: string) => `matches: [{path: {value: ${value}}}]`

  test.each([
    [
      filter('RequestHeaderModifier', '{set: [{name: X-A, value: "50%"}], add: [{name: b, value: c}], remove: [X-D]}'),
      { headers: { request: { set: { 'x-a': '50%' }, add: { b: 'c' }, remove: ['x-d'] } } },
    ],
    [filter('ResponseHeaderModifier', '{remove: [a]}'), { headers: { response: { remove: ['a'] } } }],
    [rewrite('{hostname: a.b}'), { rewrite: { authority: 'a.b' } }],
    [
      rewrite('{path: {type: ReplaceFullPath, replaceFullPath: /a}, hostname: b}'),
      { rewrite: { path: '/a', authority: 'b' } },
    ],
    [filter('RequestMirror', '{backendRef: {name: web-v1, port: 80}}'), { mirrors: [{ cluster: v1 }] }],
    [
      filter('RequestMirror', '{backendRef: {name: web-v1, port: 80}, fraction: {numerator: 1, denominator: 8}}'),
      { mirrors: [{ cluster: v1, percentage: 12.5 }] },
    ],
    [filter('RequestMirror', '{backendRef: {name: web-v1, port: 80}, percent: 0}'), {}],
    [
      cors('{allowOrigins: ["*"], allowMethods: ["*"], allowCredentials: true}'),
      {
        cors: {
          allowOrigins: [{ present: true }],
          allowMethods: ['*'],
          allowCredentials: true,
          maxAge: '5s',
          unmatchedPreflights: 'ignore',
        },
      },
    ],
    [
      cors('{allowOrigins: ["https://*.a.com:8443", "http://b"], maxAge: 60, exposeHeaders: [x]}'),
      {
        cors: {
          allowOrigins: [{ regex: 'https://.+\\.a\\.com:8443' }, { exact: 'http://b' }],
          exposeHeaders: ['x'],
          maxAge: '60s',
          unmatchedPreflights: 'ignore',
        },
      },
    ],
  ])('%s', (text, expected) => {
    expect(compile([rule(`filters: [${text}], ${to()}`)]).routes).toEqual([
      { name: 'shop/r.0', destinations: [{ cluster: web }], ...expected },
    ])
  })

  test.each([
    ['{scheme: https, port: 8443, statusCode: 308}', { status: 308, scheme: 'https', port: 8443 }],
    ['{hostname: a.b}', { status: 302, authority: 'a.b' }],
    ['{path: {type: ReplaceFullPath, replaceFullPath: /a}}', { status: 302, path: '/a' }],
  ])('redirect %s', (value, redirect) => {
    expect(compile([rule(`filters: [${filter('RequestRedirect', value)}]`)]).routes).toEqual([
      { name: 'shop/r.0', redirect },
    ])
  })

  test.each([
    ['/foo', '/xyz', [{ path: { segments: '/foo' } }], '/xyz'],
    ['/foo/', '/xyz/', [{ path: { segments: '/foo' } }], '/xyz'],
    ['/foo', '/', [{ path: { exact: '/foo' } }, { path: { prefix: '/foo/' } }], '/'],
    ['/foo', '""', [{ path: { exact: '/foo' } }, { path: { prefix: '/foo/' } }], '/'],
    ['/', '/xyz', undefined, '/xyz/'],
  ])('the prefix %s becomes %s', (from, into, match, prefix) => {
    const { routes } = compile([rule(`${at(from)}, filters: [${rewrite(`{${path(into)}}`)}], ${to()}`)])
    expect(routes![0]).toMatchObject({ rewrite: { prefix } })
    expect(routes![0]!.match).toEqual(match)
    const redirected = compile([rule(`${at(from)}, filters: [${filter('RequestRedirect', `{${path(into)}}`)}]`)])
    expect(redirected.routes![0]).toMatchObject({ redirect: { prefix } })
    expect(redirected.routes![0]!.match).toEqual(match)
  })

  test.each([
    [
      'filters: [{type: ExtensionRef, extensionRef: {group: a, kind: B, name: c}}]',
      'MS1301',
      'filters[0].extensionRef',
    ],
    ['filters: [{type: ExternalAuth, externalAuth: {protocol: HTTP}}]', 'MS1301', 'filters[0]'],
    ['sessionPersistence: {type: Cookie}', 'MS1301', 'sessionPersistence'],
    ['retry: {backoff: 1s}', 'MS1301', 'retry.backoff'],
    ['filters: [{type: URLRewrite}]', 'MS1103', 'filters[0].urlRewrite'],
    ['filters: [{type: CORS, cors: {}, urlRewrite: {}}]', 'MS1204', 'filters[0].urlRewrite'],
    [`filters: [${rewrite('{}')}, ${rewrite('{}')}]`, 'MS1109', 'filters[1].type'],
    [
      `filters: [${rewrite('{path: {type: ReplaceFullPath}}')}]`,
      'MS1103',
      'filters[0].urlRewrite.path.replaceFullPath',
    ],
    [`filters: [${cors('{allowCredentials: true, exposeHeaders: ["*"]}')}]`, 'MS1301', 'filters[0].cors.exposeHeaders'],
    [`filters: [${cors('{allowOrigins: [a.com]}')}]`, 'MS1106', 'filters[0].cors.allowOrigins[0]'],
    [`filters: [${cors('{allowMethods: ["*", GET]}')}]`, 'MS1204', 'filters[0].cors.allowMethods'],
    [
      `filters: [${filter('RequestHeaderModifier', '{set: [{name: a, value: b}], remove: [A]}')}]`,
      'MS1109',
      'filters[0].requestHeaderModifier.remove[0]',
    ],
    [
      `filters: [${filter('RequestHeaderModifier', '{set: [{name: Host, value: b}]}')}]`,
      'MS1301',
      'filters[0].requestHeaderModifier.set[0].name',
    ],
    [`filters: [${filter('RequestRedirect', '{statusCode: 300}')}]`, 'MS1104', 'filters[0].requestRedirect.statusCode'],
    [
      `matches: [{path: {type: Exact, value: /a}}], filters: [${rewrite(`{${path('/b')}}`)}]`,
      'MS1204',
      'filters[0].urlRewrite.path.type',
    ],
    [
      `filters: [${filter('RequestMirror', '{backendRef: {name: a, port: 1}, fraction: {numerator: 2, denominator: 1}}')}]`,
      'MS1106',
      'filters[0].requestMirror.fraction.numerator',
    ],
    [
      `filters: [${filter('RequestMirror', '{backendRef: {name: a}}')}]`,
      'MS1103',
      'filters[0].requestMirror.backendRef.port',
    ],
    ['matches: [{path: {value: /a//b}}]', 'MS1106', 'matches[0].path.value'],
    ['matches: [{path: {value: a}}]', 'MS1106', 'matches[0].path.value'],
    ['matches: [{path: {value: /a/..}}]', 'MS1106', 'matches[0].path.value'],
    ['matches: [{path: {type: RegularExpression, value: "("}}]', 'MS1222', 'matches[0].path.value'],
    ['matches: [{headers: [{name: a, value: b}, {name: A, value: c}]}]', 'MS1109', 'matches[0].headers[1].name'],
    ['timeouts: {request: 1s, backendRequest: 2s}', 'MS1106', 'timeouts.backendRequest'],
    ['timeouts: {request: 1.5s}', 'MS1106', 'timeouts.request'],
    ['retries: {attempts: 1}', 'MS1101', 'retries'],
    [
      'backendRefs: [{name: a, port: 80, filters: [{type: CORS, cors: {}}]}]',
      'MS1301',
      'backendRefs[0].filters[0].type',
    ],
    [
      `backendRefs: [{name: a, port: 80, filters: [${rewrite('{path: {type: ReplaceFullPath, replaceFullPath: /a}}')}]}]`,
      'MS1301',
      'backendRefs[0].filters[0].urlRewrite.path',
    ],
  ])('%s is refused', (fields, code, field) => {
    expect(compile([rule(fields)]).told).toEqual([`error ${code} spec.rules[0].${field}`])
  })

  test('redirects have no backends and no rewrite', () => {
    const redirect = filter('RequestRedirect', '{}')
    expect(compile([rule(`filters: [${redirect}], ${to()}`)]).told).toEqual(['error MS1204 spec.rules[0].backendRefs'])
    expect(compile([rule(`filters: [${redirect}, ${rewrite('{}')}]`)]).told).toEqual([
      'error MS1204 spec.rules[0].filters[0]',
    ])
  })
})

describe('timeouts and retries', () => {
  const RETRIED = 'connect-failure,refused-stream,reset'
  test.each([
    ['timeouts: {request: 10s}', { timeout: '10s' }],
    ['timeouts: {request: 0s}', { timeout: '0s' }],
    ['timeouts: {backendRequest: 1s}', { timeout: '1s' }],
    ['timeouts: {request: 10s, backendRequest: 1s}', { timeout: '1s' }],
    ['timeouts: {request: 10s, backendRequest: 0s}', { timeout: '10s' }],
    ['retry: {}', { retries: { attempts: 2, on: RETRIED } }],
    [
      'retry: {attempts: 3, codes: [500, 503]}, timeouts: {request: 10s, backendRequest: 1s}',
      {
        timeout: '10s',
        retries: {
          attempts: 3,
          on: `${RETRIED},retriable-status-codes`,
          statusCodes: [500, 503],
          perTryTimeout: '1s',
        },
      },
    ],
  ])('%s', (fields, expected) => {
    expect(compile([rule(`${fields}, ${to()}`)]).routes).toEqual([
      { name: 'shop/r.0', destinations: [{ cluster: web }], ...expected },
    ])
  })
})
