/** The proxy of a Gateway, as a standalone Envoy: Istio's with VirtualServices, the Gateway API's with HTTPRoutes. */
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startStandalone, type Standalone } from './standalone.ts'

let proxy: Standalone
const start = (text: string, flags: string, services: readonly string[]) => {
  beforeAll(async () => {
    proxy = await startStandalone({ 'gateway.yaml': text }, `--filter routing ${flags}`, services)
  }, 60_000)
  afterAll(() => proxy.stop())
}
/** Who answers, or the status where no Service does. */
const who = async (host: string, path: string, headers?: Record<string, string>) => {
  const { status, text } = await proxy.ask(host, path, headers)
  return status === 200 ? text : status
}

const bookinfo = fileURLToPath(new URL('../../../shared/yaml/istio/bookinfo-gateway.yaml', import.meta.url))
// A published copy has no examples of other projects.
if (existsSync(bookinfo))
  describe("Istio's example of a gateway", () => {
    const productpage = 'productpage.default.svc.cluster.local'
    const flags = '-n default --workload istio-system/ingressgateway --labels istio=ingressgateway'
    start(readFileSync(bookinfo, 'utf8'), `${flags} --gateway default/bookinfo-gateway`, [productpage])

    test.each([
      ['/productpage', productpage],
      ['/productpage?u=normal', productpage],
      ['/static/a.css', productpage],
      ['/api/v1/products/0', productpage],
      ['/productpages', 404],
      ['/', 404],
    ])('%s: %s', async (path, expected) => {
      expect(await who('bookinfo.example.com', path)).toBe(expected)
      expect(await who('127.0.0.1:8080', path)).toBe(expected)
    })

    test('takes nothing of strangers for its own', async () => {
      await proxy.ask('a', '/login', { 'x-meshscript-cluster': 'a', 'x-forwarded-proto': 'https' })
      expect(proxy.last(productpage)).toMatchObject({
        'x-forwarded-proto': 'http',
        'x-forwarded-for': expect.any(String) as string,
      })
      expect(proxy.last(productpage)).not.toHaveProperty('x-meshscript-cluster')
    })
  })

describe('VirtualServices of one gateway', () => {
  const service = (name: string, hosts: string, routes: string) =>
    `{apiVersion: networking.istio.io/v1, kind: VirtualService, metadata: {name: ${name}, namespace: shop}, spec: {hosts: ${hosts}, gateways: [edge/web, mesh], http: [${routes}]}}`
  const to = (name: string) => `route: [{destination: {host: ${name}, port: {number: 80}}}]`
  const text = [
    '{apiVersion: networking.istio.io/v1, kind: Gateway, metadata: {name: web, namespace: edge}, spec: {selector: {a: b}, servers: [{port: {number: 80, name: a, protocol: HTTP}, hosts: ["shop/*.example.com"]}, {port: {number: 80, name: b, protocol: HTTP}, hosts: [safe.example.org], tls: {httpsRedirect: true}}]}}',
    service('b', '[www.example.com]', `{match: [{uri: {prefix: /b}}], ${to('b')}}`),
    service(
      'a',
      '[www.example.com]',
      `{match: [{uri: {prefix: /teapot}}], fault: {abort: {percentage: {value: 100}, httpStatus: 418}}, ${to('a')}}, {match: [{gateways: [mesh], uri: {prefix: /b}}], ${to('a')}}, {${to('a')}}`,
    ),
    service('wild', '["*.example.com", safe.example.org]', `{${to('wild')}}`),
  ]
  start(text.join('\n---\n'), '--workload edge/ingress --gateway web', ['a', 'b', 'wild'].map((name) => `${name}.shop.svc.cluster.local`)) // prettier-ignore

  test('share a host, and wildcards get what is left', async () => {
    const full = (name: string) => `${name}.shop.svc.cluster.local`
    expect(await who('www.example.com', '/b')).toBe(full('b'))
    expect(await who('www.example.com', '/')).toBe(full('a'))
    expect(await who('WWW.example.com:80', '/teapot')).toBe(418)
    expect(await who('else.example.com', '/b')).toBe(full('wild'))
    expect(await who('example.com', '/')).toBe(404)
  })

  test('are led to HTTPS', async () => {
    const { status, headers } = await proxy.ask('safe.example.org', '/a?b=c', { 'x-forwarded-proto': 'https' })
    expect([status, headers.location]).toEqual([301, 'https://safe.example.org/a?b=c'])
  })
})

describe('HTTPRoutes of a Gateway', () => {
  const route = (name: string, hostnames: string, rules: string) =>
    `{apiVersion: gateway.networking.k8s.io/v1, kind: HTTPRoute, metadata: {name: ${name}, namespace: shop}, spec: {parentRefs: [{name: web}], hostnames: ${hostnames}, rules: [${rules}]}}`
  const text = [
    '{apiVersion: gateway.networking.k8s.io/v1, kind: Gateway, metadata: {name: web, namespace: shop}, spec: {gatewayClassName: a, listeners: [{name: http, port: 80, protocol: HTTP, hostname: "*.example.com"}]}}',
    route('shop', '["*.example.com"]', '{backendRefs: [{name: any, port: 80}]}'),
    route(
      'cart',
      '[cart.example.com, cart.example.org]',
      '{matches: [{path: {value: /v2}}], backendRefs: [{name: v2, port: 80}]}, {backendRefs: [{name: v1, port: 80}]}',
    ),
  ]
  start(text.join('\n---\n'), '--workload shop/edge --gateway web', ['any', 'v1', 'v2'])

  test.each([
    ['cart.example.com', '/', 'v1'],
    ['cart.example.com', '/v2/a', 'v2'],
    ['cart.example.com', '/v2a', 'v1'],
    ['a.b.example.com', '/v2', 'any'],
    ['example.com', '/', 404],
    // No listener takes it.
    ['cart.example.org', '/', 404],
  ])('%s%s: %s', async (host, path, expected) => expect(await who(host, path)).toBe(expected))
})
