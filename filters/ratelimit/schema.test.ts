import { createNodeHost } from '@meshscript/sdk/testing/node/index'
import { Ajv } from 'ajv'
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import filter from './assembly/index.ts?filter'

const read = (name: string) => readFileSync(new URL(name, import.meta.url), 'utf8')
const validate = new Ajv({ allErrors: true, strict: true, strictRequired: false, strictTypes: false }).compile(
  JSON.parse(read('schema.json')) as object,
)
const withRule = (rule: object) => ({ version: 1, rules: [rule] })
const limit = { requests: 10, per: '1s' }
const withLimit = (more: object) => withRule({ limit: { ...limit, ...more } })
const withDescriptor = (descriptor: object) => withRule({ limit, descriptors: [descriptor] })
const service = { cluster: 'c', domain: 'd' }
const withGlobal = (rule: object, global: object | null = service) => ({
  version: 1,
  ...(global && { global }),
  rules: [{ scope: 'global', descriptors: [{ method: true }], ...rule }],
})

/** Undefined where the filter takes it; else what it says. */
async function refusal(configuration: object): Promise<string | undefined> {
  try {
    const host = await createNodeHost({ wasm: filter, configuration })
    await host.close()
    return undefined
  } catch (error) {
    return (error as { logs?: { message: string }[] }).logs?.at(-1)?.message ?? String(error)
  }
}

test.each<[string, object]>([
  ['nothing', { version: 1, rules: [] }],
  ['a limit', withLimit({})],
  ['the largest', withLimit({ requests: 4_000_000_000, per: '8760h', burst: 4_000_000_000 })],
  ['the least', withLimit({ requests: 1, per: '1ms', burst: 1 })],
  ['a window', withLimit({ algorithm: 'sliding-window' })],
  ['no descriptors', withRule({ limit, descriptors: [] })],
  ['a global rule', withGlobal({})],
  ['a global rule with a limit', withGlobal({ limit: { requests: 1, per: '24h' } })],
  ['a cost as high as the burst', withRule({ limit: { ...limit, burst: 20 }, cost: 20 })],
])('%s is accepted', async (_, configuration) => {
  expect(validate(configuration), JSON.stringify(validate.errors)).toBe(true)
  expect(await refusal(configuration)).toBeUndefined()
})

test('the examples of the README are accepted', async () => {
  const examples = [...read('README.md').matchAll(/```json\n(.*?)```/gs)].map(([, json]) => JSON.parse(json!) as object)
  expect(examples.length).toBeGreaterThan(0)
  for (const example of examples) {
    expect(validate(example), JSON.stringify(validate.errors)).toBe(true)
    expect(await refusal(example)).toBeUndefined()
  }
})

test.each<[string, object, string]>([
  ['another version', { version: 2, rules: [] }, 'version: expected 1'],
  ['no rules', { version: 1 }, 'missing field "rules"'],
  ['another mode', { version: 1, mode: 'off', rules: [] }, 'mode: expected'],
  ['a status that ends nothing', { version: 1, status: 200, rules: [] }, 'status: expected'],
  ['other headers', { version: 1, headers: 'draft-04', rules: [] }, 'headers: expected'],
  ['no keys', { version: 1, maxKeys: 0, rules: [] }, 'maxKeys: expected'],
  ['too many keys', { version: 1, maxKeys: 10_000_001, rules: [] }, 'maxKeys: expected'],
  ['an unknown field', { version: 1, rules: [], limit }, 'limit: '],
  ['no limit', withRule({}), 'rules[0]: missing field "limit"'],
  ['an empty name', withRule({ limit, name: '' }), 'rules[0].name: expected a name'],
  ['a match of nothing', withRule({ limit, match: [] }), 'rules[0].match: expected'],
  ['a match that is none', withRule({ limit, match: [{ paths: [] }] }), 'rules[0].match[0]'],
  ['another scope', withRule({ limit, scope: 'host' }), 'rules[0].scope: expected'],
  ['no cost', withRule({ limit, cost: 0 }), 'rules[0].cost: expected'],
  ['no requests', withLimit({ requests: 0 }), 'rules[0].limit.requests: expected'],
  ['half a request', withLimit({ requests: 0.5 }), 'rules[0].limit.requests: expected'],
  ['too many requests', withLimit({ requests: 4_000_000_001 }), 'rules[0].limit.requests: expected'],
  ['no time', withRule({ limit: { requests: 1 } }), 'rules[0].limit: missing field "per"'],
  ['a number of seconds', withLimit({ per: '5' }), 'rules[0].limit.per: expected a duration'],
  ['no burst', withLimit({ burst: 0 }), 'rules[0].limit.burst: expected'],
  ['another algorithm', withLimit({ algorithm: 'leaky-bucket' }), 'rules[0].limit.algorithm: expected'],
  ['a descriptor of nothing', withDescriptor({}), 'rules[0].descriptors[0]: expected one of'],
  ['two in one', withDescriptor({ header: 'a', method: true }), 'rules[0].descriptors[0].method: '],
  ['a header in upper case', withDescriptor({ header: 'X-A' }), 'rules[0].descriptors[0].header: expected'],
  ['no method', withDescriptor({ method: false }), 'rules[0].descriptors[0]: expected one of'],
  ['no templates', withDescriptor({ path: [] }), 'rules[0].descriptors[0].path: expected'],
  ['no names', withDescriptor({ claim: [] }), 'rules[0].descriptors[0].claim: expected'],
  ['an empty key', withDescriptor({ method: true, as: '' }), 'rules[0].descriptors[0].as: expected'],
  ['a global rule without descriptors', withGlobal({ descriptors: [] }), 'rules[0].descriptors: expected'],
  ['a service without a domain', withGlobal({}, { cluster: 'c' }), 'global: missing field "domain"'],
])('%s is refused, with its place', async (_, configuration, message) => {
  expect(validate(configuration)).toBe(false)
  expect(await refusal(configuration)).toContain(`: ${message}`)
})

test.each<[string, object, string]>([
  ['less than a millisecond', withLimit({ per: '0.5ms' }), 'rules[0].limit.per: expected'],
  ['over a year', withLimit({ per: '8761h' }), 'rules[0].limit.per: expected'],
  ['a burst of a window', withLimit({ algorithm: 'sliding-window', burst: 1 }), 'rules[0].limit.burst: a sliding'],
  ['a cost that nobody can pay', withRule({ limit, cost: 11 }), 'rules[0].cost: expected'],
  ['no template', withDescriptor({ path: ['/ok', '/{*}a{'] }), 'rules[0].descriptors[0].path[1]: expected'],
  [
    'more counters than a worker has memory for',
    {
      version: 1,
      maxKeys: 2_000_000,
      rules: [{ scope: 'worker', descriptors: [{ method: true }], limit: { ...limit, algorithm: 'sliding-window' } }],
    },
    'rules[0]: its counters take more than 256 MB',
  ],
  ['a global rule without a service', withGlobal({}, null), 'rules[0].scope: expected'],
])('%s is refused, which no schema can say', async (_, configuration, message) => {
  expect(validate(configuration)).toBe(true)
  expect(await refusal(configuration)).toContain(`: ${message}`)
})
