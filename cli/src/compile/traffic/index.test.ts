import { readFileSync } from 'node:fs'
import { Ajv } from 'ajv'
import { describe, expect, test } from 'vitest'
import { Source } from '../../resources/source.ts'
import { compileRouting, type TrafficOptions } from './index.ts'

const schema = JSON.parse(
  readFileSync(new URL('../../../../filters/routing/schema.json', import.meta.url), 'utf8'),
) as object
const isValid = new Ajv({ strict: false }).compile(schema)

const workload = { namespace: 'shop', name: 'front', labels: { app: 'front', version: 'v1' } }
const resource = (spec: string, name = 'a', kind = 'VirtualService', namespace = 'shop') =>
  `apiVersion: networking.istio.io/v1\nkind: ${kind}\nmetadata: {name: ${name}, namespace: ${namespace}}\nspec: ${spec}\n`
const service =
  'apiVersion: v1\nkind: Service\nmetadata: {name: cart, namespace: shop}\nspec: {clusterIP: 10.0.0.1, ports: [{port: 80}]}\n'

function compile(documents: string[], options: Partial<TrafficOptions> = {}) {
  const sources = documents.map((text, index) => new Source(`${index}.yaml`, text))
  const { configuration, diagnostics } = compileRouting(sources, { workload, port: 80, ...options })
  if (configuration) expect(isValid(configuration), JSON.stringify(isValid.errors)).toBe(true)
  const told = diagnostics.toJSON().map(({ severity, code, field }) => `${severity} ${code} ${field}`)
  return { configuration, told, routes: configuration?.virtualHosts.flatMap(({ routes }) => routes) }
}

const http = (route: string) => resource(`{hosts: [cart], http: [{${route}}]}`)
const to = 'route: [{destination: {host: cart}}]'
const cart = 'outbound|80||cart.shop.svc.cluster.local'

describe('hosts', () => {
  test('are the names by which a sidecar knows a Service', () => {
    expect(compile([http(to), service]).configuration!.virtualHosts).toMatchObject([
      {
        name: 'shop/a',
        domains: ['cart.shop.svc.cluster.local', 'cart', 'cart.shop', 'cart.shop.svc', '10.0.0.1'],
      },
    ])
  })

  test('of another namespace have no short name', () => {
    const other = resource(`{hosts: [cart], http: [{${to}}]}`, 'a', 'VirtualService', 'other')
    const [host] = compile([other]).configuration!.virtualHosts
    expect(host!.domains).toEqual(['cart.other.svc.cluster.local', 'cart.other', 'cart.other.svc'])
  })

  test('of others are as they are', () => {
    const [host] = compile([resource(`{hosts: ["*.example.com"], http: [{${to}}]}`)]).configuration!.virtualHosts
    expect(host!.domains).toEqual(['*.example.com'])
  })

  test.each([
    ['[.]', 'shop', true],
    ['[.]', 'other', false],
    ['["*"]', 'other', true],
    ['[shop]', 'other', true],
    ['[else]', 'shop', false],
  ])('exported to %s of namespace %s: %s', (exportTo, namespace, isSeen) => {
    const text = resource(`{hosts: [cart], exportTo: ${exportTo}, http: [{${to}}]}`, 'a', 'VirtualService', namespace)
    expect(compile([text]).configuration!.virtualHosts.length).toBe(isSeen ? 1 : 0)
  })

  test('of gateways are not for sidecars', () => {
    const { configuration, told } = compile([resource(`{hosts: [cart], gateways: [edge], http: [{${to}}]}`)])
    expect(configuration!.virtualHosts).toEqual([])
    expect(told).toEqual(['warning MS1402 undefined'])
  })

  test('that two are for: the first counts', () => {
    const { configuration, told } = compile([http(to), resource(`{hosts: [cart], http: [{${to}}]}`, 'b')])
    expect(configuration!.virtualHosts.map(({ name }) => name)).toEqual(['shop/a'])
    expect(told).toEqual(['warning MS1410 spec.hosts[0]'])
  })
})

describe('matches', () => {
  test.each([
    ['uri: {prefix: /}', undefined],
    ['uri: {prefix: ""}', undefined],
    ['uri: {exact: /A}, ignoreUriCase: true', [{ path: { exact: '/A' }, ignoreCase: true }]],
    ['headers: {X-User: {exact: a}, b: {}}', [{ headers: { 'x-user': { exact: 'a' }, b: { present: true } } }]],
    ['withoutHeaders: {x-a: {regex: "*"}}', [{ withoutHeaders: { 'x-a': { present: true } } }]],
    ['queryParams: {v: {regex: "[0-9]+"}}', [{ queryParams: { v: { regex: '[0-9]+' } } }]],
    ['method: {exact: GET}, authority: {prefix: a}', [{ method: { exact: 'GET' }, authority: { prefix: 'a' } }]],
    ['sourceLabels: {app: front}', undefined],
    ['port: 80', undefined],
    ['gateways: [mesh]', undefined],
    ['sourceNamespace: shop', undefined],
  ])('%s', (match, expected) => {
    expect(compile([http(`match: [{${match}}], ${to}`)]).routes![0]!.match).toEqual(expected)
  })

  test.each(['sourceLabels: {app: back}', 'port: 81', 'gateways: [edge]', 'sourceNamespace: other'])(
    '%s is of no use here',
    (match) => {
      expect(compile([http(`match: [{${match}}], ${to}`)]).routes).toEqual([])
      expect(compile([http(`match: [{${match}}, {uri: {exact: /a}}], ${to}`)]).routes![0]!.match).toEqual([
        { path: { exact: '/a' } },
      ])
    },
  )
})

