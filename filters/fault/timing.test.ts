/** When things happen, by the Node host's clock, and what is drawn by chance: bounds that hold but for one run in a billion. */
import type { HostOptions } from '@meshscript/sdk/testing'
import { createNodeHost, type NodeHost } from '@meshscript/sdk/testing/node/index'
import { afterEach, expect, test } from 'vitest'
import responses from '../fault-responses/assembly/index.ts?filter'
import filter from './assembly/index.ts?filter'

let host: NodeHost
afterEach(() => host?.close())

async function start(fault: object, more: object = {}, options: HostOptions = {}) {
  host = await createNodeHost({
    wasm: filter,
    configuration: {
      version: 1,
      virtualHosts: [
        {
          domains: ['*'],
          routes: [{ match: [{ path: { prefix: '/fault' } }], fault }],
        },
      ],
      ...more,
    },
    filterState: ['fault.delay'],
    ...options,
  })
}

const delays = (count: number) =>
  Array.from({ length: count }, () => Number(host.requestSync({ path: '/fault' }).filterState['fault.delay'] ?? 0))
const mean = (numbers: readonly number[]) => numbers.reduce((sum, each) => sum + each, 0) / numbers.length
const within = (value: number, expected: number, deviation: number) =>
  expect(Math.abs(value - expected)).toBeLessThan(6 * deviation)

test.each([1, 25, 99])('%d of a hundred by chance', async (percentage) => {
  const count = 4000
  await start({ abort: { percentage, httpStatus: 500 } })
  const hit = Array.from({ length: count }, () => host.requestSync({ path: '/fault' })).filter(
    ({ status }) => status === 500,
  )
  const share = percentage / 100
  within(hit.length, count * share, Math.sqrt(count * share * (1 - share)))
})

test('delay and abort are drawn independently', async () => {
  const count = 4000
  await start({ delay: { percentage: 50, fixed: '1ms' }, abort: { percentage: 50, httpStatus: 500 } })
  const both = Array.from({ length: count }, () => host.requestSync({ path: '/fault' })).filter(
    ({ status, filterState }) => status === 500 && filterState['fault.delay'] !== undefined,
  )
  within(both.length, count / 4, Math.sqrt((count * 3) / 16))
})

test('uniform', async () => {
  await start({ delay: { percentage: 100, uniform: { min: '100ms', max: '200ms' } } })
  const drawn = delays(2000)
  expect(Math.min(...drawn)).toBeGreaterThanOrEqual(100)
  expect(Math.max(...drawn)).toBeLessThanOrEqual(200)
  within(mean(drawn), 150, 100 / Math.sqrt(12 * 2000))
  const low = drawn.filter((each) => each < 125).length
  within(low, 500, Math.sqrt((2000 * 3) / 16) + 10)
})

test('normal', async () => {
  await start({ delay: { percentage: 100, normal: { mean: '100ms', deviation: '20ms', max: '150ms' } } })
  const drawn = delays(4000)
  expect(Math.max(...drawn)).toBe(150)
  const centre = drawn.filter((each) => Math.abs(each - 100) <= 20).length
  within(centre / 4000, 0.6945, Math.sqrt((0.3 * 0.7) / 4000))
  within(mean(drawn), 100, 0.5)
})

test('spikes', async () => {
  await start({ delay: { percentage: 100, spikes: { base: '10ms', spike: '1s', percentage: 5 } } })
  const drawn = delays(4000)
  expect([...new Set(drawn)].sort()).toEqual([10, 1000])
  within(drawn.filter((each) => each === 1000).length, 200, Math.sqrt(4000 * 0.05 * 0.95))
})

test('a thousand at once: each goes on within a millisecond of its time', async () => {
  const arrived: number[] = []
  await start(
    { delay: { percentage: 100, uniform: { min: '0s', max: '4s' } } },
    {},
    { upstream: ({ headers }) => ((arrived[Number(headers.get('x-number'))] = host.now), 200) },
  )
  const begin = host.now
  const streams = await Promise.all(
    Array.from({ length: 1000 }, async (_, i) => {
      const stream = await host.stream({ path: '/fault', headers: { 'x-number': String(i) } })
      await stream.end()
      return stream
    }),
  )
  const responses = await Promise.all(streams.map((stream) => stream.response()))
  for (const [i, { status, filterState }] of responses.entries()) {
    expect(status).toBe(200)
    // Told in whole milliseconds.
    expect(Math.abs(arrived[i]! - begin - Number(filterState['fault.delay']) - 0.5)).toBeLessThanOrEqual(1)
  }
})

const periods = () =>
  host.trace.filter(({ name }) => name === 'set_tick_period_milliseconds').map(({ args }) => Number(args.at(-1)))
const ticks = () => host.trace.filter(({ name }) => name === 'on_tick').length

test('there are ticks only while somebody waits', async () => {
  await start({ delay: { percentage: 100, fixed: '40ms' } })
  await host.request('/other')
  expect(periods()).toEqual([])
  await host.request('/fault')
  expect(periods()).toEqual([40, 0])
  const before = ticks()
  await host.advance('10s')
  expect(ticks()).toBe(before)
})

test('one who waits long, and one who comes later with less to wait', async () => {
  await start(
    { delay: { percentage: 100, fixed: '10s' } },
    { headers: { delay: 'x-d', allow: [{ path: { prefix: '/' } }] } },
  )
  const long = await host.stream({ path: '/fault', timeout: 20_000 })
  await long.end()
  const begin = host.now
  await host.request('/', { headers: { 'x-d': '5' } })
  expect(host.now - begin).toBe(5)
  await long.response()
  expect(host.now - begin).toBe(10_000)
})

test('what is reset while it waits is taken out', async () => {
  await start({ delay: { percentage: 100, fixed: '1h' } })
  for (let i = 0; i < 50; i++) {
    const stream = await host.stream({ path: '/fault' })
    await stream.abort()
  }
  await host.advance('2s')
  expect(periods().at(-1)).toBe(0)
  const before = ticks()
  await host.advance('2h')
  expect(ticks()).toBe(before)
  expect(host.failures).toEqual([])
})

test('what waits goes on as it was to, when there is another configuration', async () => {
  await start({ delay: { percentage: 100, fixed: '1s' } })
  const stream = await host.stream({ path: '/fault' })
  await stream.end()
  await host.reconfigure({ version: 1, virtualHosts: [], enabled: false })
  const begin = host.now
  expect((await stream.response()).status).toBe(200)
  expect(host.now - begin).toBe(1000)
  expect((await host.request('/fault')).filterState['fault.delay']).toBeUndefined()
})

test.each([
  ['fault', filter, ['get_header_map_pairs'], ['on_context_create', 'on_request_headers']],
  [
    'fault-responses',
    responses,
    ['get_header_map_pairs'],
    ['on_context_create', 'on_request_headers', 'on_response_body'],
  ],
])('%s: what a request without a fault costs', async (_, wasm, calls, callbacks) => {
  await start({ delay: { percentage: 0, fixed: '1s' } }, {}, { wasm })
  const { trace } = await host.request('/fault')
  const names = (kind: string) => trace!.filter((entry) => entry.kind === kind).map(({ name }) => name)
  expect(names('hostcall')).toEqual(calls)
  expect([...new Set(names('callback'))]).toEqual(callbacks)
})
