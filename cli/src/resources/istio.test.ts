/** What Istio's own validation says about its kinds, beyond their fields. */
import { describe, expect, test } from 'vitest'
import { Diagnostics } from './diagnostics.ts'
import { parseResources } from './parse.ts'
import { Source } from './source.ts'

function check(kind: string, spec: string, { version = 'security.istio.io/v1', annotations = '{}' } = {}) {
  const diagnostics = new Diagnostics()
  const metadata = `{name: p, namespace: a, annotations: ${annotations}}`
  const text = `apiVersion: ${version}\nkind: ${kind}\nmetadata: ${metadata}\nspec: ${spec}\n`
  const resources = parseResources([new Source('a.yaml', text)], diagnostics)
  expect(resources).toHaveLength(diagnostics.hasErrors ? 0 : 1)
  return diagnostics.toJSON().map(({ severity, code, field }) => `${severity} ${code} ${field}`)
}

const rule = (text: string, more = '') => check('AuthorizationPolicy', `{rules: [${text}]${more}}`)
const source = (text: string) => rule(`{from: [{source: {${text}}}]}`)
const operation = (text: string) => rule(`{to: [{operation: {${text}}}]}`)
const when = (key: string, value: string) => rule(`{when: [{key: ${JSON.stringify(key)}, values: ["${value}"]}]}`)

const at = {
  source: 'spec.rules[0].from[0].source',
  operation: 'spec.rules[0].to[0].operation',
  when: 'spec.rules[0].when[0]',
}

