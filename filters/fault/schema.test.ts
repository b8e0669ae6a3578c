import { createNodeHost } from '@meshscript/sdk/testing/node/index'
import { Ajv } from 'ajv'
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import filter from '../fault-responses/assembly/index.ts?filter'
import withoutResponses from './assembly/index.ts?filter'

const read = (name: string) => readFileSync(new URL(name, import.meta.url), 'utf8')
const validate = new Ajv({ allErrors: true, strict: true, strictRequired: false, allowUnionTypes: true }).compile(
  JSON.parse(read('schema.json')) as object,
)
const withFault = (fault: object) => ({ version: 1, virtualHosts: [{ domains: ['*'], routes: [{ fault }] }] })
const withDelay = (delay: object) => withFault({ delay: { percentage: 1, ...delay } })
const withAbort = (abort: object) => withFault({ abort: { percentage: 1, ...abort } })
const withHeaders = (headers: object) => ({
  version: 1,
  virtualHosts: [],
  headers: { allow: [{ path: { exact: '/' } }], ...headers },
})

/** Undefined where the filter takes it; else what it says. */
async function refusal(configuration: object, wasm = filter): Promise<string | undefined> {
  try {
    const host = await createNodeHost({ wasm, configuration })
    await host.close()
    return undefined
  } catch (error) {
    return (error as { logs?: { message: string }[] }).logs?.at(-1)?.message ?? String(error)
  }
}

const delay = { percentage: 0.5, fixed: '1.5s' }
const EVERYTHING = {
  $schema: 'schema.json',
  version: 1,
  enabled: false,
  virtualHosts: [
    {
      name: 'h',
      domains: ['a', '*.a', '*'],
      routes: [
        {
          name: 'r',
          match: [{ path: { prefix: '/A' }, ignoreCase: true, headers: { 'x-a': { present: true } } }],
          fault: {
            delay,
            abort: { percentage: 100, grpcStatus: 'UNAVAILABLE', body: '' },
            response: {
              corrupt: { percentage: 0, bytes: 65536 },
              chunkDelay: { percentage: 1, uniform: { min: '1ms', max: '1ms' } },
            },
            by: { header: 'x-user' },
            until: '2026-12-01T00:00:00.123456789-07:30',
          },
        },
        { fault: { delay: { percentage: 1, normal: { mean: '1s', deviation: '0s', max: '24h' } } } },
        { fault: { delay: { percentage: 1, spikes: { base: '0s', spike: '1m30s', percentage: 0.1 } } } },
        { fault: { abort: { percentage: 1, httpStatus: 599 } } },
        {},
      ],
    },
  ],
  headers: {
    delay: 'x-d',
    abort: 'x-a',
    allow: [{ principal: { suffix: 'a' } }],
    maxDelay: '1m',
    until: '2000-02-30T00:00:00Z',
  },
}

test.each<[string, object]>([
  ['nothing', { version: 1, virtualHosts: [] }],
  ['a host without routes', { version: 1, virtualHosts: [{ domains: ['a'], routes: [] }] }],
  ['everything', EVERYTHING],
])('%s is accepted', async (_, configuration) => {
  expect(validate(configuration), JSON.stringify(validate.errors)).toBe(true)
  expect(await refusal(configuration)).toBeUndefined()
})

test('the examples of the README are accepted', async () => {
  const pages = read('README.md') + read('../fault-responses/README.md')
  const examples = [...pages.matchAll(/```json\n(.*?)```/gs)].map(([, json]) => JSON.parse(json!) as object)
  expect(examples).toHaveLength(2)
  for (const example of examples) {
    expect(validate(example), JSON.stringify(validate.errors)).toBe(true)
    expect(await refusal(example)).toBeUndefined()
  }
})

