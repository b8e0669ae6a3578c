import { Ajv } from 'ajv'
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { defaultMeshConfig, type MeshConfig } from '../resources/mesh-config.ts'
import { Source } from '../resources/source.ts'
import { compileAuthorization } from './index.ts'

const root = new URL('../../../', import.meta.url)
const schema = JSON.parse(readFileSync(new URL('filters/authorization/schema.json', root), 'utf8')) as object
const validate = new Ajv({ strictRequired: false }).compile(schema)

const workload = { namespace: 'payments', name: 'payments', labels: { app: 'payments', version: 'v1' } }

function compile(text: string, mesh: MeshConfig = defaultMeshConfig) {
  const result = compileAuthorization([new Source('policy.yaml', text)], { workload, mesh })
  if (result.configuration) expect(validate(result.configuration), JSON.stringify(validate.errors)).toBe(true)
  return result
}

/** A policy of one rule, or of a whole spec. */
const policy = (spec: string, { name = 'p', namespace = 'payments', version = 'v1' } = {}) => `
apiVersion: security.istio.io/${version}
kind: AuthorizationPolicy
metadata: {name: ${name}, namespace: ${namespace}}
spec: ${spec}
`
const rule = (text: string) => compile(policy(`{rules: [${text}]}`)).configuration?.policies[0]?.rules[0]
const messages = (text: string, mesh?: MeshConfig) =>
  compile(text, mesh)
    .diagnostics.toJSON()
    .map((each) => `${each.line}:${each.column} ${each.severity} ${each.code} ${each.message}`)

test('the policy of the payments service', () => {
  const text = readFileSync(new URL('examples/payments/policy.yaml', root), 'utf8')
  const { configuration, diagnostics, rules } = compile(text)
  expect(diagnostics.toJSON()).toEqual([])
  expect(configuration).toEqual({
    version: 1,
    mode: 'enforce',
    policies: [
      {
        name: 'ns[payments]-policy[allow-frontend]',
        action: 'ALLOW',
        rules: [
          {
            from: [{ principals: [{ exact: 'cluster.local/ns/frontend/sa/default' }] }],
            to: [{ methods: [{ exact: 'POST' }], paths: [{ exact: '/charge' }] }],
            when: [{ header: 'x-auth', values: [{ exact: 'admin' }] }],
          },
        ],
      },
    ],
  })
  const span = rules.get('ns[payments]-policy[allow-frontend]-rule[0]')
  expect(span?.source.position(span.start)).toEqual({ line: 12, column: 5 })
})

test.each(['v1', 'v1beta1'])('version %s', (version) => {
  expect(compile(policy('{}', { version })).configuration?.policies).toHaveLength(1)
})

test.each([
  ['/a', { exact: '/a' }],
  ['/a*', { prefix: '/a' }],
  ['*.txt', { suffix: '.txt' }],
  ['*', { present: true }],
  ['/a/*/b', { exact: '/a/*/b' }],
  ['*/mid*', { suffix: '/mid*' }],
  ['**', { suffix: '*' }],
])('form %s', (value, matcher) => {
  expect(rule(`{to: [{operation: {paths: ["${value}"]}}]}`)).toEqual({ to: [{ paths: [matcher] }] })
})

test('every field and its notX', () => {
  expect(
    rule(`{
      from: [{source: {principals: ["a/*"], notPrincipals: ["*/b"]}}, {source: {principals: ["*"]}}],
      to: [{operation: {methods: [GET, "P*"], notMethods: [PUT], paths: ["/a"], notPaths: ["/b*"]}}],
      when: [
        {key: "request.headers[X-Auth]", values: [admin, "op*"], notValues: ["*x"]},
        {key: "request.headers[Host]", values: [h]},
        {key: "request.headers[:method]", notValues: ["*"]},
      ]
    }`),
  ).toEqual({
    from: [{ principals: [{ prefix: 'a/' }], notPrincipals: [{ suffix: '/b' }] }, { principals: [{ present: true }] }],
    to: [
      {
        methods: [{ exact: 'GET' }, { prefix: 'P' }],
        notMethods: [{ exact: 'PUT' }],
        paths: [{ exact: '/a' }],
        notPaths: [{ prefix: '/b' }],
      },
    ],
    when: [
      { header: 'x-auth', values: [{ exact: 'admin' }, { prefix: 'op' }], notValues: [{ suffix: 'x' }] },
      { header: ':authority', values: [{ exact: 'h' }] },
      { header: ':method', notValues: [{ present: true }] },
    ],
  })
})

