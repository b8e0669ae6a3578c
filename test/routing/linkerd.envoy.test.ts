/** Linkerd's ServiceProfiles and annotations in real Envoy: conditions, timeouts and retries. */
import { expect, test } from 'vitest'
import { withRoutes, type Behaviour } from './routes.ts'

const options = { workload: { namespace: 'shop', name: 'client', labels: {} }, port: 80 }
const profile = (routes: string) => `
apiVersion: linkerd.io/v1alpha2
kind: ServiceProfile
metadata: {name: web.shop.svc.cluster.local, namespace: shop}
spec:
  routes:
${routes.replace(/^/gm, '    ')}
---
apiVersion: split.smi-spec.io/v1alpha1
kind: TrafficSplit
metadata: {name: web, namespace: shop}
spec: {service: web, backends: [{service: web-v2, weight: 500m}]}
`
const failing: Behaviour = (attempt) => (attempt === 0 ? 503 : 200)

/** Which route a request has met: only theirs are retried, and with different statuses. */
test('conditions, with all, any and not', async () => {
  const rules = `
- {name: read, condition: {method: GET, pathRegex: "/books/[^/]*"}, isRetryable: true}
- {name: any, condition: {any: [{pathRegex: /a}, {all: [{pathRegex: "/b.*"}, {pathRegex: ".*c"}]}]}, isRetryable: true}
- {name: not, condition: {pathRegex: "/not/.*", not: {any: [{method: POST}, {pathRegex: "/not/this"}]}}, isRetryable: true}
`
  await withRoutes(profile(rules), options, { 'web-v2': failing }, async (ask) => {
    const expected: [method: string, path: string, isMet: boolean][] = [
      ['GET', '/books/1', true],
      ['GET', '/books/1?q=/', true],
      ['POST', '/books/1', false],
      ['GET', '/books/1/2', false],
      ['GET', '/my/books/1', false],
      ['PUT', '/a', true],
      ['GET', '/a/b', false],
      ['GET', '/b/c?d', true],
      ['GET', '/b/d?c', false],
      ['GET', '/not/that', true],
      ['POST', '/not/that', false],
      ['GET', '/not/this', false],
      ['GET', '/not/this?q', false],
      ['GET', '/not/this/one', true],
    ]
    for (const [method, path, isMet] of expected) {
      const { status, services } = await ask(path, { method })
      const got = { method, path, status, services }
      expect(got).toEqual({ method, path, status: isMet ? 200 : 503, services: Array(isMet ? 2 : 1).fill('web-v2') })
    }
  })
})

test('timeouts and classes of responses', async () => {
  const rules = `
- {name: slow, condition: {pathRegex: /slow}, timeout: 300ms}
- name: own
  condition: {pathRegex: /own}
  isRetryable: true
  responseClasses: [{condition: {status: {min: 429, max: 429}}, isFailure: true}, {condition: {status: {min: 503}}, isFailure: false}]
`
  let first = 429
  const behaviour: Behaviour = (attempt) => (attempt === 0 ? first : 200)
  await withRoutes(profile(rules), options, { 'web-v2': behaviour }, async (ask) => {
    for (const [status, attempts] of [
      [429, 2],
      [503, 1],
      [500, 2],
    ] as const) {
      first = status
      expect((await ask('/own')).services).toHaveLength(attempts)
    }
  })
  const slow: Behaviour = () => ({ status: 200, after: 800 })
  await withRoutes(profile(rules), options, { 'web-v2': slow }, async (ask) => {
    expect(await ask('/slow')).toMatchObject({ status: 504, services: ['web-v2'] })
    expect(await ask('/other')).toMatchObject({ status: 200 })
  })
})

test('annotations of a Service and of a route', async () => {
  const text = `
apiVersion: v1
kind: Service
metadata:
  name: web
  namespace: shop
  annotations: {retry.linkerd.io/http: gateway-error, retry.linkerd.io/limit: "2", timeout.linkerd.io/request: 2s}
spec: {ports: [{port: 80}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata:
  name: tries
  namespace: shop
  annotations: {retry.linkerd.io/http: "500-502,429", retry.linkerd.io/timeout: 1s}
spec:
  parentRefs: [{group: core, kind: Service, name: web}]
  rules: [{matches: [{path: {value: /tries}}]}]
---
apiVersion: policy.linkerd.io/v1beta3
kind: HTTPRoute
metadata: {name: all, namespace: shop}
spec:
  parentRefs: [{group: core, kind: Service, name: web, port: 80}]
  rules: [{backendRefs: [{name: web, port: 80}]}]
`
  let behaviour: Behaviour = () => 200
  await withRoutes(text, options, { web: (attempt) => behaviour(attempt) }, async (ask) => {
    const cases: [path: string, behaviour: Behaviour, status: number, attempts: number][] = [
      ['/', () => 503, 503, 3],
      ['/', () => 500, 500, 1],
      ['/', () => ({ status: 200, after: 3000 }), 504, 1],
      ['/tries', () => 503, 503, 1],
      ['/tries', () => 429, 429, 2],
      ['/tries', (attempt) => ({ status: 200, after: attempt === 0 ? 3000 : 0 }), 200, 2],
    ]
    for (const [path, next, status, attempts] of cases) {
      behaviour = next
      const { status: got, services } = await ask(path)
      expect({ path, behaviour: String(next), status: got, attempts: services.length }).toEqual({
        path,
        behaviour: String(next),
        status,
        attempts,
      })
    }
  })
})
