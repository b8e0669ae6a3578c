/** When tokens come and windows end, to the millisecond, by the Node host's clock: compared with what is reckoned without any rounding. */
import { createNodeHost, type NodeHost } from '@meshscript/sdk/testing/node/index'
import { afterEach, expect, test } from 'vitest'
import filter from '../../filters/ratelimit/assembly/index.ts?filter'
import { Random } from '../json/documents.ts'

let host: NodeHost
afterEach(() => host?.close())

async function start(rule: object, workers = 1) {
  host = await createNodeHost({
    wasm: filter,
    configuration: { version: 1, rules: [{ name: 'r', ...rule }] },
    routes: [{ directResponse: { status: 200 } }],
    workers,
    now: 1_800_000_000_000,
    trace: false,
  })
}

const passes = (): boolean => host.requestSync({ path: '/' }).status === 200

test.each(Array.from({ length: 12 }, (_, i) => i + 1))('a token bucket is exact (seed %d)', async (seed) => {
  const random = new Random(seed)
  const requests = random.pick([1, 2, 3, 7, 33, 97, 1000])
  const per = random.pick([1, 7, 100, 1000, 60_000, 3_600_000])
  const burst = random.pick([1, 2, 5, requests])
  const scope = random.pick(['worker', 'proxy'])
  await start({ limit: { requests, per: `${per}ms`, burst }, scope }, scope === 'worker' ? 1 : 3)
  // In parts of a token of which each millisecond brings a whole number.
  const most = BigInt(burst) * BigInt(per)
  let [tokens, last] = [most, host.now]
  const wrong: object[] = []
  for (let i = 0; i < 1000; i++) {
    if (random.below(3) === 0) host.advanceSync(random.below(Math.max(2, Math.ceil((2 * per) / requests))))
    tokens += BigInt(host.now - last) * BigInt(requests)
    if (tokens > most) tokens = most
    last = host.now
    const expected = tokens >= BigInt(per)
    if (expected) tokens -= BigInt(per)
    if (passes() !== expected) wrong.push({ i, expected })
  }
  expect(wrong, JSON.stringify({ requests, per, burst, scope })).toEqual([])
})

test.each([
  ['the longest time', { requests: 1, per: '8760h', burst: 3 }, 3, 8760 * 3_600_000],
  ['the most requests', { requests: 4_000_000_000, per: '8760h', burst: 1 }, 1, 8],
  ['what has no common measure', { requests: 3_999_999_979, per: '8759h59m59.999s', burst: 4_000_000_000 }, 5, 8],
])('a token bucket of %s', async (_, limit, atOnce, next) => {
  await start({ limit })
  for (let i = 0; i < atOnce; i++) expect(passes()).toBe(true)
  if (limit.burst === atOnce) expect(passes()).toBe(false)
  host.advanceSync(next)
  expect(passes()).toBe(true)
})

const WINDOWS = [
  { requests: 1, per: 200, cost: 1 },
  { requests: 33, per: 1000, cost: 1 },
  { requests: 200, per: 1000, cost: 1 },
  { requests: 200, per: 60_000, cost: 10 },
  { requests: 70_000, per: 1000, cost: 350 },
]
const DEMANDS = ['1.02 times as many', '3 times as many', 'bursts'] as const

test.each(WINDOWS.flatMap((limit, i) => DEMANDS.map((demand, n) => ({ ...limit, demand, seed: 3 * i + n }))))(
  'a sliding window lets no more pass in any stretch of its length: %o',
  async ({ requests, per, cost, demand, seed }) => {
    await start({ limit: { requests, per: `${per}ms`, algorithm: 'sliding-window' }, cost }, 3)
    const random = new Random(seed)
    const most = requests / cost
    const pause = per / most / (demand.startsWith('3') ? 3 : 1.02)
    const passed: number[] = []
    for (let i = 0; i < 2000; i++) {
      if (demand !== 'bursts') host.advanceSync(pause)
      else if (random.below(50) === 0) host.advanceSync(random.below(per / 2))
      if (passes()) passed.push(host.now)
    }
    let widest = 0
    for (let i = 0, from = 0; i < passed.length; i++) {
      while (passed[i]! - passed[from]! >= per) from++
      widest = Math.max(widest, i - from + 1)
    }
    expect(widest).toBe(most)
  },
)

test('a sliding window gives back what is as old as it, one 128th later at the most', async () => {
  const per = 12_800
  await start({ limit: { requests: 10, per: `${per}ms`, algorithm: 'sliding-window' } })
  for (let i = 0; i < 10; i++) {
    expect(passes()).toBe(true)
    host.advanceSync(250)
  }
  const begin = host.now - 2500
  expect(passes()).toBe(false)
  for (let i = 0; i < 10; i++) {
    const due = begin + 250 * i + per
    host.advanceSync(due - 1 - host.now)
    expect(passes()).toBe(false)
    host.advanceSync(per / 128 + 1)
    expect(passes()).toBe(true)
    expect(passes()).toBe(false)
  }
})

test('under steady load a sliding window lets at least 98 % of the limit pass', async () => {
  await start({ limit: { requests: 100, per: '1s', algorithm: 'sliding-window' } }, 3)
  let passed = 0
  for (let time = 0; time < 60_000; time += 4) {
    if (passes()) passed++
    host.advanceSync(4)
  }
  expect(passed).toBeGreaterThanOrEqual(0.98 * 6000)
})

test('the shared counters of many users are under so many names as there is room for, and no more', async () => {
  host = await createNodeHost({
    wasm: filter,
    configuration: {
      version: 1,
      maxKeys: 64,
      rules: [{ descriptors: [{ header: 'x-user' }], limit: { requests: 5, per: '1h' }, scope: 'proxy' }],
    },
    routes: [{ directResponse: { status: 200 } }],
    workers: 2,
  })
  const names = new Set<unknown>()
  for (let user = 0; user < 3000; user++) {
    const { status, trace } = host.requestSync({ headers: { 'x-user': `${user}` } })
    expect(status).toBe(200)
    for (const { name, args } of trace ?? []) if (name === 'set_shared_data') names.add(args[0])
  }
  // Of four counters each.
  expect(names.size).toBe(16)
})

test('the counter of who is over the limit stays while others come and go', async () => {
  host = await createNodeHost({
    wasm: filter,
    configuration: {
      version: 1,
      maxKeys: 64,
      rules: [{ descriptors: [{ header: 'x-user' }], limit: { requests: 5, per: '1h' }, scope: 'worker' }],
    },
    routes: [{ directResponse: { status: 200 } }],
    trace: false,
  })
  const ask = (user: string) => host.requestSync({ headers: { 'x-user': user } }).status
  for (let i = 0; i < 5; i++) expect(ask('greedy')).toBe(200)
  for (let user = 0; user < 20_000; user++) ask(`${user}`)
  expect(ask('greedy')).toBe(429)
})

test('memory does not grow with the number of users', async () => {
  host = await createNodeHost({
    wasm: filter,
    configuration: {
      version: 1,
      maxKeys: 1000,
      rules: [
        { descriptors: [{ header: 'x-user' }], limit: { requests: 5, per: '1h' }, scope: 'worker' },
        { descriptors: [{ header: 'x-user' }], limit: { requests: 5, per: '1h', algorithm: 'sliding-window' } },
      ],
    },
    routes: [{ directResponse: { status: 200 } }],
    trace: false,
  })
  let user = 0
  const ask = (count: number) => {
    for (; count > 0; count--) host.requestSync({ headers: { 'x-user': `${user++}` } })
    return host.memorySize
  }
  const warm = ask(5000)
  expect(ask(20_000)).toBe(warm)
})
