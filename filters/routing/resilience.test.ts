/** The headers that tell Envoy about timeouts and retries. Real Envoy takes them off again: resilience.envoy.test.ts has what it does. */
import { createNodeHost } from '@meshscript/sdk/testing/node/index'
import { afterAll, beforeAll, expect, test } from 'vitest'
import filter from './assembly/index.ts?filter'

const at = (path: string) => ({ match: [{ path: { prefix: path } }], destinations: [{ cluster: 'v1' }] })
const PREFIX = 'x-envoy-'

let configuration: object
let host: Awaited<ReturnType<typeof createNodeHost>>

beforeAll(async () => {
  const retries = {
    attempts: 3,
    on: '5xx, unavailable,reset,cancelled',
    perTryTimeout: '1.5s',
    statusCodes: [429, 503],
  }
  const routes = [
    { ...at('/short'), timeout: '0.0001s', retries: { on: 'reset' } },
    { ...at('/off'), timeout: '0s', retries: { ...retries, attempts: 0, perTryTimeout: undefined } },
    { ...at('/'), timeout: '1h1m1.25s', retries },
  ]
  configuration = { version: 1, virtualHosts: [{ domains: ['*'], routes }] }
  host = await createNodeHost({ wasm: filter, configuration })
})
afterAll(() => host?.close())

/** What the filter has set of the headers that Envoy's router reads. */
async function told(path: string, headers: Record<string, string> = {}, asked = host) {
  const { trace } = await asked.request({ path, headers })
  const set = trace!.filter(({ name }) => name === 'replace_header_map_value').map(({ args }) => args as string[])
  const own = set.filter(([, name]) => name?.startsWith(PREFIX))
  return Object.fromEntries(own.map(([, name, value]) => [name!.slice(PREFIX.length), value]))
}

const ALL = {
  'upstream-rq-timeout-ms': '3661250',
  'max-retries': '3',
  'upstream-rq-per-try-timeout-ms': '1500',
  'retriable-status-codes': '429,503',
  'retry-on': '5xx,reset',
}

test('all that a route says', async () => {
  expect(await told('/')).toEqual(ALL)
})

test('conditions of gRPC, for gRPC', async () => {
  const headers = { 'content-type': 'application/grpc+proto' }
  expect(await told('/', headers)).toEqual({ ...ALL, 'retry-grpc-on': 'unavailable,cancelled' })
})

test('no timeout, no retries', async () => {
  expect(await told('/off')).toEqual({ 'upstream-rq-timeout-ms': '0' })
})

test('no timeout becomes none by rounding, and what is not said is left to the native route', async () => {
  expect(await told('/short')).toEqual({ 'upstream-rq-timeout-ms': '1', 'retry-on': 'reset' })
})

test('what clients say that Envoy trusts comes first; conditions count from both', async () => {
  const headers = {
    'x-envoy-upstream-rq-timeout-ms': '7',
    'x-envoy-max-retries': '1',
    'x-envoy-retry-on': 'gateway-error',
  }
  // The host takes them from clients: a filter in front says them.
  const client = {
    version: 1,
    virtualHosts: [{ domains: ['*'], routes: [{ ...at('/'), headers: { request: { set: headers } } }] }],
  }
  const trusted = await createNodeHost({
    filters: [
      { wasm: filter, name: 'client', configuration: client },
      { wasm: filter, name: 'routing', configuration },
    ],
  })
  expect(await told('/', {}, trusted)).toEqual({
    ...ALL,
    'upstream-rq-timeout-ms': '7',
    'max-retries': '1',
    'retry-on': 'gateway-error,5xx,reset',
  })
  await trusted.close()
})
