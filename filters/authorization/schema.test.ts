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
])('invalid: %s', (_, configuration) => {
  expect(validate(configuration)).toBe(false)
})
