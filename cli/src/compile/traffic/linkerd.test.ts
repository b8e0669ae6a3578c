import { describe, expect, test } from 'vitest'
import { clusterOf, compileTraffic as compile, service, workload } from './testing.ts'

const HOST = 'web.shop.svc.cluster.local'
const profile = (spec: string, namespace = 'shop', name = HOST) =>
  `{apiVersion: linkerd.io/v1alpha2, kind: ServiceProfile, metadata: {name: ${name}, namespace: ${namespace}}, spec: ${spec}}`
const routes = (...list: string[]) => `{routes: [${list.map((fields, n) => `{name: r${n}, ${fields}}`).join(', ')}]}`
const condition = (text: string, more = '') => profile(routes(`condition: ${text}${more}`))
/** With five alternatives. */
const FIVE = '{any: [{method: A}, {not: {method: B}}, {not: {method: C}}, {not: {method: D}}, {not: {method: E}}]}'
const web = [{ cluster: clusterOf('web') }]

describe('profiles', () => {
  test('have their routes in order, and let the rest pass', () => {
    const text = profile(
      routes('condition: {method: GET, pathRegex: "/books/[^/]*"}, timeout: 300ms', 'condition: {pathRegex: /books}'),
    )
    expect(compile([text])).toMatchObject({
      told: [],
      hosts: [
        {
          name: `shop/${HOST}`,
          domains: [HOST, 'web', 'web.shop', 'web.shop.svc'],
          routes: [
            {
              name: 'r0',
              match: [{ path: { regex: '/books/[^/]*' }, method: { exact: 'GET' } }],
              destinations: web,
              timeout: '300ms',
            },
            { name: 'r1', match: [{ path: { exact: '/books' } }], destinations: web },
            { destinations: web },
          ],
        },
      ],
    })
  })

  const not = (names: object) => ({ withoutHeaders: names })
  test.each([
    ['{method: GET}', [{ method: { exact: 'GET' } }]],
    ['{any: [{method: GET}, {pathRegex: /a}]}', [{ method: { exact: 'GET' } }, { path: { exact: '/a' } }]],
    [
      '{all: [{any: [{method: GET}, {method: PUT}]}, {pathRegex: "/a.*"}]}',
      [
        { method: { exact: 'GET' }, path: { regex: '/a.*' } },
        { method: { exact: 'PUT' }, path: { regex: '/a.*' } },
      ],
    ],
    ['{not: {method: GET}}', [not({ ':method': { exact: 'GET' } })]],
    ['{not: {any: [{method: GET}, {method: PUT}]}}', [not({ ':method': { regex: 'GET|PUT' } })]],
    ['{not: {pathRegex: /a}}', [not({ ':path': { regex: '(?:/a)(?s:\\?.*)?' } })]],
    [
      '{not: {method: GET, pathRegex: /a}}',
      [not({ ':path': { regex: '(?:/a)(?s:\\?.*)?' } }), not({ ':method': { exact: 'GET' } })],
    ],
    ['{not: {not: {method: GET}}}', [{ method: { exact: 'GET' } }]],
    ['{method: GET, not: {method: PUT}}', [{ method: { exact: 'GET' } }]],
    [
      '{pathRegex: "/a.*", all: [{pathRegex: ".*b"}]}',
      [{ path: { regex: '/a.*' }, headers: { ':path': { regex: '(?:[^?]*b)(?s:\\?.*)?' } } }],
    ],
    ['{all: []}', undefined],
  ])('%s', (text, match) => {
    expect(compile([condition(text)]).routes![0]!.match).toEqual(match)
  })

  test.each([
    ['{all: [{method: GET}, {method: PUT}]}', 'warning MS1401 spec.routes[0].condition'],
    ['{any: []}', 'warning MS1401 spec.routes[0].condition'],
    ['{all: [{pathRegex: a}, {pathRegex: b}, {pathRegex: c}]}', 'error MS1301 spec.routes[0].condition'],
    [`{all: [${FIVE}, ${FIVE}, ${FIVE}]}`, 'error MS1301 spec.routes[0].condition'],
    ['{not: {pathRegex: "/[[:punct:]]"}}', 'error MS1301 spec.routes[0].condition'],
    ['{any: [{not: {pathRegex: "("}}]}', 'error MS1222 spec.routes[0].condition.any[0].not.pathRegex'],
    ['{}', 'error MS1105 spec.routes[0].condition'],
    ['{pathRegexp: /a}', 'error MS1101 spec.routes[0].condition.pathRegexp'],
  ])('%s: %s', (text, message) => {
    expect(compile([condition(text)]).told).toEqual([message])
  })

  test.each([
    ['isRetryable: true', { attempts: 1, on: 'connect-failure,refused-stream,5xx' }],
    ['isRetryable: false', undefined],
    [
      'isRetryable: true, responseClasses: [{condition: {status: {min: 429}}, isFailure: true}, {condition: {status: {min: 501, max: 599}}}]',
      { attempts: 1, on: 'connect-failure,refused-stream,retriable-status-codes', statusCodes: [429, 500] },
    ],
    [
      'isRetryable: true, responseClasses: [{condition: {not: {status: {min: 503, max: 504}}}}]',
      { attempts: 1, on: 'connect-failure,refused-stream,retriable-status-codes', statusCodes: [503, 504] },
    ],
    [
      'isRetryable: true, responseClasses: [{condition: {status: {min: 500, max: 599}}, isFailure: false}]',
      { attempts: 1, on: 'connect-failure,refused-stream' },
    ],
  ])('%s', (fields, retries) => {
    expect(compile([condition('{method: GET}', `, ${fields}`)]).routes![0]!.retries).toEqual(retries)
  })

  test('have a budget that no header tells', () => {
    const budget = 'retryBudget: {retryRatio: 0.2, minRetriesPerSecond: 10, ttl: 10s}'
    const text = profile(`{routes: [{name: a, condition: {method: GET}, isRetryable: true}], ${budget}}`)
    expect(compile([text]).told).toEqual(['warning MS1301 spec.retryBudget'])
    expect(compile([text.replace('true', 'false')]).told).toEqual([])
  })

  test('split by weight', () => {
    const at = (name: string, weight: string, port = ':80') =>
      `{authority: "${name}.shop.svc.cluster.local${port}", weight: ${weight}}`
    const text = (...list: string[]) => profile(`{dstOverrides: [${list.join(', ')}]}`)
    expect(compile([text(at('v1', '900m'), at('v2', '100m', ':8080'), at('v3', '0'))]).routes).toEqual([
      {
        destinations: [
          { cluster: clusterOf('v1'), weight: 0.9 },
          { cluster: clusterOf('v2', 8080), weight: 0.1 },
        ],
      },
    ])
    expect(compile([text(at('v1', '1', ''))]).routes).toEqual([{ destinations: [{ cluster: clusterOf('v1') }] }])
    expect(compile([text(at('v1', '0'))]).told).toEqual(['error MS1106 spec.dstOverrides'])
    expect(compile([text(at('v1', 'x'), '{authority: v1, weight: 1}')]).told).toEqual([
      'error MS1106 spec.dstOverrides[0].weight',
      'error MS1106 spec.dstOverrides[1].authority',
    ])
  })

  test('take the split of a TrafficSplit', () => {
    const split = (more = '') =>
      `{apiVersion: split.smi-spec.io/v1alpha4, kind: TrafficSplit, metadata: {name: s, namespace: shop}, spec: {service: web, backends: [{service: v1, weight: 1}, {service: v2, weight: 3}]${more}}}`
    const { routes, told } = compile([split(), condition('{method: GET}')])
    const destinations = [
      { cluster: clusterOf('v1'), weight: 1 },
      { cluster: clusterOf('v2'), weight: 3 },
    ]
    expect(told).toEqual([])
    expect(routes).toEqual([{ name: 'r0', match: [{ method: { exact: 'GET' } }], destinations }, { destinations }])
    const partial = split(', matches: [{kind: HTTPRouteGroup, name: g}]')
    expect(compile([partial, condition('{method: GET}')]).told).toEqual(['error MS1411 spec.service'])
  })

  test.each([
    ['shop', 'shop'],
    ['front', 'front'],
    ['else', 'shop'],
  ])('for requests of %s: the one of %s', (namespace, expected) => {
    const texts = ['shop', 'front', 'other'].map((each) => profile('{}', each))
    const { hosts } = compile(texts, { workload: { ...workload, namespace } })
    expect(hosts!.map(({ name }) => name)).toEqual([`${expected}/${HOST}`])
  })

  test('come before HTTPRoutes, as in Linkerd, but not before VirtualServices', () => {
    const parents = 'parentRefs: [{group: "", kind: Service, name: web}]'
    const route = `{apiVersion: policy.linkerd.io/v1beta3, kind: HTTPRoute, metadata: {name: r, namespace: shop}, spec: {${parents}, rules: [{}]}}`
    expect(compile([route, profile('{}')]).told).toEqual(['warning MS1410 spec.parentRefs[0]'])
    const virtual = `{apiVersion: networking.istio.io/v1, kind: VirtualService, metadata: {name: v, namespace: shop}, spec: {hosts: [web], http: [{route: [{destination: {host: web}}]}]}}`
    expect(compile([virtual, profile('{}')]).told).toEqual(['error MS1411 metadata.name'])
  })

  test('need the port of their Service', () => {
    expect(compile([profile('{}')], { port: undefined }).told).toEqual(['error MS1221 metadata.name'])
    expect(compile([profile('{}'), service('web', '[{port: 7}]')], { port: undefined }).routes).toEqual([
      { destinations: [{ cluster: clusterOf('web', 7) }] },
    ])
  })

  test.each(['"80"', '"70-90"'])('look at no requests of the opaque port %s', (range) => {
    const { hosts, told } = compile([profile(`{opaquePorts: [${range}]}`)])
    expect(hosts).toEqual([])
    expect(told).toEqual(['info MS1423 spec.opaquePorts', 'warning MS1402'])
  })

  test('are called like their Service', () => {
    expect(compile([profile('{}', 'shop', 'web')]).told).toEqual(['error MS1106 metadata.name'])
  })
})

