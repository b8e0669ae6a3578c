import { Ajv } from 'ajv'
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

const read = (name: string) => readFileSync(new URL(name, import.meta.url), 'utf8')
const validate = new Ajv({ allErrors: true, strict: true, strictRequired: false }).compile(
  JSON.parse(read('schema.json')) as object,
)
const withRule = (rule: object) => ({ version: 1, policies: [{ name: 'p', action: 'ALLOW', rules: [rule] }] })

test('the examples of the README are valid', () => {
  const examples = [...read('README.md').matchAll(/```json\n(.*?)```/gs)].map(([, json]) => JSON.parse(json!))
  expect(examples.length).toBeGreaterThan(0)
  for (const example of examples) expect(validate(example), JSON.stringify(validate.errors)).toBe(true)
})

test.each([
  ['no policies', { version: 1, policies: [] }],
  ['a policy without rules', { version: 1, policies: [{ name: 'p', action: 'ALLOW', rules: [] }] }],
  ['a rule that matches everything', withRule({})],
  [
    'every matcher',
    withRule({ when: [{ header: 'a', values: [{ exact: '' }, { prefix: 'a' }, { suffix: 'b' }, { present: true }] }] }),
  ],
  [
    'every field',
    withRule({
      from: [
        {
          principals: [{ regex: '.*/ns/a/.*' }],
          notNamespaces: [{ exact: 'a' }],
          requestPrincipals: [{ issuer: { exact: 'i' }, subject: { prefix: 's' } }, {}],
          ipBlocks: ['10.0.0.0/8', '::1'],
          notRemoteIpBlocks: ['9.9.9.9'],
        },
      ],
      to: [
        {
          methods: [{ exact: 'GET' }],
          notPaths: [{ template: '/a/{*}/b/{**}' }],
          hosts: [{ suffix: '.example' }],
          ports: [80, { from: 8000, to: 8100 }],
        },
      ],
      when: [
        { header: 'a', joined: true, values: [{ regex: 'a+' }] },
        { claim: ['a', 'b'], notValues: [{ exact: 'c' }] },
        { metadata: { filter: 'envoy.filters.http.x', path: ['a'] }, list: true, values: [{ exact: 'v' }] },
        { attribute: 'source.ip', values: ['::/0'] },
        { attribute: 'destination.port', values: [1, { from: 2, to: 3 }] },
        { attribute: 'connection.sni', values: [{ present: true }] },
        { attribute: 'request.principal', values: [{ subject: { regex: 's+' } }] },
      ],
      headerActions: [{ header: 'a', value: 'b', onMismatch: 'REPLACE' }],
    }),
  ],
  [
    'every action',
    {
      version: 1,
      mode: 'audit',
      record: 'all',
      denial: { status: 404, body: '' },
      policies: [
        { name: 'a', action: 'DENY', dryRun: true, rules: [] },
        { name: 'b', action: 'AUDIT', rules: [] },
        { name: 'c', action: 'CUSTOM', provider: 'p', rules: [] },
      ],
      providers: { p: { grpc: { cluster: 'c' } } },
    },
  ],
])('valid: %s', (_, configuration) => {
  expect(validate(configuration), JSON.stringify(validate.errors)).toBe(true)
})

test.each([
  ['no version', { policies: [] }],
  ['another version', { version: 2, policies: [] }],
  ['an unknown field', { version: 1, policies: [], polices: [] }],
  ['another action', { version: 1, policies: [{ name: 'p', action: 'LOG', rules: [] }] }],
  ['an empty list', withRule({ from: [] })],
  ['an empty entry', withRule({ to: [{}] })],
  ['a condition that asks nothing', withRule({ when: [{ header: 'a' }] })],
  ['a header name in upper case', withRule({ when: [{ header: 'X-A', values: [{ exact: 'a' }] }] })],
  ['a matcher with two keys', withRule({ to: [{ paths: [{ exact: 'a', prefix: 'b' }] }] })],
  ['an empty prefix', withRule({ to: [{ paths: [{ prefix: '' }] }] })],
  ['absence', withRule({ when: [{ header: 'a', values: [{ present: false }] }] })],
  ['a template that is no path', withRule({ to: [{ hosts: [{ template: '/a' }] }] })],
  ['two subjects of a condition', withRule({ when: [{ header: 'a', claim: ['a'], values: [{ exact: 'a' }] }] })],
  ['texts for an address', withRule({ when: [{ attribute: 'source.ip', values: [{ exact: 'a' }] }] })],
  ['a port beyond all', withRule({ to: [{ ports: [65536] }] })],
  ['a range without an end', withRule({ to: [{ ports: [{ from: 1 }] }] })],
  ['an unknown header action', withRule({ headerActions: [{ header: 'a', onMismatch: 'LEAVE' }] })],
  ['header actions of DENY', { version: 1, policies: [{ name: 'p', action: 'DENY', rules: [{ headerActions: [] }] }] }],
  ['CUSTOM without a provider', { version: 1, policies: [{ name: 'p', action: 'CUSTOM', rules: [] }] }],
  ['ALLOW with a provider', { version: 1, policies: [{ name: 'p', action: 'ALLOW', provider: 'x', rules: [] }] }],
  ['a dry run of AUDIT', { version: 1, policies: [{ name: 'p', action: 'AUDIT', dryRun: true, rules: [] }] }],
  ['a status that refuses nothing', { version: 1, policies: [], denial: { status: 200 } }],
])('invalid: %s', (_, configuration) => {
  expect(validate(configuration)).toBe(false)
})
