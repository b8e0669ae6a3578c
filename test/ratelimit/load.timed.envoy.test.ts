/** The promises of limits in real Envoy with four workers. `npm run bench:limits` has the figures. */
import { expect, test } from 'vitest'
import filter from '../../filters/ratelimit/assembly/index.ts?filter'
import { measureKeys } from './keys.ts'
import { measureLoad, mostWithin } from './load.ts'

const plugin = { wasm: filter }

test.each([
  { requests: 300, per: 1000 },
  { requests: 600, per: 1000, burst: 50 },
  { requests: 100, per: 200, burst: 300 },
])('a token bucket, %o: never more than the limit and the burst, and at least 98 % of it', async (limit) => {
  const measured = await measureLoad({ plugin, algorithm: 'token-bucket', ...limit, duration: 2500 })
  const { admitted, sent, most, expected, workers } = measured
  expect(workers).toBe(4)
  expect(sent).toBeGreaterThan(most)
  expect(admitted).toBeLessThanOrEqual(most)
  expect(admitted).toBeGreaterThanOrEqual(0.98 * expected)
})

test.each([
  { requests: 300, per: 1000 },
  { requests: 100, per: 200 },
])('a sliding window, %o: never more than the limit within its length, and at least 98 % of it', async (limit) => {
  const measured = await measureLoad({ plugin, algorithm: 'sliding-window', ...limit, duration: 2500 })
  const { admitted, sent, most, expected, mostInWindow, workers } = measured
  expect(workers).toBe(4)
  expect(sent).toBeGreaterThan(most)
  expect(mostInWindow).toBeLessThanOrEqual(limit.requests)
  expect(admitted).toBeLessThanOrEqual(most)
  expect(admitted).toBeGreaterThanOrEqual(0.98 * expected)
})

test('counters of many users take no more memory than of a few', async () => {
  const { samples, refused } = await measureKeys({ plugin, scope: 'proxy', keys: 20_000, maxKeys: 1000 })
  expect(refused).toBe(0)
  // Each tenth part is twice as many as there is room for.
  const warm = samples[5]!.memory
  expect(samples.at(-1).memory).toBeLessThan(1.02 * warm)
})

test('what is counted in a stretch of time', () => {
  const at = (...times: number[]) => times.map((time) => ({ sent: time, answered: time + 1 }))
  expect(mostWithin([], 10)).toBe(0)
  expect(mostWithin(at(0, 9, 10, 11, 30), 10)).toBe(3)
  expect(mostWithin(at(0, 5, 9), 10)).toBe(3)
  expect(mostWithin(at(0, 5, 10), 10)).toBe(2)
})
