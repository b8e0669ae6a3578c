/** What the CRDs of Gateway and ReferenceGrant say. */
import { expect, test } from 'vitest'
import { Diagnostics } from '../diagnostics.ts'
import { parseResources } from '../parse.ts'
import { Source } from '../source.ts'

function told(spec: string, { kind = 'Gateway', version = 'v1' } = {}) {
  const diagnostics = new Diagnostics()
  const text = `{apiVersion: gateway.networking.k8s.io/${version}, kind: ${kind}, metadata: {name: a, namespace: a}, spec: ${spec}}`
  parseResources([new Source('a.yaml', text)], diagnostics)
  return diagnostics.toJSON().map(({ severity, code, field }) => `${severity} ${code} ${field}`)
}
const listeners = (text: string) => told(`{gatewayClassName: a, listeners: [${text}]}`)
const http = '{name: a, port: 80, protocol: HTTP}'
const at = 'spec.listeners[0]'

test.each(['v1', 'v1beta1'])('%s is read', (version) =>
  expect(told(`{gatewayClassName: a, listeners: [${http}]}`, { version })).toEqual([]),
)

test.each([
  ['{name: a, port: 443, protocol: HTTPS, tls: {certificateRefs: [{name: a}]}}', []],
  ['{name: a, port: 443, protocol: TLS, tls: {mode: Passthrough}}', []],
  ['{name: a, port: 443, protocol: HTTPS, tls: {}}', [`error MS1103 ${at}.tls.certificateRefs`]],
  ['{name: a, port: 443, protocol: HTTPS, tls: {mode: Passthrough}}', [`error MS1204 ${at}.tls.mode`]],
  ['{name: a, port: 80, protocol: HTTP, tls: {options: {a: b}}}', [`error MS1204 ${at}.tls`]],
  ['{name: a, port: 80, protocol: TCP, hostname: a.com}', [`error MS1204 ${at}.hostname`]],
  ['{name: a, port: 80, protocol: HTTP, hostname: "*"}', [`error MS1106 ${at}.hostname`]],
  ['{name: a, port: 80, protocol: HTTP, hostnames: [a]}', [`error MS1101 ${at}.hostnames`]],
  ['{name: a, port: 80}', [`error MS1103 ${at}.protocol`]],
  [
    '{name: a, port: 80, protocol: HTTP, allowedRoutes: {namespaces: {from: Selector}}}',
    [`error MS1103 ${at}.allowedRoutes.namespaces.selector`],
  ],
  [`${http}, ${http}`, ['error MS1109 spec.listeners[1].name']],
  [`${http}, {name: b, port: 80, protocol: HTTP}`, ['error MS1109 spec.listeners[1]']],
  ['', ['error MS1105 spec.listeners']],
])('%s: %s', (text, expected) => expect(listeners(text)).toEqual(expected))

test('a ReferenceGrant says from whom to what', () => {
  const from = 'from: [{group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: a}]'
  const kind = 'ReferenceGrant'
  expect(told(`{${from}, to: [{group: "", kind: Service}]}`, { kind })).toEqual([])
  expect(told(`{${from}, to: [{group: "", kinds: Service}]}`, { kind })).toContain('error MS1101 spec.to[0].kinds')
  expect(told(`{${from}}`, { kind })).toEqual(['error MS1103 spec.to'])
})
