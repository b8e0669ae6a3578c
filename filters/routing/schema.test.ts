import { createNodeHost } from '@meshscript/sdk/testing/node/index'
import { Ajv } from 'ajv'
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import filter from './assembly/index.ts?filter'

const read = (name: string) => readFileSync(new URL(name, import.meta.url), 'utf8')
const validate = new Ajv({ allErrors: true, strict: true, strictRequired: false, allowUnionTypes: true }).compile(
  JSON.parse(read('schema.json')) as object,
)
const route = (json: object) => ({ version: 1, virtualHosts: [{ domains: ['*'], routes: [json] }] })
const destinations = [{ cluster: 'a' }]
const withMatch = (match: object) => route({ destinations, match: [match] })

/** Schema and filter must say the same. */
async function isAccepted(configuration: object): Promise<boolean> {
  try {
    const host = await createNodeHost({ wasm: filter, configuration })
    await host.close()
    return true
  } catch {
    return false
  }
}

const EVERYTHING = {
  $schema: 'schema.json',
  version: 1,
  clusterHeader: 'x-c',
  nativeHeader: 'x-n',
  unknownHost: 'pass',
  virtualHosts: [
    {
      name: 'h',
      domains: ['a', '*.a', 'a.*', '*'],
      routes: [
        {
          name: 'r',
          match: [
            {
              path: { prefix: '/A' },
              ignoreCase: true,
              method: { exact: 'GET' },
              scheme: { regex: 'https?' },
              authority: { suffix: '.a' },
              headers: { 'x-a': { present: true } },
              withoutHeaders: { 'x-b': { exact: '' } },
              queryParams: { Q: { prefix: '1' } },
              claims: [{ claim: ['a', 'b'], value: { exact: 'c' } }],
              principal: { prefix: 'cluster.local/' },
            },
            { path: { segments: '/a' } },
            { path: { template: '/a/{*}' } },
          ],
          destinations: [
            {
              cluster: 'c',
              weight: 0.5,
              authority: 'a',
              headers: { request: { set: { a: '1' }, add: { b: '' }, remove: ['c'] }, response: {} },
            },
          ],
          sticky: { claim: ['sub'] },
          rewrite: { regex: { match: '^/(.*)', substitution: '/x/\\1' }, authority: 'b' },
          headers: { response: { remove: ['x'] } },
          timeout: '1m30.5s',
          retries: { attempts: 2, perTryTimeout: '1s', on: '5xx', statusCodes: [429] },
          cors: {
            allowOrigins: [{ exact: '*' }],
            allowMethods: ['GET'],
            allowHeaders: ['a'],
            exposeHeaders: ['b'],
            maxAge: '24h',
            allowCredentials: true,
            unmatchedPreflights: 'ignore',
          },
          mirrors: [{ cluster: 'm', percentage: 0.5 }],
          native: 'm1',
        },
        { redirect: { status: 308, scheme: 'https', authority: 'a', port: 8443, path: '/a' } },
        { redirect: { port: 'request', prefix: '/b' } },
        { directResponse: { status: 200, body: 'a', contentType: 'a/b' } },
        { directResponse: { status: 503, bodyBase64: 'YQ==' } },
      ],
    },
  ],
}

test.each<[string, object]>([
  ['nothing', { version: 1, virtualHosts: [] }],
  ['a host without routes', { version: 1, virtualHosts: [{ domains: ['a'], routes: [] }] }],
  ['everything', EVERYTHING],
])('%s is accepted', async (_, configuration) => {
  expect(validate(configuration), JSON.stringify(validate.errors)).toBe(true)
  expect(await isAccepted(configuration)).toBe(true)
})

test('the examples of the README are accepted', async () => {
  const examples = [...read('README.md').matchAll(/```json\n(.*?)```/gs)].map(([, json]) => JSON.parse(json!) as object)
  expect(examples.length).toBeGreaterThan(0)
  for (const example of examples) {
    expect(validate(example), JSON.stringify(validate.errors)).toBe(true)
    expect(await isAccepted(example)).toBe(true)
  }
})

test.each<[string, object]>([
  ['another version', { version: 2, virtualHosts: [] }],
  ['no domains', { version: 1, virtualHosts: [{ domains: [], routes: [] }] }],
  ['a header name in upper case', { version: 1, virtualHosts: [], clusterHeader: 'X-C' }],
  ['nothing to do', route({})],
  ['two things to do', route({ destinations, redirect: {} })],
  ['a negative weight', route({ destinations: [{ cluster: 'a', weight: -1 }] })],
  ['sticky without destinations', route({ redirect: {}, sticky: { cookie: 'a' } })],
  ['two keys', route({ destinations, sticky: { cookie: 'a', header: 'b' } })],
  ['an empty match', withMatch({})],
  ['two matchers', withMatch({ path: { exact: '/a', prefix: '/b' } })],
  ['a template of a header', withMatch({ headers: { a: { template: '/a' } } })],
  ['segments without a slash', withMatch({ path: { segments: 'a' } })],
  ['present: false', withMatch({ headers: { a: { present: false } } })],
  ['an empty prefix', withMatch({ path: { prefix: '' } })],
  ['a claim without a name', withMatch({ claims: [{ claim: [], value: { exact: 'a' } }] })],
  ['an unknown field', withMatch({ uri: { exact: '/' } })],
  ['another redirect', route({ redirect: { status: 300 } })],
  ['both path and prefix', route({ redirect: { path: '/a', prefix: '/b' } })],
  ['port 0', route({ redirect: { port: 0 } })],
  ['two bodies', route({ directResponse: { status: 200, body: '', bodyBase64: '' } })],
  ['a status that ends nothing', route({ directResponse: { status: 100 } })],
  ['two rewrites', route({ destinations, rewrite: { prefix: '/', regex: { match: 'a', substitution: '' } } })],
  ['a header name in upper case to set', route({ destinations, headers: { request: { set: { 'X-A': '1' } } } })],
  ['a number for a duration', route({ destinations, timeout: 5 })],
  ['a duration without a unit', route({ destinations, timeout: '5' })],
  ['a negative count', route({ destinations, retries: { attempts: -1 } })],
  ['a status code of none', route({ destinations, retries: { statusCodes: [99] } })],
  ['CORS without origins', route({ destinations, cors: {} })],
  ['more than all', route({ destinations, mirrors: [{ cluster: 'm', percentage: 101 }] })],
  ['an empty cluster', route({ destinations: [{ cluster: '' }] })],
])('%s is refused', async (_, configuration) => {
  expect(validate(configuration)).toBe(false)
  expect(await isAccepted(configuration)).toBe(false)
})
