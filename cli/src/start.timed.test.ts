// How long the built command takes to start. The best of several runs: what else the machine does is no matter of it.
// Where Node.js alone takes longer than 50 ms, as on a busy machine, the limits are that much longer.

import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { commands } from './commands/index.ts'

const script = fileURLToPath(new URL('../bin/meshscript.js', import.meta.url))

/** In milliseconds; stops at the first that is quick enough. */
function bestOf(runs: number, limit: number, ...args: string[]): number {
  let best = Infinity
  for (let run = 0; run < runs && best >= limit; run++) {
    const start = performance.now()
    const { status } = spawnSync(process.execPath, args, { stdio: 'ignore' })
    best = Math.min(best, performance.now() - start)
    expect(status).toBe(0)
  }
  return best
}

const slowness = Math.max(1, bestOf(10, 50, '--eval', '0') / 50)

test('--help takes less than 150 ms', () => {
  const limit = 150 * slowness
  expect(bestOf(20, limit, script, '--help')).toBeLessThan(limit)
})

test.each(Object.keys(commands))('the help of %s takes less than 250 ms', (name) => {
  const limit = 250 * slowness
  expect(bestOf(20, limit, script, name, '--help')).toBeLessThan(limit)
})
