/** Ten thousand rules in one worker's VM: what memory they take. How long it takes to read them is in rules.timed.test.ts. */

import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createNodeHost, type NodeHost } from '../../sdk/testing/index.ts'
import { root } from '../bench/paths.ts'
import { compiledRules, makeRules } from '../bench/rules.ts'

const RULES = 10_000
const MEMORY = 16 * 1024 * 1024

const wasm = join(root, 'filters/dist/authorization.wasm')
const rules = makeRules(RULES)
const configuration = compiledRules(rules) as object
const last = rules.at(-1)
const path = 'exact' in last.path ? last.path.exact : `${last.path.prefix}orders`

test('changes of 10 000 rules take no more memory', async () => {
  const host = await createNodeHost({ wasm, configuration })
  try {
    await expectLittleMemory(host, configuration)
    await expectDecisions(host)
  } finally {
    await host.close()
  }
})

// Rules that differ in nothing else are the dearest: each is a piece of one automaton.
test.each<[string, string, (i: number) => object]>([
  ['path templates', '/api/v1', (i) => ({ template: `/api/v1/shops/${i}/orders/{*}` })],
  ['path templates with two variables', '/api/v1/europe', (i) => ({ template: `/api/v1/{*}/shops/${i}/orders/{**}` })],
  ['regular expressions', '/api/v1', (i) => ({ regex: `/api/v1/shops/${i}/orders/[0-9]+` })],
])('10 000 %s take less than 16 MB', async (_, prefix, makePath) => {
  const rules = Array.from({ length: RULES }, (_, i) => ({ to: [{ paths: [makePath(i)] }] }))
  const configuration = { version: 1, policies: [{ name: 'paths', action: 'ALLOW', rules }] }
  const host = await createNodeHost({ wasm, configuration })
  try {
    await expectLittleMemory(host, configuration)
    expect((await host.request({ path: `${prefix}/shops/9999/orders/77` })).status).toBe(200)
    expect((await host.request({ path: `${prefix}/shops/10000/orders/77` })).status).toBe(403)
  } finally {
    await host.close()
  }
})

async function expectLittleMemory(host: NodeHost, configuration: object): Promise<void> {
  for (let i = 0; i < 5; i++) {
    await host.reconfigure({ ...configuration, record: i % 2 ? 'all' : 'denied' })
    expect(host.memorySize).toBeLessThan(MEMORY)
  }
}

async function expectDecisions(host: NodeHost): Promise<void> {
  const allowed = await host.request({ path, headers: { 'x-user': last.user } })
  expect(allowed.status).toBe(200)
  const refused = await host.request({ path, headers: { 'x-user': 'user-1' } })
  expect(refused.status).toBe(403)
}