describe('AuthorizationPolicy', () => {
  test.each([
    ['1.2.3.4', true],
    ['1.2.3.0/24', true],
    ['1.2.3.4/0', true],
    ['::', true],
    ['2001:db8::/32', true],
    ['::ffff:1.2.3.4', true],
    ['1.2.3', false],
    ['1.2.3.4/33', false],
    ['1.2.3.4/08', false],
    ['1.2.3.4/', false],
    ['01.2.3.4', false],
    ['::/129', false],
    ['fe80::1%eth0', false],
    ['localhost', false],
    ['*', false],
  ])('address %s', (value, valid) => {
    for (const field of ['ipBlocks', 'notIpBlocks', 'remoteIpBlocks', 'notRemoteIpBlocks']) {
      expect(source(`${field}: ["${value}"]`)).toEqual(valid ? [] : [`error MS1106 ${at.source}.${field}[0]`])
    }
    for (const key of ['source.ip', 'remote.ip', 'destination.ip']) {
      expect(when(key, value)).toEqual(valid ? [] : [`error MS1106 ${at.when}.values[0]`])
    }
  })

  test.each([
    ['0', true],
    ['65535', true],
    ['080', true],
    ['65536', false],
    ['-1', false],
    ['http', false],
    ['80-90', false],
  ])('port %s', (value, valid) => {
    expect(operation(`ports: ["${value}"]`)).toEqual(valid ? [] : [`error MS1106 ${at.operation}.ports[0]`])
    expect(operation(`notPorts: ["${value}"]`)).toEqual(valid ? [] : [`error MS1106 ${at.operation}.notPorts[0]`])
    expect(when('destination.port', value)).toEqual(valid ? [] : [`error MS1106 ${at.when}.values[0]`])
  })

  test.each([
    ['sa', true],
    ['ns/sa', true],
    ['ns/*', false],
    ['a/b/c', false],
    ['/sa', false],
    ['ns/', false],
  ])('service account %s', (value, valid) => {
    expect(source(`serviceAccounts: ["${value}"]`)).toEqual(
      valid ? [] : [`error MS1106 ${at.source}.serviceAccounts[0]`],
    )
    expect(when('source.serviceAccount', value)).toEqual(valid ? [] : [`error MS1106 ${at.when}.values[0]`])
  })

  test.each([
    ['td', true],
    ['*', true],
    ['td-*', true],
    ['*-td', true],
    ['a*b', false],
    ['*a*', false],
  ])('trust domain %s', (value, valid) => {
    expect(source(`trustDomains: ["${value}"]`)).toEqual(valid ? [] : [`error MS1106 ${at.source}.trustDomains[0]`])
    expect(when('source.trustDomain', value)).toEqual(valid ? [] : [`error MS1106 ${at.when}.values[0]`])
  })

  test('a trust domain has no slash, though a condition on it may go on', () => {
    expect(source('trustDomains: ["td/ns/a"]')).toEqual([`error MS1106 ${at.source}.trustDomains[0]`])
    expect(when('source.trustDomain', 'td/ns/a')).toEqual([])
    expect(when('source.trustDomain', 'td/*/a')).toEqual([`error MS1106 ${at.when}.values[0]`])
  })

  test.each([
    ['/a/{*}', true],
    ['/a/{*}/b/{**}', true],
    ['/{**}/b', true],
    ['/a/{*}/', true],
    ['/a*', true],
    ['/a b', true],
    ['/{**}/{*}', false],
    ['/{**}/{**}', false],
    ['/a/{b}', false],
    ['/a{*}', false],
    ['/{*}/*', false],
    ['/{*}//b', false],
    ['/{*}/ü', false],
    ['{*}/a', false],
  ])('path %s', (value, valid) => {
    for (const field of ['paths', 'notPaths']) {
      expect(operation(`${field}: ["${value}"]`)).toEqual(valid ? [] : [`error MS1205 ${at.operation}.${field}[0]`])
    }
  })

  test.each([
    ['request.headers[x]', true],
    ['request.headers[:authority]', true],
    ['request.auth.claims[a]', true],
    ['request.auth.claims[a][b]', true],
    ['experimental.envoy.filters.http.x[k]', true],
    ['source.principal', true],
    ['request.headers', false],
    ['request.headers[]', false],
    ['request.headersx[a]', false],
    ['request.auth.claims', false],
    ['request.auth.claimsx[a]', false],
    ['experimental.envoy.filters.http.x', false],
    ['destination.labels[app]', false],
    ['destination.user', false],
    ['source.user', false],
  ])('key %s', (key, valid) => {
    expect(when(key, 'a')).toEqual(valid ? [] : [`error MS1203 ${at.when}.key`])
  })

  test('values are not empty, and a condition has some', () => {
    expect(source('principals: [""]')).toEqual([`error MS1106 ${at.source}.principals[0]`])
    expect(operation('hosts: [a, ""]')).toEqual([`error MS1106 ${at.operation}.hosts[1]`])
    expect(when('source.namespace', '')).toEqual([`error MS1106 ${at.when}.values[0]`])
    expect(rule('{when: [{key: source.namespace, values: []}]}')).toEqual([`error MS1201 ${at.when}`])
  })

  test('accounts stand alone, also against what must not match', () => {
    const told = [`error MS1204 ${at.source}.notServiceAccounts`]
    expect(source('notServiceAccounts: [a], namespaces: [b]')).toEqual(told)
    expect(source('notServiceAccounts: [a], trustDomains: [b]')).toEqual([])
    expect(source('notServiceAccounts: [a], namespaces: []')).toEqual(told)
    expect(source(`serviceAccounts: [${'a,'.repeat(17)}]`)).toEqual([`error MS1105 ${at.source}.serviceAccounts`])
    expect(rule(`{from: [${'{source: {namespaces: [a]}},'.repeat(513)}]}`)).toEqual(['error MS1105 spec.rules[0].from'])
  })

  test('what CUSTOM has no use for', () => {
    const custom = ', action: CUSTOM, provider: {name: p}'
    expect(rule('{from: [{source: {ipBlocks: [1.2.3.4]}}], to: [{operation: {paths: ["/a"]}}]}', custom)).toEqual([])
    expect(rule('{from: [{source: {notNamespaces: [a]}}]}', custom)).toEqual([
      `error MS1206 ${at.source}.notNamespaces`,
    ])
    const condition = '{when: [{key: "request.auth.claims[a]", values: [b]}]}'
    expect(rule(condition, custom)).toEqual([`error MS1206 ${at.when}.key`])
    expect(rule('{}', ', action: CUSTOM')).toEqual(['error MS1202 spec.action'])
  })

  test('dry run', () => {
    const dryRun = (value: string, spec: string) =>
      check('AuthorizationPolicy', spec, { annotations: `{istio.io/dry-run: "${value}"}` })
    const path = 'metadata.annotations["istio.io/dry-run"]'
    expect(dryRun('T', '{}')).toEqual([])
    expect(dryRun('yes', '{}')).toEqual([`error MS1106 ${path}`])
    expect(dryRun('true', '{action: AUDIT}')).toEqual([`error MS1206 ${path}`])
  })
})

