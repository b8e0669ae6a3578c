/** Timeouts and retries, which real Envoy takes from headers that the filter sets. */
import { cluster, type Host, type HandlerResult } from '@meshscript/sdk/testing'
import { createEnvoyHost } from '@meshscript/sdk/testing/envoy/index'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import filter from './assembly/index.ts?filter'

const at = (path: string) => ({ match: [{ path: { prefix: path } }], destinations: [{ cluster: 'v1' }] })

let host: Host
let attempts = 0
let answer: (attempt: number) => HandlerResult = () => 200
let names: string[] = []

beforeAll(async () => {
  const routes = [
    { ...at('/5xx'), retries: { attempts: 3, on: '5xx' } },
    { ...at('/codes'), retries: { attempts: 2, on: 'retriable-status-codes', statusCodes: [429, 503] } },
    { ...at('/off'), retries: { attempts: 0, on: '5xx' } },
    { ...at('/reset'), retries: { attempts: 2, on: 'reset' } },
    { ...at('/try'), retries: { attempts: 1, on: '5xx', perTryTimeout: '0.2s' } },
    { ...at('/grpc'), retries: { attempts: 1, on: 'connect-failure,unavailable,cancelled' } },
    { ...at('/timeout'), timeout: '0.3s' },
    { ...at('/long'), timeout: '10s' },
    { ...at('/endless'), timeout: '0s' },
    { destinations: [{ cluster: 'v1' }] },
  ]
  const upstream = cluster.http(({ headers }) => {
    names = headers.entries.map(([name]) => name)
    return answer(++attempts)
  })
  host = await createEnvoyHost({
    wasm: filter,
    configuration: { version: 1, virtualHosts: [{ domains: ['*'], routes }] },
    clusters: { v1: upstream },
    routes: [{ clusterHeader: 'x-meshscript-cluster' }],
  })
})
afterAll(() => host?.close())
beforeEach(() => {
  attempts = 0
})

test.each<[string, HandlerResult, number, number]>([
  ['/5xx', 500, 2, 3],
  ['/5xx', 500, 9, 4],
  ['/5xx', 404, 9, 1],
  ['/codes', 429, 9, 3],
  ['/codes', 500, 9, 1],
  ['/off', 503, 9, 1],
  ['/reset', { reset: true }, 9, 3],
  ['/try', { hang: true }, 1, 2],
  ['/', 503, 9, 1],
])('%s, %j for the first %d: %d attempts', async (path, failure, first, expected) => {
  answer = (attempt) => (attempt <= first ? failure : 200)
  const { status } = await host.request(path)
  expect(attempts).toBe(expected)
  expect(status === 200).toBe(first < expected)
  // None of it goes on to the upstream.
  expect(names.filter((name) => /^x-envoy-(retr|max-retries|upstream-rq-)/.test(name))).toEqual([])
})

test('conditions of gRPC count for gRPC', async () => {
  answer = (attempt) => ({
    status: 200,
    headers: { 'content-type': 'application/grpc', 'grpc-status': attempt === 1 ? '14' : '0' },
  })
  const init = { method: 'POST', path: '/grpc', headers: { 'content-type': 'application/grpc', te: 'trailers' } }
  expect((await host.request(init)).grpcStatus).toBe(0)
  expect(attempts).toBe(2)
})

test('a timeout', async () => {
  answer = () => ({ hang: true })
  const begin = performance.now()
  const { status, text } = await host.request('/timeout')
  expect([status, text]).toEqual([504, 'upstream request timeout'])
  expect(performance.now() - begin).toBeGreaterThan(250)
})