describe('annotations', () => {
  const text = (annotations: Record<string, string>) => `, annotations: ${JSON.stringify(annotations)}`
  const of = (annotations: Record<string, string>) => service('web', '[{port: 80}]', text(annotations))
  const route = (annotations: Record<string, string>, rule = '{}') =>
    `{apiVersion: gateway.networking.k8s.io/v1, kind: HTTPRoute, metadata: {name: r, namespace: shop${text(annotations)}}, spec: {parentRefs: [{group: core, kind: Service, name: web}], rules: [${rule}]}}`
  const SENT = 'connect-failure,refused-stream'

  test.each([
    [{ 'timeout.linkerd.io/request': '2s' }, { timeout: '2s' }],
    [{ 'timeout.linkerd.io/request': '2s', 'timeout.linkerd.io/response': '1s' }, { timeout: '1s' }],
    [{ 'timeout.linkerd.io/request': '2s', 'timeout.linkerd.io/response': '0s' }, { timeout: '2s' }],
    [{ 'retry.linkerd.io/http': '5xx' }, { retries: { attempts: 1, on: `${SENT},5xx` } }],
    [
      {
        'retry.linkerd.io/http': 'Gateway-Error,429,500-502,501',
        'retry.linkerd.io/limit': '3',
        'retry.linkerd.io/timeout': '300ms',
      },
      {
        retries: {
          attempts: 3,
          on: `${SENT},reset,gateway-error,retriable-status-codes`,
          statusCodes: [429, 500, 501, 502],
          perTryTimeout: '300ms',
        },
      },
    ],
    [
      { 'retry.linkerd.io/grpc': 'internal,unavailable' },
      { retries: { attempts: 1, on: `${SENT},internal,unavailable` } },
    ],
    [{ 'retry.linkerd.io/limit': '2' }, { retries: { attempts: 2, on: SENT } }],
  ])('%j', (annotations: Record<string, string>, expected) => {
    expect(compile([of(annotations)]).routes).toEqual([{ name: 'web', destinations: web, ...expected }])
    if ('retry.linkerd.io/grpc' in annotations) return
    expect(compile([route(annotations)]).routes).toEqual([{ name: 'shop/r.0', destinations: web, ...expected }])
  })

  test('of a route come before those of its Service, and before its fields', () => {
    const both = [
      of({ 'retry.linkerd.io/http': '5xx', 'timeout.linkerd.io/request': '9s' }),
      route({ 'retry.linkerd.io/limit': '3' }, '{timeouts: {request: 1s}, retry: {codes: [500]}}'),
    ]
    expect(compile(both).routes).toEqual([
      { name: 'shop/r.0', destinations: web, timeout: '9s', retries: { attempts: 3, on: SENT } },
    ])
    expect(
      compile([route({ 'timeout.linkerd.io/response': '2s' }, '{timeouts: {request: 5s}, retry: {}}')]).routes,
    ).toEqual([{ name: 'shop/r.0', destinations: web, timeout: '2s', retries: { attempts: 2, on: `${SENT},reset` } }])
  })

  test('of a Service that something else routes say nothing', () => {
    expect(compile([of({ 'retry.linkerd.io/http': '5xx' }), profile('{}')]).told).toEqual([
      'warning MS1413 metadata.annotations["retry.linkerd.io/http"]',
    ])
  })

  test('need to know the port', () => {
    const two = service('web', '[{port: 80}, {port: 81}]', text({ 'retry.linkerd.io/limit': '2' }))
    expect(compile([two], { port: undefined }).told).toEqual([
      'error MS1221 metadata.annotations["retry.linkerd.io/limit"]',
    ])
    expect(compile([two], { port: 90 }).hosts).toEqual([])
  })

  test.each([
    ['retry.linkerd.io/http', '5xx, 429', 'MS1106', 'write e.g. 5xx, gateway-error, 503 or 500-504'],
    ['retry.linkerd.io/http', '504-500', 'MS1106', 'write e.g. 5xx'],
    ['retry.linkerd.io/http', '600', 'MS1106', 'write e.g. 5xx'],
    ['retry.linkerd.io/grpc', 'unavailible', 'MS1104', 'write unavailable'],
    ['retry.linkerd.io/limit', '-1', 'MS1106', 'write e.g. "2"'],
    ['retry.linkerd.io/timeout', '5', 'MS1106', 'write e.g. 500ms'],
    ['retry.linkerd.io/htp', '5xx', 'MS1101', 'did you mean retry.linkerd.io/http?'],
    ['timeout.linkerd.io/idle', '5s', 'MS1301', 'write timeout.linkerd.io/request'],
  ])('%s: %s is refused', (key, value, code, hint) => {
    const { told, hints } = compile([of({ [key]: value })])
    expect(told).toEqual([`error ${code} metadata.annotations["${key}"]`])
    expect(hints[0]).toContain(hint)
  })

  test('of gRPC say nothing on an HTTPRoute', () => {
    expect(compile([route({ 'retry.linkerd.io/grpc': 'internal' })]).told).toEqual([
      'warning MS1413 metadata.annotations["retry.linkerd.io/grpc"]',
    ])
  })
})
