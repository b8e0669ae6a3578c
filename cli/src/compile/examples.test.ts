/** Policies of the projects' own repositories. They are other projects': read where they are, and no part of a published copy. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { CompileOptions } from './index.ts'
import { compileTexts, pod } from './testing.ts'

const folder = new URL('../../../../shared/yaml/', import.meta.url)
const read = (name: string) => readFileSync(new URL(name, folder), 'utf8')

const workload = (labels: Record<string, string>, serviceAccount?: string) => ({
  workload: { namespace: 'default', name: 'w', labels, ...(serviceAccount && { serviceAccount }) },
  namespace: 'default',
})
const caller = (name: string, labels: Record<string, string>, ip = '') =>
  pod(name, labels, { namespace: 'default', ip })
const from = (account: string) => [{ principals: [{ exact: `cluster.local/ns/default/sa/${account}` }] }]
const method = (name: string, port: number) => [{ methods: [{ exact: name }], ports: [port] }]
const path = (text: string) => ({ header: ':path', values: [{ exact: text }] })

interface Example {
  options: Partial<CompileOptions>
  /** What the policy needs beside it. */
  beside?: string[]
  /** How the file has to be mended first; what is wrong with it as it is. */
  mend?: { from: RegExp; to: string; error: string }
  rules: object[]
  /** Why it is refused without what is beside it. */
  alone?: string
}

const route = (kind: string, spec: string) =>
  `{apiVersion: specs.smi-spec.io/v1alpha4, kind: ${kind}, metadata: {name: the-routes, namespace: default}, spec: ${spec}}`

const examples: Record<string, Example> = {
  'cilium/l7-http.yaml': {
    options: workload({ app: 'myService' }),
    rules: [
      { to: method('GET', 80), when: [path('/path1')] },
      {
        to: method('PUT', 80),
        when: [path('/path2'), { header: 'x-my-header', joined: true, values: [{ exact: 'true' }] }],
      },
    ],
  },
  'cilium/sw_l3_l4_l7_policy.yaml': {
    options: workload({ org: 'empire', class: 'deathstar' }),
    beside: [caller('tiefighter', { org: 'empire' }), caller('xwing', { org: 'alliance' })],
    rules: [{ from: from('tiefighter'), to: method('POST', 80), when: [path('/v1/request-landing')] }],
    alone: 'MS1321',
  },
  'cilium/echo-ingress-l7-http.yaml': {
    options: workload({ kind: 'echo' }),
    beside: [caller('client2', { other: 'client' }), caller('client', {})],
    rules: [
      { from: from('client2'), to: method('GET', 8080), when: [path('/')] },
      { from: from('client2'), to: method('GET', 8080), when: [path('/public')] },
      {
        from: from('client2'),
        to: method('GET', 8080),
        when: [path('/private'), { header: 'x-very-secret-token', joined: true, values: [{ exact: '42' }] }],
      },
    ],
    alone: 'MS1321',
  },
  'cilium/client-egress-l7-http.yaml': {
    options: { ...workload({ other: 'client' }), direction: 'outbound' },
    beside: [caller('echo', { kind: 'echo' }, '10.0.0.1')],
    rules: [
      {
        to: method('GET', 8080),
        when: [{ attribute: 'destination.ip', values: ['10.0.0.1/32'] }, path('/')],
      },
      {
        to: [{ ...method('GET', 80)[0], hosts: [{ regex: '(?i)(?:one\\.one\\.one\\.one)\\.?(?::[0-9]+)?' }] }],
        when: [path('/')],
      },
    ],
    alone: 'MS1321',
  },
  'cilium/cnp-with-mutual-auth.yaml': {
    options: workload({ app: 'echo' }),
    beside: [caller('pod-worker', { app: 'pod-worker' })],
    rules: [{ from: from('pod-worker'), to: method('GET', 8080), when: [path('/headers')] }],
    alone: 'MS1321',
  },
  'smi/traffictarget-v1alpha3.yaml': {
    options: workload({}, 'service-a'),
    mend: {
      from: /^kind:/m,
      to: 'apiVersion: access.smi-spec.io/v1alpha3\nkind:',
      error: 'MS1003',
    },
    beside: [
      route('TCPRoute', '{matches: {ports: [8080]}}'),
      route('HTTPRouteGroup', '{matches: [{name: metrics, pathRegex: /metrics, methods: [GET]}]}'),
    ],
    rules: [
      {
        from: from('prometheus'),
        to: [{ methods: [{ exact: 'GET' }], paths: [{ regex: '(?:/metrics)(?s:.*)' }], ports: [8080] }],
      },
    ],
    alone: 'MS1221',
  },
  'smi/httproutegroup-v1alpha4-headers.yaml': {
    options: workload({}, 'service-a'),
    mend: {
      from: /^kind:/m,
      to: 'apiVersion: specs.smi-spec.io/v1alpha4\nkind:',
      error: 'MS1003',
    },
    beside: [
      `apiVersion: access.smi-spec.io/v1alpha3
kind: TrafficTarget
metadata: {name: t, namespace: default}
spec:
  destination: {kind: ServiceAccount, name: service-a, namespace: default}
  rules: [{kind: HTTPRouteGroup, name: the-routes}]
  sources: [{kind: ServiceAccount, name: web, namespace: default}]`,
    ],
    rules: [
      {
        from: from('web'),
        when: [
          { header: 'user-agent', joined: true, values: [{ regex: '.*Android.*' }] },
          { header: 'cookie', joined: true, values: [{ regex: '^(.*?;)?(type=insider)(;.*)?$' }] },
        ],
      },
      { from: from('web'), when: [{ header: 'user-agent', joined: true, values: [{ regex: '.*Firefox.*' }] }] },
    ],
  },
  // They split traffic: nothing is allowed or refused by them.
  'smi/trafficsplit-v1alpha2.yaml': { options: workload({}, 'a'), rules: [] },
  'smi/trafficsplit-v1alpha4-abtest.yaml': {
    options: workload({}, 'a'),
    mend: {
      from: /^kind: TrafficSplit([^]*)^kind: HTTPRouteGroup/m,
      to: 'apiVersion: split.smi-spec.io/v1alpha4\nkind: TrafficSplit$1apiVersion: specs.smi-spec.io/v1alpha2\nkind: HTTPRouteGroup',
      error: 'MS1003',
    },
    rules: [],
  },
}

describe.runIf(existsSync(folder))('examples', () => {
  test('every file is one', () => {
    const files = ['cilium', 'smi'].flatMap((name) =>
      readdirSync(new URL(name, folder)).map((file) => `${name}/${file}`),
    )
    expect(files.sort()).toEqual(Object.keys(examples).sort())
  })

  test.each(Object.entries(examples))('%s', (name, { options, beside = [], mend, rules, alone }) => {
    const original = read(name)
    if (mend) {
      expect(compileTexts([original, ...beside], options).messages.join('\n')).toContain(`error ${mend.error}`)
    }
    const text = mend ? original.replace(mend.from, mend.to) : original
    const compiled = compileTexts([text, ...beside], options)
    expect(compiled.rules, compiled.messages.join('\n')).toEqual(rules)
    if (alone) expect(compileTexts([text], options).messages.join('\n')).toContain(`error ${alone}`)
  })
})
