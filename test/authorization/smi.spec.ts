/** SMI's TrafficTargets in the filter. */
import type { Host } from '@meshscript/sdk/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { SentRequest } from './cases.ts'
import { caller, hostFor, PORT, send } from './families.ts'

const policies = `
apiVersion: access.smi-spec.io/v1alpha3
kind: TrafficTarget
metadata: {name: metrics, namespace: shop}
spec:
  destination: {kind: ServiceAccount, name: app, namespace: shop}
  rules:
    - {kind: TCPRoute, name: port}
    - {kind: HTTPRouteGroup, name: routes, matches: [metrics, insiders]}
  sources: [{kind: ServiceAccount, name: prometheus, namespace: front}]
---
apiVersion: access.smi-spec.io/v1alpha3
kind: TrafficTarget
metadata: {name: api, namespace: shop}
spec:
  destination: {kind: ServiceAccount, name: app, namespace: shop}
  rules: [{kind: HTTPRouteGroup, name: routes, matches: [api]}]
  sources: [{kind: ServiceAccount, name: web, namespace: front}, {kind: ServiceAccount, name: web}]
---
apiVersion: access.smi-spec.io/v1alpha3
kind: TrafficTarget
metadata: {name: elsewhere, namespace: shop}
spec:
  destination: {kind: ServiceAccount, name: app, namespace: shop}
  rules: [{kind: TCPRoute, name: other-port}]
  sources: [{kind: ServiceAccount, name: nobody, namespace: front}]
---
apiVersion: specs.smi-spec.io/v1alpha4
kind: HTTPRouteGroup
metadata: {name: routes, namespace: shop}
spec:
  matches:
    - {name: metrics, pathRegex: /metrics, methods: [GET]}
    - {name: insiders, headers: {user-agent: ".*Android.*", cookie: "^(.*?;)?(type=insider)(;.*)?$"}}
    - {name: api, pathRegex: "/api/v[0-9]|/ping$", methods: ["*"]}
---
apiVersion: specs.smi-spec.io/v1alpha4
kind: TCPRoute
metadata: {name: port, namespace: shop}
spec: {matches: {ports: [${PORT}]}}
---
apiVersion: specs.smi-spec.io/v1alpha4
kind: TCPRoute
metadata: {name: other-port, namespace: shop}
spec: {matches: {ports: [1]}}
`

let host: Host
beforeAll(async () => {
  host = await hostFor([policies])
})
afterAll(() => host?.close())

const prometheus = caller('prometheus')
const web = caller('web')

test.each<[SentRequest, 200 | 403]>([
  [{ path: '/metrics', peer: prometheus }, 200],
  // Only the start is anchored.
  [{ path: '/metrics/x?y', peer: prometheus }, 200],
  [{ path: '/metricsx', peer: prometheus }, 200],
  [{ path: '/x/metrics', peer: prometheus }, 403],
  [{ path: '/metrics', method: 'POST', peer: prometheus }, 403],
  [{ path: '/metrics', peer: web }, 403],
  [{ path: '/metrics', peer: caller('prometheus', 'shop') }, 403],
  [{ path: '/metrics' }, 403],
  // Headers: all of a match must fit, and whole.
  [{ path: '/x', peer: prometheus, headers: { 'user-agent': 'an Android', cookie: 'a=b;type=insider;c' } }, 200],
  [{ path: '/x', peer: prometheus, headers: { 'user-agent': 'an Android', cookie: 'type=insiders' } }, 403],
  [{ path: '/x', peer: prometheus, headers: { 'user-agent': 'an Android' } }, 403],
  // Any method; alternatives have an end of their own.
  [{ path: '/api/v1/x', method: 'PATCH', peer: web }, 200],
  [{ path: '/api/vx', peer: web }, 403],
  [{ path: '/ping', peer: web }, 200],
  [{ path: '/ping?x', peer: web }, 200],
  [{ path: '/pingx', peer: web }, 403],
  [{ path: '/api/v1', peer: caller('web', 'shop') }, 200],
  [{ path: '/api/v1', peer: caller('web2') }, 403],
  [{ path: '/', peer: caller('nobody') }, 403],
])('%j: %i', async (request, status) => {
  const response = await send(host, request)
  expect(response.status).toBe(status)
  if (status === 403) expect(response.text).toBe('RBAC: access denied')
})
