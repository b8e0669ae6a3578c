/** The short form of `npm run fuzz`, and that it finds what it is for. */

import { describe, expect, it } from 'vitest'
import { HostileHost } from './hostile-host.ts'
import { build, BUILDS, compile } from './modules.ts'
import { fuzzRequests } from './requests.ts'
import { isFlat, targets } from './run.ts'

const COUNT = 10_000
const SEED = 20260101

describe.each(targets)('$name', (target) => {
  it.each(BUILDS)(`no trap and no growth in ${COUNT}: %s build`, { timeout: 180_000 }, async (kind) => {
    const figures = await target.run({ count: COUNT, seed: SEED, kind })
    expect(figures.requests + figures.configurations).toBeGreaterThanOrEqual(COUNT)
    expect(isFlat(target, figures), JSON.stringify(figures)).toBe(true)
  })
})

describe('finds', () => {
  const faulty = build('test/fuzz/assembly/faulty.ts', 'release')

  it('a leak', async () => {
    const { memory } = await fuzzRequests(compile(await faulty), { requests: COUNT, seed: SEED })
    expect(memory[1]).toBeGreaterThan(memory[0])
  })

  it('a trap, and says how to repeat it', async () => {
    const host = new HostileHost(compile(await faulty), SEED)
    // The host does not always hand it over.
    for (let i = 0; i < 20; i++) host.configure(1, Buffer.from('trap'))
    expect(() => host.tick(1)).toThrow(/unreachable/)
    expect(host.guest.history.join('\n')).toContain('onTick: as asked (')
  })

  it('the same again with the same seed', async () => {
    const module = compile(await faulty)
    const [first, second] = [1, 2].map(() => new HostileHost(module, SEED))
    for (let i = 0; i < 1000; i++) {
      first!.step()
      second!.step()
    }
    expect(second!.guest.history).toEqual(first!.guest.history)
  })
})
