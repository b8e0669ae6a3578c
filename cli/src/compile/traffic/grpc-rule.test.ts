import { describe, expect, test } from 'vitest'
import { clusterOf, compileTraffic as compile, service } from './testing.ts'

const parents = 'parentRefs: [{group: "", kind: Service, name: cart}]'
const route = (rules: string, more = '') =>
  `{apiVersion: gateway.networking.k8s.io/v1, kind: GRPCRoute, metadata: {name: r, namespace: shop${more}}, spec: {${parents}, rules: ${rules}}}`
const rule = (fields: string) => route(`[{${fields}}]`)
const to = 'backendRefs: [{name: cart, port: 80}]'
const destinations = [{ cluster: clusterOf('cart') }]

describe('matches', () => {
  test.each([
    ['{method: {service: shop.Cart, method: Get}}', [{ path: { exact: '/shop.Cart/Get' } }]],
    ['{method: {service: shop.Cart}}', [{ path: { prefix: '/shop.Cart/' } }]],
    ['{method: {method: Get}}', [{ path: { suffix: '/Get' } }]],
    ['{method: {type: RegularExpression, service: "shop[.].*|a"}}', [{ path: { regex: '/(?:shop[.].*|a)/[^/]+' } }]],
    ['{method: {type: RegularExpression, method: "Get.*"}}', [{ path: { regex: '/[^/]+/(?:Get.*)' } }]],
    ['{headers: [{name: X-A, value: b}]}', [{ headers: { 'x-a': { exact: 'b' } } }]],
    ['{}', undefined],
  ])('%s', (match, expected) => {
    const { routes, told } = compile([rule(`matches: [${match}], ${to}`)])
    expect(told).toEqual([])
    expect(routes).toEqual([{ name: 'shop/r.0', ...(expected && { match: expected }), destinations }])
  })

  test('are sorted by the lengths of service and method, then by headers', () => {
    const methods = [
      '{headers: [{name: a, value: b}]}',
      '{method: {method: GetAll}}',
      '{method: {method: GetAll}, headers: [{name: a, value: b}]}',
      '{method: {service: a.Cart}}',
      '{method: {service: a.Cart, method: Get}}',
      '{method: {service: a.Carts}}',
    ]
    const { routes } = compile([route(`[${methods.map((match) => `{matches: [${match}], ${to}}`).join(', ')}]`)])
    expect(routes!.map(({ name }) => name)).toEqual([5, 4, 3, 2, 1, 0].map((index) => `shop/r.${index}`))
  })
})

test('come before HTTPRoutes of their Service', () => {
  const http = `{apiVersion: gateway.networking.k8s.io/v1, kind: HTTPRoute, metadata: {name: h, namespace: shop}, spec: {${parents}, rules: [{${to}}]}}`
  const { routes, told } = compile([http, rule(to)])
  expect(routes!.map(({ name }) => name)).toEqual(['shop/r.0'])
  expect(told).toEqual(['warning MS1410 spec.parentRefs[0]'])
})

test('without a valid backend are unavailable', () => {
  const { routes, told } = compile([rule('backendRefs: [{name: crat, port: 80}]'), service('cart')])
  expect(routes).toEqual([{ name: 'shop/r.0', directResponse: { status: 503 } }])
  expect(told).toEqual(['warning MS1221 spec.rules[0].backendRefs[0].name'])
})

test('have headers, mirrors and the annotations of Linkerd', () => {
  const filters =
    'filters: [{type: RequestHeaderModifier, requestHeaderModifier: {set: [{name: A, value: b}]}}, {type: RequestMirror, requestMirror: {backendRef: {name: copy, port: 80}}}]'
  const annotations = ', annotations: {retry.linkerd.io/grpc: unavailable, timeout.linkerd.io/request: 2s}'
  expect(compile([route(`[{${filters}, ${to}}]`, annotations)]).routes).toEqual([
    {
      name: 'shop/r.0',
      destinations,
      headers: { request: { set: { a: 'b' } } },
      mirrors: [{ cluster: clusterOf('copy') }],
      timeout: '2s',
      retries: { attempts: 1, on: 'connect-failure,refused-stream,unavailable' },
    },
  ])
})

test.each([
  ['matches: [{method: {}}]', 'MS1103 spec.rules[0].matches[0].method'],
  ['matches: [{method: {service: a/b}}]', 'MS1106 spec.rules[0].matches[0].method.service'],
  ['matches: [{method: {method: a.b}}]', 'MS1106 spec.rules[0].matches[0].method.method'],
  ['matches: [{method: {type: RegularExpression, method: "("}}]', 'MS1222 spec.rules[0].matches[0].method.method'],
  ['matches: [{path: {value: /}}]', 'MS1101 spec.rules[0].matches[0].path'],
  ['filters: [{type: URLRewrite}]', 'MS1104 spec.rules[0].filters[0].type'],
  ['filters: [{type: RequestMirror}]', 'MS1103 spec.rules[0].filters[0].requestMirror'],
  ['sessionPersistence: {}', 'MS1301 spec.rules[0].sessionPersistence'],
  ['backendRefs: [{name: cart}]', 'MS1103 spec.rules[0].backendRefs[0].port'],
])('%s is refused', (fields, message) => {
  expect(compile([rule(fields)]).told).toEqual([`error ${message}`])
})
