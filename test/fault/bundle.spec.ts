/** Faults in a bundle, where the proxy's timer and bodies are shared with other filters. */
import { cluster, createHost, type Host } from '@meshscript/sdk/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { build } from '../bundle/build.ts'

const body = 'The quick brown fox jumps over the lazy dog. '.repeat(50)
const wasm = await build('fault-responses', 'routing')
const at = (path: string, fault: object) => ({ name: path, match: [{ path: { exact: path } }], fault })
const always = { percentage: 100, fixed: '60ms' }

let host: Host
beforeAll(async () => {
  host = await createHost({
    wasm,
    configuration: {
      version: 1,
      'fault-responses': {
        version: 1,
        virtualHosts: [
          {
            domains: ['*'],
            routes: [
              at('/late', { delay: always }),
              at('/slow', { response: { chunkDelay: always } }),
              at('/bad', { response: { corrupt: { percentage: 100, bytes: 5 } } }),
              at('/all', { delay: always, response: { chunkDelay: always, corrupt: { percentage: 100, bytes: 5 } } }),
              at('/abort', { delay: always, abort: { percentage: 100, httpStatus: 418 } }),
            ],
          },
        ],
      },
      routing: {
        version: 1,
        virtualHosts: [
          {
            domains: ['*'],
            routes: [{ destinations: [{ cluster: 'v1' }], headers: { response: { set: { 'x-a': 'b' } } } }],
          },
        ],
      },
    },
    clusters: {
      v1: cluster.http(() => ({ body: [body, body], trailers: { 'x-trailer': 't' } }), { protocol: 'http2' }),
    },
    routes: [{ clusterHeader: 'x-meshscript-cluster' }],
    filterState: ['fault.delay'],
  })
})
afterAll(() => host?.close())

test.each([
  ['/', 0, undefined],
  ['/late', 0, '60'],
  ['/slow', 0, undefined],
  ['/bad', 5, undefined],
  ['/all', 5, '60'],
])('%s', async (path, changed, delay) => {
  const init = { method: 'POST', body: ['some', 'body'], protocol: 'http2' as const }
  // Several at once share the timer.
  for (const response of await Promise.all([1, 2, 3].map(() => host.request(path, init)))) {
    expect(response).toMatchObject({ status: 200, reset: false, filterState: delay ? { 'fault.delay': delay } : {} })
    expect([response.headers.get('x-a'), response.trailers.get('x-trailer')]).toEqual(['b', 't'])
    const expected = Buffer.from(body + body)
    expect(response.body.length).toBe(expected.length)
    expect([...response.body].filter((byte, i) => byte !== expected[i])).toHaveLength(changed)
  }
})

test('an abort', async () => {
  expect(await host.request('/abort')).toMatchObject({ status: 418, text: 'fault filter abort' })
})
