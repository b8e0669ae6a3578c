// How long the built command takes to start. The best of several runs: what else the machine does is no matter of it.

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

test('--help takes less than 150 ms', () => {
  expect(bestOf(20, 150, script, '--help')).toBeLessThan(150)
})

test.each(Object.keys(commands))('the help of %s takes less than 250 ms', (name) => {
  expect(bestOf(20, 250, script, name, '--help')).toBeLessThan(250)
})