const FAULT = 'virtualHosts[0].routes[0].fault'
test.each<[string, object, string]>([
  ['another version', { version: 2, virtualHosts: [] }, 'version: expected 1'],
  ['no hosts', { version: 1 }, 'missing field "virtualHosts"'],
  ['no domains', { version: 1, virtualHosts: [{ domains: [], routes: [] }] }, 'virtualHosts[0].domains: expected'],
  ['a fault of nothing', withFault({}), `${FAULT}: expected at least one of`],
  ['a response fault of nothing', withFault({ response: {} }), `${FAULT}.response: expected at least one of`],
  ['no percentage', withFault({ delay: { fixed: '1s' } }), `${FAULT}.delay: missing field "percentage"`],
  ['more than all', withDelay({ percentage: 101, fixed: '1s' }), `${FAULT}.delay.percentage: expected a number from 0`],
  ['less than none', withDelay({ percentage: -1, fixed: '1s' }), `${FAULT}.delay.percentage: expected a number from 0`],
  ['no duration', withDelay({}), `${FAULT}.delay: expected one of`],
  ['two durations', withDelay({ fixed: '1s', uniform: { min: '1s', max: '2s' } }), `${FAULT}.delay: expected one of`],
  ['a duration without a unit', withDelay({ fixed: '5' }), `${FAULT}.delay.fixed: expected a duration`],
  ['a number for a duration', withDelay({ fixed: 5 }), `${FAULT}.delay.fixed: expected`],
  ['a range without an end', withDelay({ uniform: { min: '1s' } }), `${FAULT}.delay.uniform: missing field "max"`],
  ['no deviation', withDelay({ normal: { mean: '1s' } }), `${FAULT}.delay.normal: missing field "deviation"`],
  [
    'spikes of nobody',
    withDelay({ spikes: { base: '1s', spike: '1s' } }),
    `${FAULT}.delay.spikes: missing field "percentage"`,
  ],
  ['no status', withAbort({}), `${FAULT}.abort: expected one of`],
  ['two', withAbort({ httpStatus: 500, grpcStatus: 'UNKNOWN' }), `${FAULT}.abort: expected one of`],
  ['a status that ends nothing', withAbort({ httpStatus: 100 }), `${FAULT}.abort.httpStatus: expected`],
  ['a gRPC status of none', withAbort({ grpcStatus: 'unavailable' }), `${FAULT}.abort.grpcStatus: expected`],
  [
    'no bytes',
    withFault({ response: { corrupt: { percentage: 1, bytes: 0 } } }),
    `${FAULT}.response.corrupt.bytes: expected`,
  ],
  ['a key in upper case', withFault({ delay, by: { header: 'X-User' } }), `${FAULT}.by.header: expected`],
  ['no key', withFault({ delay, by: {} }), `${FAULT}.by: missing field "header"`],
  ['another key', withFault({ delay, by: { header: 'a', cookie: 'a' } }), `${FAULT}.by.cookie: `],
  ['a day', withFault({ delay, until: '2026-12-01' }), `${FAULT}.until: expected a time`],
  ['month 13', withFault({ delay, until: '2026-13-01T00:00:00Z' }), `${FAULT}.until: expected a time`],
  ['no offset', withFault({ delay, until: '2026-12-01T00:00:00' }), `${FAULT}.until: expected a time`],
  ['an offset of none', withFault({ delay, until: '2026-12-01T00:00:00+2400' }), `${FAULT}.until: expected a time`],
  ['a fraction of nothing', withFault({ delay, until: '2026-12-01T00:00:00.Z' }), `${FAULT}.until: expected a time`],
  ['an unknown field', { ...withFault({ delay }), enable: true }, 'enable: '],
  ['no headers', withHeaders({}), 'headers: expected at least one of'],
  ['a header in upper case', withHeaders({ delay: 'X-D' }), 'headers.delay: expected'],
  ['nobody who may', { version: 1, virtualHosts: [], headers: { delay: 'a' } }, 'headers: missing field "allow"'],
  ['an empty list of who may', withHeaders({ delay: 'a', allow: [] }), 'headers.allow: expected'],
])('%s is refused, with its place', async (_, configuration, message) => {
  expect(validate(configuration)).toBe(false)
  expect(await refusal(configuration)).toContain(`: ${message}`)
})

test.each<[string, object, string]>([
  ['a range that ends before it begins', withDelay({ uniform: { min: '2s', max: '1s' } }), 'uniform.max: expected'],
  ['a limit below the mean', withDelay({ normal: { mean: '2s', deviation: '1s', max: '1s' } }), 'normal.max: expected'],
  ['over a day', withDelay({ fixed: '25h' }), 'fixed: expected at most 24h'],
])('%s is refused, which no schema can say', async (_, configuration, message) => {
  expect(validate(configuration)).toBe(true)
  expect(await refusal(configuration)).toContain(`${FAULT}.delay.${message}`)
})

test('faults of responses are refused by the module without callbacks for them', async () => {
  const configuration = withFault({ response: { corrupt: { percentage: 1 } } })
  expect(await refusal(configuration)).toBeUndefined()
  expect(await refusal(configuration, withoutResponses)).toContain(`: ${FAULT}.response: this module does not see`)
})
