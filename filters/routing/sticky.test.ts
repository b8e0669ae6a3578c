/** Sticky splits, asked about more keys than requests could be sent. */
import { createNodeHost } from '@meshscript/sdk/testing/node/index'
import { expect, test } from 'vitest'
import shares from './fixtures/shares/assembly/index.ts?filter'

const KEYS = 100_000
const WEIGHTS = [5, 10, 25, 50, 100]

/** For each step how many keys each destination has, and how many have left the last destination. */
async function sharesOf(steps: object[][]) {
  const host = await createNodeHost({ wasm: shares, configuration: { keys: KEYS, steps } })
  const lines = host.logs.map(({ message }) => /^left (\d+): (.*)$/.exec(message)).filter((found) => found !== null)
  await host.close()
  // Each VM reads the configuration.
  return lines.slice(0, steps.length).map(([, left, counts]) => ({
    left: Number(left),
    shares: counts!.split(' ').map((count) => Number(count) / KEYS),
  }))
}

test('no key moves back while a weight grows, and the shares are right', async () => {
  const steps = WEIGHTS.map((weight) => [
    { cluster: 'v1', weight: 100 - weight },
    { cluster: 'v2', weight },
  ])
  const found = await sharesOf(steps)
  expect(found.length).toBe(WEIGHTS.length)
  for (const [step, { left, shares }] of found.entries()) {
    expect(left).toBe(0)
    expect(Math.abs(shares[1]! - WEIGHTS[step]! / 100)).toBeLessThan(0.005)
  }
})

test('with several destinations, some of them of one cluster', async () => {
  const steps = WEIGHTS.map((weight) => [
    { cluster: 'v1', weight: 100 },
    { cluster: 'v3', weight: 100 },
    { cluster: 'v1', weight: 200 },
    { cluster: 'v2', weight },
  ])
  for (const [step, { left, shares }] of (await sharesOf(steps)).entries()) {
    expect(left).toBe(0)
    const total = 400 + WEIGHTS[step]!
    for (const [place, weight] of [100, 100, 200, WEIGHTS[step]!].entries()) {
      expect(Math.abs(shares[place]! - weight / total)).toBeLessThan(0.005)
    }
  }
})
