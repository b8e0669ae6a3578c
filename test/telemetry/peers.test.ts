/** Tens of thousands of peers that say who they are: what is remembered of them is bounded, and so are the series. */
import { afterEach, expect, test } from 'vitest'
import { createNodeHost, type NodeHost } from '@meshscript/sdk/testing'
import filter from '../../filters/telemetry-headers/assembly/index.ts?filter'
import { peerMetadata } from './peer_metadata.ts'

/** Longer values are not listened to. */
const LONGEST = 16_384
/** Longer values are read each time. */
const REMEMBERED = 4096
const MEGABYTE = 1024 * 1024
let host: NodeHost | undefined
afterEach(() => host?.close())

/** Answers a function that lets peers ask, each with a value of its own. */
async function start(metrics: object, valueOf: (number: number) => string) {
  const made = (host = await createNodeHost({
    wasm: filter,
    configuration: {
      version: 1,
      reporter: 'destination',
      workload: { name: 'cart', namespace: 'shop', service: 'cart.shop.svc' },
      metadataExchange: true,
      metrics,
    },
    routes: [{ directResponse: { status: 200 } }],
    trace: false,
  }))
  return (from: number, to: number) => {
    for (let n = from; n < to; n++) made.requestSync({ headers: { 'x-envoy-peer-metadata': valueOf(n) } })
  }
}

const counts = () =>
  Object.entries(host!.metricsSync()).filter(([stat]) => stat.startsWith('istio_requests_total.')) as [string, number][]
const sum = (values: number[]) => values.reduce((one, other) => one + other, 0)

test('50 000 peers: no more memory than 10 000 need, and no more series than there may be', async () => {
  const ask = await start({ REQUEST_COUNT: {}, REQUEST_DURATION: {}, maxSeries: 100 }, (n) => peerMetadata(n))
  ask(0, 10_000)
  const warm = host!.memorySize
  ask(10_000, 50_000)
  expect(host!.memorySize).toBe(warm)
  expect(counts()).toHaveLength(101)
  expect(sum(counts().map(([, count]) => count))).toBe(50_000)
  await expect(host).toHaveMetric('istio_requests_total', 49_900, { source_workload: 'overflow' })
  // Those that came first are told apart still, though others have taken their place in memory.
  ask(0, 100)
  for (const n of [0, 50, 99]) await expect(host).toHaveMetric('istio_requests_total', 2, { source_app: `peer-${n}` })
})

test('peers that say as much as they may: they do not fill the memory', async () => {
  // Base64 makes four bytes of three; the rest is around the label.
  const bytes = (LONGEST * 3) / 4 - 256
  expect(peerMetadata(1, bytes).length).toBeGreaterThan(LONGEST - 512)
  const ask = await start({ REQUEST_COUNT: {}, maxSeries: 10 }, (n) => peerMetadata(n, bytes))
  ask(0, 2000)
  const warm = host!.memorySize
  ask(2000, 10_000)
  expect(host!.memorySize).toBe(warm)
  expect(warm).toBeLessThanOrEqual(4 * MEGABYTE)
  const [known] = counts().find(([stat]) => stat.includes('source_app=.=peer-1;.;'))!
  expect(known).toMatch(/source_canonical_service=\.=peer-1x{250};\.;/)
})

test('peers that say as much as is remembered', async () => {
  const ask = await start({ REQUEST_COUNT: {}, maxSeries: 10 }, (n) => peerMetadata(n, REMEMBERED * 0.75 - 256))
  ask(0, 5000)
  const warm = host!.memorySize
  ask(5000, 15_000)
  expect(host!.memorySize).toBe(warm)
  expect(warm).toBeLessThanOrEqual(16 * MEGABYTE)
})

test('what is longer, or can not be read, is not remembered, and nobody is known by it', async () => {
  const junk = (n: number) =>
    [`${n}${'A'.repeat(LONGEST)}`, `${n}=*`, Buffer.from(`\x0a\xff${n}`).toString('base64')][n % 3]!
  const ask = await start({ REQUEST_COUNT: {} }, junk)
  ask(0, 3000)
  const warm = host!.memorySize
  ask(3000, 30_000)
  expect(host!.memorySize).toBe(warm)
  expect(counts()).toHaveLength(1)
  await expect(host).toHaveMetric('istio_requests_total', 30_000, { source_workload: 'unknown' })
})
