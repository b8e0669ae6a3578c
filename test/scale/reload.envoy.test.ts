/** A change of ten thousand rules while requests run: none is lost, and each gets the decision of the old or of the new configuration. */

import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createEnvoyHost } from '../../sdk/testing/envoy/index.ts'
import { root } from '../bench/paths.ts'
import { compiledRules, makeRules } from '../bench/rules.ts'

const CLIENTS = 8
const CHANGES = 5

const wasm = join(root, 'filters/dist/authorization.wasm')
const rules = makeRules(10_000)
// The requests of the test are allowed by both; the others tell which configuration decides.
const first = compiledRules(rules)
const second = compiledRules(rules.slice(0, 9_000))
const common = { path: '/api/v1/shops/8999/orders', headers: { 'x-user': 'user-8999' } }
const telling = { path: '/api/v1/shops/9999/orders', headers: { 'x-user': 'user-9999' } }

test('a change of 10 000 rules under load loses no request', async () => {
  const host = await createEnvoyHost({ wasm, configuration: first, workers: 2 })
  try {
    const statuses = new Map<number, number>()
    let isDone = false
    const clients = Array.from({ length: CLIENTS }, async () => {
      while (!isDone) {
        const { status } = await host.request(common)
        statuses.set(status, (statuses.get(status) ?? 0) + 1)
      }
    })
    for (let i = 0; i < CHANGES; i++) {
      expect((await host.request(telling)).status).toBe(i % 2 ? 403 : 200)
      await host.reconfigure(i % 2 ? first : second)
    }
    isDone = true
    await Promise.all(clients)
    expect([...statuses.keys()]).toEqual([200])
    expect(statuses.get(200)).toBeGreaterThan(100)
  } finally {
    await host.close()
  }
}, 60_000)