test('empty rules and specs keep their meaning', () => {
  expect(rule('{}')).toEqual({})
  expect(rule('{to: [{operation: {paths: ["/a"], methods: []}}], when: []}')).toEqual({
    to: [{ paths: [{ exact: '/a' }] }],
  })
  const nothing = [{ name: 'ns[payments]-policy[p]', action: 'ALLOW', rules: [] }]
  expect(compile(policy('{}')).configuration?.policies).toEqual(nothing)
  expect(compile(policy('')).configuration?.policies).toEqual(nothing)
  expect(compile(policy('{rules: []}')).configuration?.policies).toEqual(nothing)
})

test('policies are selected by namespace, root namespace and labels, and sorted', () => {
  const text = [
    policy('{}', { name: 'own' }),
    policy('{}', { name: 'other', namespace: 'other' }),
    policy('{action: DENY, rules: [{}]}', { name: 'mesh', namespace: 'istio-system' }),
    policy('{selector: {matchLabels: {app: payments}}}', { name: 'label' }),
    policy('{selector: {matchLabels: {app: payments, version: v2}}}', { name: 'label-2' }),
    policy('{selector: {matchLabels: {app: web}}}', { name: 'mesh-label', namespace: 'istio-system' }),
  ].join('---')
  const names = (mesh?: MeshConfig) => compile(text, mesh).configuration?.policies.map((each) => each.name)
  expect(names()).toEqual(['ns[istio-system]-policy[mesh]', 'ns[payments]-policy[label]', 'ns[payments]-policy[own]'])
  expect(names({ ...defaultMeshConfig, rootNamespace: 'other' })).toEqual([
    'ns[other]-policy[other]',
    'ns[payments]-policy[label]',
    'ns[payments]-policy[own]',
  ])
})

test('a workload without a policy is told', () => {
  const { configuration, diagnostics } = compile(policy('{}', { namespace: 'other' }))
  expect(configuration?.policies).toEqual([])
  expect(diagnostics.toJSON()).toMatchObject([{ severity: 'warning', code: 'MS1402' }])
})

test('every key of Istio', () => {
  expect(
    rule(`{
      from: [
        {source: {requestPrincipals: ["*", "i/s", "*/s", "i/*", "i*", "*s", "https://i/p*"], notRequestPrincipals: [x]}},
        {source: {namespaces: [a, "b*"], notNamespaces: [c.d], notPrincipals: [], notTrustDomains: [td]}},
        {source: {serviceAccounts: [sa, ns/sa.1], notServiceAccounts: []}},
        {source: {trustDomains: ["*", td, "t*", "*d"]}},
        {source: {ipBlocks: [10.0.0.0/8], notIpBlocks: ["::1"], remoteIpBlocks: [1.2.3.4], notRemoteIpBlocks: [1.2.3.5/31]}},
      ],
      to: [{operation: {hosts: [A.example, "*.B"], notHosts: ["c:*"], ports: ["80", "443"], notPorts: ["0"], paths: ["/a/{*}"], notPaths: ["/{**}"]}}],
    }`),
  ).toEqual({
    from: [
      {
        requestPrincipals: [
          {},
          { issuer: { exact: 'i' }, subject: { exact: 's' } },
          { subject: { exact: 's' } },
          { issuer: { exact: 'i' } },
          { issuer: { prefix: 'i' } },
          { subject: { suffix: 's' } },
          { issuer: { exact: 'https://i' }, subject: { prefix: 'p' } },
        ],
        notRequestPrincipals: [{ issuer: { exact: 'x' }, subject: { exact: '' } }],
      },
      {
        principals: [{ regex: '.*/ns/a/.*' }, { regex: '.*/ns/b.*/.*' }],
        notPrincipals: [{ regex: String.raw`.*/ns/c\.d/.*` }, { prefix: 'td/' }],
      },
      {
        principals: [
          { regex: 'spiffe://.+/ns/payments/(.+/|)sa/sa(/.+)?' },
          { regex: String.raw`spiffe://.+/ns/ns/(.+/|)sa/sa\.1(/.+)?` },
        ],
      },
      {
        principals: [
          { regex: '(?s)spiffe://.*' },
          { prefix: 'td/' },
          { regex: 'spiffe://t[^/]*/.*' },
          { regex: 'spiffe://[^/]*d/.*' },
        ],
      },
      {
        ipBlocks: ['10.0.0.0/8'],
        notIpBlocks: ['::1'],
        remoteIpBlocks: ['1.2.3.4'],
        notRemoteIpBlocks: ['1.2.3.5/31'],
      },
    ],
    to: [
      {
        hosts: [{ exact: 'a.example' }, { suffix: '.b' }],
        notHosts: [{ prefix: 'c:' }],
        ports: [80, 443],
        notPorts: [0],
        paths: [{ template: '/a/{*}' }],
        notPaths: [{ template: '/{**}' }],
      },
    ],
  })
})

