import { readFileSync } from 'node:fs'
import { Ajv } from 'ajv'
import { describe, expect, test } from 'vitest'
import { Source } from '../../resources/source.ts'
import { compileRateLimits, type RateLimitOptions } from './index.ts'

const schema = JSON.parse(
  readFileSync(new URL('../../../../filters/ratelimit/schema.json', import.meta.url), 'utf8'),
) as object
const isValid = new Ajv({ strict: false }).compile(schema)

const workload = { namespace: 'emojivoto', name: 'web', labels: { app: 'web' } }
const resource = (kind: string, name: string, spec: string, namespace = 'emojivoto', version = 'v1alpha1') =>
  `{apiVersion: policy.linkerd.io/${version}, kind: ${kind}, metadata: {name: ${name}, namespace: ${namespace}}, spec: ${spec}}`
const server = (name = 'web-http', port = '8080', selector = '{matchLabels: {app: web}}', namespace?: string) =>
  resource(
    'Server',
    name,
    `{podSelector: ${selector}, port: ${port}, accessPolicy: all-unauthenticated}`,
    namespace,
    'v1beta3',
  )
const policy = (limits: string, name = 'web-rl', target = 'web-http', namespace?: string) =>
  resource(
    'HTTPLocalRateLimitPolicy',
    name,
    `{targetRef: {group: policy.linkerd.io, kind: Server, name: ${target}}, ${limits}}`,
    namespace,
  )
const TOTAL = 'total: {requestsPerSecond: 100}'
const CLIENT = '{kind: ServiceAccount, name: special-client}'

/** Compiles documents, and holds what comes out to the filter's schema. */
function compile(documents: string[], options: Partial<RateLimitOptions> = {}) {
  const sources = documents.map((text, index) => new Source(`${index}.yaml`, text))
  const { configuration, diagnostics } = compileRateLimits(sources, { workload, ...options })
  if (configuration) expect(isValid(configuration), JSON.stringify(isValid.errors)).toBe(true)
  return {
    rules: configuration?.rules,
    told: diagnostics.toJSON().map(({ severity, code, field }) => [severity, code, field].filter(Boolean).join(' ')),
    messages: diagnostics.toJSON().map(({ message }) => message),
  }
}

describe('a policy', () => {
  test('limits all together, then who has an override, or else each client', () => {
    const limits = `${TOTAL}, identity: {requestsPerSecond: 20}, overrides: [{requestsPerSecond: 25, clientRefs: [${CLIENT}, {kind: ServiceAccount, name: b, namespace: shop}]}]`
    const account = (namespace: string, name: string) => [
      { principal: { exact: `cluster.local/ns/${namespace}/sa/${name}` } },
      { principal: { regex: `${name}\\.${namespace}\\.serviceaccount\\.identity\\.linkerd\\.cluster\\.local` } },
    ]
    expect(compile([server(), policy(limits)])).toEqual({
      told: [],
      messages: [],
      rules: [
        { name: 'emojivoto/web-rl[total]', limit: { requests: 100, per: '1s' } },
        {
          name: 'emojivoto/web-rl[overrides[0]]',
          match: [...account('emojivoto', 'special-client'), ...account('shop', 'b')],
          group: 'emojivoto/web-rl[clients]',
          limit: { requests: 25, per: '1s' },
        },
        {
          name: 'emojivoto/web-rl[identity]',
          group: 'emojivoto/web-rl[clients]',
          descriptors: [{ principal: true }],
          limit: { requests: 20, per: '1s' },
        },
      ],
    })
  })

  test('may limit clients alone', () => {
    const { rules } = compile([server(), policy('identity: {requestsPerSecond: 2}')])
    expect(rules).toEqual([
      { name: 'emojivoto/web-rl[identity]', descriptors: [{ principal: true }], limit: { requests: 2, per: '1s' } },
    ])
  })

  const pod = (port: number) =>
    `{apiVersion: v1, kind: Pod, metadata: {name: p, namespace: emojivoto, labels: {app: web}}, spec: {containers: [{name: c, ports: [{name: http, containerPort: ${port}}]}]}}`
  test.each<[string, string[], Partial<RateLimitOptions>, boolean]>([
    ['a Server that selects all', [server('web-http', '8080', '{}')], {}, true],
    ['other labels', [server('web-http', '8080', '{matchLabels: {app: api}}')], {}, false],
    [
      'an expression',
      [server('web-http', '8080', '{matchExpressions: [{key: app, operator: In, values: [web]}]}')],
      {},
      true,
    ],
    [
      'a negative one',
      [server('web-http', '8080', '{matchExpressions: [{key: app, operator: NotIn, values: [web]}]}')],
      {},
      false,
    ],
    [
      'a label that is not to be',
      [server('web-http', '8080', '{matchExpressions: [{key: x, operator: DoesNotExist}]}')],
      {},
      true,
    ],
    ['the port', [server()], { port: 8080 }, true],
    ['another port', [server()], { port: 9090 }, false],
    ['a named port', [server('web-http', 'http'), pod(8080)], { port: 8080 }, true],
    ['another named port', [server('web-http', 'http'), pod(8080)], { port: 9090 }, false],
    ['a workload of another namespace', [server()], { workload: { ...workload, namespace: 'other' } }, false],
  ])('of %s', (_, servers, options, isFor) => {
    const { rules, told } = compile([...servers, policy(TOTAL)], options)
    expect(rules?.length).toBe(isFor ? 1 : 0)
    expect(told).toEqual(isFor ? [] : ['warning MS1402'])
  })
})

test.each<[string, string[], string[]]>([
  ['no Server', [policy(TOTAL)], ['warning MS1221 spec.targetRef.name', 'warning MS1402']],
  ['two policies of a Server', [server(), policy(TOTAL), policy(TOTAL, 'b')], ['error MS1414 spec.targetRef']],
  [
    'two ports',
    [server(), server('admin', '9090'), policy(TOTAL), policy(TOTAL, 'b', 'admin')],
    ['error MS1414 spec.targetRef'],
  ],
  [
    'more for one than for all',
    [server(), policy(`${TOTAL}, identity: {requestsPerSecond: 101}`)],
    ['error MS1106 spec.identity.requestsPerSecond'],
  ],
  [
    'more by an override',
    [server(), policy(`${TOTAL}, overrides: [{requestsPerSecond: 101, clientRefs: [${CLIENT}]}]`)],
    ['error MS1106 spec.overrides[0].requestsPerSecond'],
  ],
  [
    'nothing at all',
    [server(), policy('total: {requestsPerSecond: 0}')],
    ['error MS1106 spec.total.requestsPerSecond'],
  ],
  [
    'another kind of client',
    [server(), policy('overrides: [{requestsPerSecond: 1, clientRefs: [{kind: Pod, name: a}]}]')],
    ['error MS1207 spec.overrides[0].clientRefs[0].kind'],
  ],
  [
    'another kind of target',
    [resource('HTTPLocalRateLimitPolicy', 'x', `{targetRef: {group: apps, kind: Deployment, name: web}, ${TOTAL}}`)],
    ['error MS1207 spec.targetRef'],
  ],
])('%s is told', (_, documents, told) => {
  expect(compile(documents).told).toEqual(told)
})
