import { expect, test } from 'vitest'
import type { RuleConfig } from '../compile/authorization-config.ts'
import { namespaceMatcher, serviceAccountMatcher, trustDomainMatcher } from '../compile/istio/values.ts'
import { fieldsOf } from './fields.ts'

const wants = (rule: RuleConfig) => fieldsOf(rule).map((field) => [field.name, field.subject.kind, field.wants])

test('matchers are shown as policies have them', () => {
  const matchers = [{ exact: 'a' }, { prefix: 'a' }, { suffix: 'a' }, { present: true } as const, { regex: 'a.b' }]
  const texts = ['a', 'a*', '*a', '*', 'regex a.b']
  expect(wants({ to: [{ methods: matchers, notPaths: [{ template: '/a/{*}' }] }] })).toEqual([
    ['methods', 'method', texts],
    ['notPaths', 'path', ['/a/{*}']],
  ])
})

test('identities are shown by their names', () => {
  const principals = [
    namespaceMatcher('a.b*'),
    serviceAccountMatcher('web', 'shop'),
    trustDomainMatcher('old-*'),
    trustDomainMatcher('*'),
    trustDomainMatcher('td'),
  ]
  const names = ['namespace a.b*', 'service account shop/web', 'trust domain old-*', 'trust domain *', 'td/*']
  expect(wants({ from: [{ principals }] })).toEqual([['principals', 'principal', names]])
})

test('claims, addresses and ports', () => {
  const requestPrincipals = [{}, { issuer: { exact: 'i' } }, { issuer: { exact: 'i' }, subject: { prefix: 's' } }]
  const rule: RuleConfig = {
    from: [{ requestPrincipals, notIpBlocks: ['10.0.0.0/8'] }],
    to: [{ ports: [80, { from: 8000, to: 8100 }] }],
    when: [
      { claim: ['a', 'b'], values: [{ exact: 'x' }], notValues: [{ exact: 'y' }] },
      { attribute: 'connection.sni', values: [{ suffix: '.example' }] },
      { metadata: { filter: 'f', path: ['k'] }, list: true, values: [{ exact: 'v' }] },
    ],
  }
  expect(wants(rule)).toEqual([
    ['requestPrincipals', 'requestPrincipal', ['*', 'i/*', 'i/s*']],
    ['notIpBlocks', 'sourceIp', ['10.0.0.0/8']],
    ['ports', 'port', ['80', '8000-8100']],
    ['values', 'claim', ['x']],
    ['notValues', 'claim', ['y']],
    ['values', 'sni', ['*.example']],
    ['values', 'metadata', ['v']],
  ])
})

test('each field is asked for alone, with all that goes with it', () => {
  const rule: RuleConfig = {
    from: [{ principals: [{ exact: 'a' }], notPrincipals: [{ exact: 'b' }] }],
    when: [{ header: 'x', joined: true, values: [{ exact: '1' }], notValues: [{ exact: '2' }] }],
  }
  expect(fieldsOf(rule).map(({ alone, negated }) => [alone, negated])).toEqual([
    [{ from: [{ principals: [{ exact: 'a' }] }] }, false],
    [{ from: [{ notPrincipals: [{ exact: 'b' }] }] }, true],
    [{ when: [{ header: 'x', joined: true, values: [{ exact: '1' }] }] }, false],
    [{ when: [{ header: 'x', joined: true, notValues: [{ exact: '2' }] }] }, true],
  ])
})