test.each([
  ['source.ip', ['10.0.0.0/8'], { attribute: 'source.ip', values: ['10.0.0.0/8'] }],
  ['remote.ip', ['::1'], { attribute: 'remote.ip', values: ['::1'] }],
  ['destination.ip', ['1.2.3.4'], { attribute: 'destination.ip', values: ['1.2.3.4'] }],
  ['destination.port', ['80'], { attribute: 'destination.port', values: [80] }],
  ['connection.sni', ['*.a'], { attribute: 'connection.sni', values: [{ suffix: '.a' }] }],
  ['source.principal', ['a*'], { attribute: 'source.principal', values: [{ prefix: 'a' }] }],
  ['source.namespace', ['a'], { attribute: 'source.principal', values: [{ regex: '.*/ns/a/.*' }] }],
  [
    'source.serviceAccount',
    ['n/a'],
    { attribute: 'source.principal', values: [{ regex: 'spiffe://.+/ns/n/(.+/|)sa/a(/.+)?' }] },
  ],
  ['source.trustDomain', ['td'], { attribute: 'source.principal', values: [{ prefix: 'td/' }] }],
  [
    'request.auth.principal',
    ['i/s'],
    { attribute: 'request.principal', values: [{ issuer: { exact: 'i' }, subject: { exact: 's' } }] },
  ],
  ['request.auth.audiences', ['a'], { claim: ['aud'], values: [{ exact: 'a' }] }],
  ['request.auth.presenter', ['*'], { claim: ['azp'], values: [{ present: true }] }],
  ['request.auth.claims[a][b]', ['x'], { claim: ['a', 'b'], values: [{ exact: 'x' }] }],
  ['request.auth.claims[a[b]]', ['x'], { claim: ['a[b]'], values: [{ exact: 'x' }] }],
  [
    'experimental.envoy.filters.a.b[c]',
    ['x*'],
    { metadata: { filter: 'envoy.filters.a.b', path: ['c'] }, values: [{ prefix: 'x' }] },
  ],
  [
    'experimental.envoy.filters.a.b[c]',
    ['[x]'],
    { metadata: { filter: 'envoy.filters.a.b', path: ['c'] }, list: true, values: [{ exact: 'x' }] },
  ],
])('key %s: %j', (key, values, condition) => {
  const list = JSON.stringify(values)
  expect(rule(`{when: [{key: "${key}", values: ${list}}]}`)).toEqual({ when: [condition] })
  const { values: translated, ...rest } = condition
  expect(rule(`{when: [{key: "${key}", notValues: ${list}}]}`)).toEqual({ when: [{ ...rest, notValues: translated }] })
})

test('several lists of identities in one source must all match', () => {
  const source =
    '{source: {principals: [a], namespaces: [b], trustDomains: [c], notPrincipals: [d], notTrustDomains: [e]}}'
  expect(rule(`{from: [${source}]}`)).toEqual({
    from: [
      {
        principals: [{ exact: 'a' }],
        namespaces: [{ regex: '.*/ns/b/.*' }],
        trustDomains: [{ prefix: 'c/' }],
        notPrincipals: [{ exact: 'd' }, { prefix: 'e/' }],
      },
    ],
  })
})

test('values of metadata with and without brackets cannot be mixed where the policy applies', () => {
  const mixed = '{rules: [{when: [{key: "experimental.envoy.filters.a[b]", values: [c, "[d]"]}]}]}'
  expect(messages(policy(mixed))).toEqual([
    '5:30 error MS1301 the filter cannot enforce values with and without brackets together',
  ])
  expect(
    compile([policy('{}'), policy(mixed, { namespace: 'other' })].join('---')).configuration?.policies,
  ).toHaveLength(1)
})

