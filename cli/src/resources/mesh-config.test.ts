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
  expect(parse('accessLogFile: /dev/stdout\nrootNamespace: ""\n')).toEqual({ config: defaultMeshConfig, told: [] })
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