describe('what a policy applies to', () => {
  test.each([
    ['{targetRefs: [{kind: Gateway, group: gateway.networking.k8s.io, name: g}]}', []],
    ['{targetRefs: [{kind: Service, name: s}, {kind: Service, group: core, name: s}]}', []],
    ['{targetRef: {kind: ServiceEntry, group: networking.istio.io, name: s}}', []],
    ['{targetRef: {kind: Service, group: apps, name: s}}', ['error MS1207 spec.targetRef.group']],
    ['{targetRefs: [{kind: Gateway, name: g}]}', ['error MS1207 spec.targetRefs[0].group']],
    ['{targetRefs: [{kind: Deployment, group: apps, name: g}]}', ['error MS1207 spec.targetRefs[0].kind']],
    ['{targetRefs: [{kind: Service, name: s, namespace: b}]}', ['error MS1207 spec.targetRefs[0].namespace']],
    ['{targetRefs: [{kind: Service}]}', ['error MS1103 spec.targetRefs[0].name']],
    ['{selector: {matchLabels: {a: b}}, targetRefs: []}', ['error MS1204 spec.targetRefs']],
    ['{selector: {matchLabels: {a: b}}, targetRef: {kind: Service, name: s}}', ['error MS1204 spec.targetRef']],
    ['{selector: {matchLabels: {a: "b*"}}}', ['error MS1106 spec.selector.matchLabels.a']],
    ['{selector: {matchLabels: {"a*": b}}}', ['error MS1106 spec.selector.matchLabels["a*"]']],
    ['{selector: {}}', ['warning MS1408 spec.selector']],
  ])('%s', (spec, told) => {
    expect(check('AuthorizationPolicy', spec)).toEqual(told)
    expect(check('RequestAuthentication', spec)).toEqual(told)
    expect(check('Telemetry', spec, { version: 'telemetry.istio.io/v1' })).toEqual(told)
    const plugin = spec.replace('{', '{url: a, ')
    expect(check('WasmPlugin', plugin, { version: 'extensions.istio.io/v1alpha1' })).toEqual(told)
  })
})

test.each([
  ['{jwtRules: [{issuer: a}]}', []],
  ['{jwtRules: [{jwksUri: "https://a/keys", timeout: 1.5s, fromHeaders: [{name: x, prefix: "Bearer "}]}]}', []],
  ['{jwtRules: [{audiences: [a]}]}', ['error MS1103 spec.jwtRules[0]']],
  ['{jwtRules: [{issuer: a, jwksUri: "ftp://a"}]}', ['error MS1106 spec.jwtRules[0].jwksUri']],
  ['{jwtRules: [{issuer: a, jwksUri: "https://a", jwks: "{}"}]}', ['error MS1204 spec.jwtRules[0].jwks']],
  ['{jwtRules: [{issuer: a, jwks: "keys"}]}', ['error MS1106 spec.jwtRules[0].jwks']],
  [`{jwtRules: [{issuer: a, jwks: '{"keys": [{"kty": "RSA"}]}'}]}`, []],
  [`{jwtRules: [{issuer: a, jwks: '{"keys": [{"kty": "RSA", "d": "x"}]}'}]}`, ['warning MS1409 spec.jwtRules[0].jwks']],
  ['{jwtRules: [{issuer: a, timeout: 1us}]}', ['error MS1106 spec.jwtRules[0].timeout']],
  ['{jwtRules: [{issuer: a, fromParams: [""]}]}', ['error MS1106 spec.jwtRules[0].fromParams[0]']],
  [
    '{jwtRules: [{issuer: a, outputClaimToHeaders: [{header: "x y", claim: a}]}]}',
    ['error MS1106 spec.jwtRules[0].outputClaimToHeaders[0].header'],
  ],
])('RequestAuthentication %s', (spec, told) => {
  expect(check('RequestAuthentication', spec)).toEqual(told)
})

test('only an AuthorizationPolicy has a dry run', () => {
  const told = ['error MS1206 metadata.annotations["istio.io/dry-run"]']
  for (const kind of ['RequestAuthentication', 'PeerAuthentication']) {
    expect(check(kind, '{}', { annotations: '{istio.io/dry-run: "true"}' })).toEqual(told)
  }
})

test.each([
  ['{tracing: [{randomSamplingPercentage: 100.5}]}', ['error MS1106 spec.tracing[0].randomSamplingPercentage']],
  ['{tracing: [{randomSamplingPercentage: 0.5}]}', []],
  [
    '{tracing: [{customTags: {a: {literal: {value: b}, header: {name: c}}}}]}',
    ['error MS1204 spec.tracing[0].customTags.a.header'],
  ],
  [
    '{metrics: [{overrides: [{match: {metric: A, customMetric: b}}]}]}',
    [
      'error MS1204 spec.metrics[0].overrides[0].match.customMetric',
      'error MS1104 spec.metrics[0].overrides[0].match.metric',
    ],
  ],
])('Telemetry %s', (spec, told) => {
  expect(check('Telemetry', spec, { version: 'telemetry.istio.io/v1alpha1' }).sort()).toEqual([...told].sort())
})

test.each([
  ['oci://ghcr.io/a/b:1', true],
  ['ghcr.io/a/b@sha256:00', true],
  ['localhost:5000/a', true],
  ['file:///a.wasm', true],
  ['https://a/b%20c.wasm', true],
  ['ftp://a/b', false],
  ['https://a/%zz', false],
  ['#a', false],
])('WasmPlugin of %s', (url, valid) => {
  const told = check('WasmPlugin', `{url: "${url}"}`, { version: 'extensions.istio.io/v1alpha1' })
  expect(told).toEqual(valid ? [] : ['error MS1106 spec.url'])
})