test('all actions, in the order in which they are asked', () => {
  const text = [
    policy('{}', { name: 'allow' }).replace('{name: allow,', '{name: allow, annotations: {istio.io/dry-run: "t"},'),
    policy('{action: DENY, rules: [{}]}', { name: 'deny' }),
    policy('{action: AUDIT, rules: [{}]}', { name: 'audit' }),
    policy('{action: CUSTOM, provider: {name: ext}, rules: [{}]}', { name: 'custom' }),
  ].join('---')
  const { configuration, diagnostics } = compile(text)
  expect(configuration?.policies).toEqual([
    { name: 'ns[payments]-policy[custom]', action: 'CUSTOM', provider: 'ext', rules: [{}] },
    { name: 'ns[payments]-policy[audit]', action: 'AUDIT', rules: [{}] },
    { name: 'ns[payments]-policy[deny]', action: 'DENY', rules: [{}] },
    { name: 'ns[payments]-policy[allow]', action: 'ALLOW', dryRun: true, rules: [] },
  ])
  expect(diagnostics.toJSON()).toMatchObject([{ severity: 'warning', code: 'MS1405' }])
})

test('policies with targets apply to gateways and waypoints only', () => {
  const targets = (kind: string, name: string, group = '') =>
    `{targetRefs: [{kind: ${kind}, name: ${name}, group: "${group}"}]}`
  const text = [
    policy('{}', { name: 'labels' }),
    policy(targets('Gateway', 'g', 'gateway.networking.k8s.io'), { name: 'gateway' }),
    policy(targets('Gateway', 'g', 'gateway.networking.k8s.io'), { name: 'gateway', namespace: 'other' }),
    policy(targets('Service', 's'), { name: 'service' }),
    policy(targets('ServiceEntry', 's', 'networking.istio.io'), { name: 'entry' }),
    policy(targets('GatewayClass', 'istio-waypoint', 'gateway.networking.k8s.io'), {
      name: 'class',
      namespace: 'istio-system',
    }),
  ].join('---')
  const names = (more: object) =>
    compileAuthorization([new Source('p.yaml', text)], { workload: { ...workload, ...more } })
      .selected.map(({ metadata }) => metadata.name)
      .sort()
  expect(names({})).toEqual(['labels'])
  expect(names({ labels: { 'gateway.networking.k8s.io/gateway-name': 'g' } })).toEqual(['gateway', 'labels'])
  const here = [{ namespace: 'payments', name: 's' }]
  expect(names({ waypoint: true })).toEqual(['class'])
  expect(names({ waypoint: true, services: here })).toEqual(['class', 'service'])
  expect(names({ waypoint: true, serviceEntries: here })).toEqual(['class', 'entry'])
  expect(names({ waypoint: true, services: [{ namespace: 'other', name: 's' }] })).toEqual(['class'])
  expect(compile(text).diagnostics.toJSON()).toMatchObject(
    Array.from({ length: 5 }, () => ({ severity: 'info', code: 'MS1404' })),
  )
})

test('dry-run that is false is enforced', () => {
  const text = policy('{}').replace('{name: p,', "{name: p, annotations: {istio.io/dry-run: 'false'},")
  expect(compile(text).configuration?.policies).toHaveLength(1)
})

test('every trust domain of the mesh', () => {
  const mesh = { ...defaultMeshConfig, trustDomain: 'td1', trustDomainAliases: ['old'] }
  const text = policy('{rules: [{from: [{source: {notPrincipals: [cluster.local/ns/a/sa/b, td1/ns/a/sa/b]}}]}]}')
  expect(compile(text, mesh).configuration?.policies[0]?.rules[0]?.from).toEqual([
    { notPrincipals: [{ exact: 'td1/ns/a/sa/b' }, { exact: 'old/ns/a/sa/b' }] },
  ])
})

test('values that can never match', () => {
  const mesh = { ...defaultMeshConfig, trustDomain: 'td1' }
  const source = '{source: {principals: ["spiffe://td1/ns/a/sa/b", cluster.local/ns/a/*]}}'
  const operation = '{operation: {methods: [get, "x-*"], paths: ["/a?b=1", a, "*a", "*"]}}'
  const { configuration, diagnostics } = compile(policy(`{rules: [{from: [${source}], to: [${operation}]}]}`), mesh)
  expect(configuration).toBeDefined()
  expect(
    diagnostics.toJSON().map(({ severity, code, message, hint }) => ({ severity, code, message, hint })),
  ).toMatchSnapshot()
})

test('a header name is a header name', () => {
  expect(messages(policy('{rules: [{when: [{key: "request.headers[a b]", values: [a]}]}]}'))).toEqual([
    '5:30 error MS1106 "a b" is not the name of a header',
  ])
})