describe('destinations', () => {
  test('need a port from somewhere', () => {
    const found = (options: Partial<TrafficOptions>, ...more: string[]) =>
      compile([http(to), ...more], { port: undefined, ...options }).routes?.[0]!.destinations
    expect(found({}, service)).toEqual([{ cluster: cart }])
    expect(found({ port: 8080 })).toEqual([{ cluster: 'outbound|8080||cart.shop.svc.cluster.local' }])
    expect(compile([http(to)], { port: undefined }).told).toEqual(['error MS1221 spec.http[0].route[0].destination'])
  })

  test('without weight among others get nothing', () => {
    const routes = 'route: [{destination: {host: cart, subset: v1}, weight: 3}, {destination: {host: cart}}]'
    expect(compile([http(routes)]).routes![0]!.destinations).toEqual([
      { cluster: 'outbound|80|v1|cart.shop.svc.cluster.local', weight: 3 },
    ])
  })
})

describe('routes', () => {
  const DEFAULT = { attempts: 2, on: 'connect-failure,refused-stream,unavailable,cancelled,retriable-status-codes' }
  test.each([
    ['retries: {attempts: 0}', { retries: { attempts: 0 } }],
    ['retries: {attempts: 4}', { retries: { ...DEFAULT, attempts: 4 } }],
    [
      'retries: {attempts: 1, retryOn: "reset,503", perTryTimeout: 1s}',
      { retries: { attempts: 1, on: 'reset,retriable-status-codes', statusCodes: [503], perTryTimeout: '1s' } },
    ],
    ['timeout: 2s', { timeout: '2s', retries: DEFAULT }],
    ['rewrite: {uri: /b, authority: c}', { rewrite: { prefix: '/b', authority: 'c' }, retries: DEFAULT }],
    [
      'headers: {request: {set: {Host: h, X-A: "50%%"}, remove: [X-B]}}',
      {
        headers: { request: { remove: ['x-b'], set: { 'x-a': '50%' } } },
        rewrite: { authority: 'h' },
        retries: DEFAULT,
      },
    ],
    [
      'mirror: {host: cart}, mirrorPercentage: {value: 5}',
      { mirrors: [{ cluster: cart, percentage: 5 }], retries: DEFAULT },
    ],
    ['mirror: {host: cart}, mirrorPercentage: {value: 0}', { retries: DEFAULT }],
    [
      'corsPolicy: {allowOrigins: [{exact: "https://a"}], allowMethods: [GET], maxAge: 24h, unmatchedPreflights: IGNORE}',
      {
        cors: {
          allowOrigins: [{ exact: 'https://a' }],
          allowMethods: ['GET'],
          maxAge: '24h',
          unmatchedPreflights: 'ignore',
        },
        retries: DEFAULT,
      },
    ],
  ])('%s', (fields, expected) => {
    expect(compile([http(`${to}, ${fields}`)]).routes).toEqual([{ destinations: [{ cluster: cart }], ...expected }])
  })

  test.each([
    ['redirect: {uri: /b, derivePort: FROM_REQUEST_PORT}', { redirect: { status: 301, path: '/b', port: 'request' } }],
    ['directResponse: {status: 200, body: {bytes: aGk=}}', { directResponse: { status: 200, bodyBase64: 'aGk=' } }],
  ])('%s', (fields, expected) => {
    expect(compile([http(fields)]).routes).toEqual([expected])
  })

  test.each([
    ['retries: {attempts: 1, backoff: 1s}', 'spec.http[0].retries.backoff'],
    ['retries: {attempts: 1, retryRemoteLocalities: true}', 'spec.http[0].retries.retryRemoteLocalities'],
    ['headers: {request: {set: {x-a: "%REQ(:path)%"}}}', 'spec.http[0].headers.request.set.x-a'],
  ])('%s is refused: the filter could not do it', (fields, field) => {
    expect(compile([http(`${to}, ${fields}`)]).told).toEqual([`error MS1301 ${field}`])
  })
})

describe('delegation', () => {
  const root = (match: string) => http(`match: [{${match}}], delegate: {name: d}`)
  const delegate = (route: string) => resource(`{http: [{${route}}]}`, 'd')

  test('joins the matches of both', () => {
    const documents = [
      root('uri: {prefix: /a}, headers: {x: {exact: user}}'),
      delegate(`match: [{uri: {prefix: /a/b}}], ${to}`),
    ]
    expect(compile(documents).routes![0]!.match).toEqual([
      { path: { prefix: '/a/b' }, headers: { x: { exact: 'user' } } },
    ])
  })

  test('of what has no match of its own', () => {
    expect(compile([root('uri: {prefix: /a}'), delegate(to)]).routes![0]!.match).toEqual([{ path: { prefix: '/a' } }])
  })

  test('refuses what is not part of it', () => {
    const documents = [root('uri: {prefix: /a}'), delegate(`match: [{uri: {prefix: /c}}], ${to}`)]
    expect(compile(documents).told).toEqual(['error MS1301 spec.http[0].match'])
  })

  test('needs the other', () => {
    expect(compile([root('uri: {prefix: /a}')]).told).toEqual(['error MS1221 spec.http[0].delegate'])
  })
})
