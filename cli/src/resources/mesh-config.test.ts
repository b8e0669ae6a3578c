import { expect, test } from 'vitest'
import { Diagnostics } from './diagnostics.ts'
import { defaultMeshConfig, parseMeshConfig } from './mesh-config.ts'
import { Source } from './source.ts'

function parse(text: string) {
  const diagnostics = new Diagnostics()
  const config = parseMeshConfig(new Source('mesh.yaml', text), diagnostics)
  return {
    config,
    told: diagnostics.toJSON().map((each) => `${each.line}:${each.column} ${each.severity} ${each.code}`),
  }
}

test('the fields that matter, and defaults for the rest', () => {
  expect(parse('').config).toEqual(defaultMeshConfig)
  expect(parse('accessLogFile: ""\nrootNamespace: ""\n')).toEqual({ config: defaultMeshConfig, told: [] })
  expect(parse('rootNamespace: root\ntrustDomain: td1\ntrustDomainAliases: [old]\n').config).toEqual({
    rootNamespace: 'root',
    trustDomain: 'td1',
    trustDomainAliases: ['old'],
  })
})

test('the ConfigMap of an installation', () => {
  const text = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: istio}\ndata:\n  mesh: |-\n    trustDomain: td1\n'
  expect(parse(text).config.trustDomain).toBe('td1')
})

test('wrong types and names that were probably meant', () => {
  expect(parse('trustDomain: [a]\n').told).toEqual(['1:14 error MS1102'])
  expect(parse('trustDomainAliases: old\n').told).toEqual(['1:21 error MS1102'])
  expect(parse('trustdomain: td1\n').told).toEqual(['1:1 warning MS1101'])
  expect(parse('a').told).toEqual(['1:1 error MS1102'])
})

test('external authorizers, and nothing of the other providers', () => {
  const text = `
extensionProviders:
- name: zipkin
  zipkin: {service: z, port: 9411}
- name: ext
  envoyExtAuthzHttp: {service: a/ext.a.svc.cluster.local, port: 8000, timeout: 1.5s, includeRequestHeadersInCheck: ["x-*"]}
`
  expect(parse(text)).toEqual({
    told: [],
    config: {
      ...defaultMeshConfig,
      extensionProviders: [
        { name: 'zipkin', zipkin: { service: 'z', port: 9411 } },
        {
          name: 'ext',
          envoyExtAuthzHttp: {
            service: 'a/ext.a.svc.cluster.local',
            port: 8000,
            timeout: '1.5s',
            includeRequestHeadersInCheck: ['x-*'],
          },
        },
      ],
    },
  })
  const wrong = 'envoyExtAuthzGrpc: {service: e, port: 0, timeOut: 1s, statusOnError: "9", failOpen: maybe}'
  expect(parse(`extensionProviders:\n- name: e\n  ${wrong}\n- name: e\n`).told).toEqual([
    '3:41 error MS1106',
    '3:44 error MS1101',
    '3:72 error MS1106',
    '3:87 error MS1102',
    '4:9 error MS1109',
  ])
})

test('what the listener must do with paths', () => {
  expect(parse('pathNormalization: {normalization: BASE}').told).toEqual([])
  expect(parse('pathNormalization: {normalization: MERGE_SLASHES}').told).toEqual(['1:36 info MS1407'])
  expect(parse('pathNormalization: {normalization: MERGE}').told).toEqual(['1:36 error MS1104'])
})
