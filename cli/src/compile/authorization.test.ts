import { Ajv } from 'ajv'
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { defaultMeshConfig, type MeshConfig } from '../resources/mesh-config.ts'
import { Source } from '../resources/source.ts'
import { compileAuthorization } from './authorization.ts'

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

test('what the filter cannot enforce is refused', () => {
  const refused = messages(`
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata:
  name: p
  namespace: payments
  annotations:
    istio.io/dry-run: "true"
spec:
  targetRefs:
  - {kind: Gateway, name: g, group: gateway.networking.k8s.io}
  action: AUDIT
  rules:
  - from:
    - source:
        namespaces: [a]
        notIpBlocks: [10.0.0.0/8]
        requestPrincipals: []
    to:
    - operation:
        hosts: [a.example]
        notPaths: ["/a/{*}"]
    when:
    - key: source.principal
      values: [a]
    - key: request.auth.claims[iss]
      values: [a]
`)
  expect(refused).toEqual([
    '8:23 error MS1302 the filter cannot try out a policy (dry run)',
    '10:3 error MS1301 the filter cannot enforce targetRefs',
    '12:11 error MS1302 the filter cannot enforce action AUDIT',
    '16:9 error MS1301 the filter cannot enforce namespaces',
    '17:9 error MS1301 the filter cannot enforce notIpBlocks',
    '21:9 error MS1301 the filter cannot enforce hosts',
    '22:20 error MS1301 the filter cannot enforce path templates',
    '24:12 error MS1301 the filter cannot enforce the key source.principal',
    '26:12 error MS1301 the filter cannot enforce the key request.auth.claims[iss]',
  ])
})

test('what it cannot enforce does not matter where the policy does not apply', () => {
  const text = [policy('{}'), policy('{action: AUDIT}', { namespace: 'other' })].join('---')
  expect(compile(text).configuration?.policies).toHaveLength(1)
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
