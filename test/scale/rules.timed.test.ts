/** Ten thousand rules in one worker's VM: how long it takes to read them. */

import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createNodeHost } from '../../sdk/testing/index.ts'
import { root } from '../bench/paths.ts'
import { compiledRules, makeRules } from '../bench/rules.ts'

test('10 000 rules are an index within a second', async () => {
  const configuration = compiledRules(makeRules(10_000)) as object
  const wasm = join(root, 'filters/dist/authorization.wasm')
  const host = await createNodeHost({ wasm, configuration: { version: 1, policies: [] } })
  try {
    // The best of some: the machine may have other work.
    let best = Infinity
    for (let i = 0; i < 20 && best >= 1000; i++) {
      const started = performance.now()
      // As Envoy does, the host tries a configuration in a VM of its own before it gives it to the worker's.
      await host.reconfigure({ ...configuration, record: i % 2 ? 'all' : 'denied' })
      best = Math.min(best, performance.now() - started)
    }
    expect(best).toBeLessThan(1000)
  } finally {
    await host.close()
  }
})
