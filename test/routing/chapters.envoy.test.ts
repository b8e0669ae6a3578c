/** The VirtualService and DestinationRule of the chapters, in real Envoy: who gets what, and how many of 10 000. */
import { readFileSync } from 'node:fs'
import { cluster } from '@meshscript/sdk/testing'
import { createEnvoyHost } from '@meshscript/sdk/testing/envoy/index'
import { expect, test } from 'vitest'
import { compileRouting } from '../../cli/src/compile/traffic/index.ts'
import { Source } from '../../cli/src/resources/source.ts'
import filter from '../../filters/routing/assembly/index.ts?filter'

const REQUESTS = 10_000
/** Of chi-square with one degree of freedom: one run in ten million is beyond it by chance. */
const LIMIT = 28.4

test('jason goes to v2, everyone else to v1 and v2 as 90 to 10', { timeout: 60_000 }, async () => {
  const text = readFileSync(new URL('../fixtures/chapters-routing.yaml', import.meta.url), 'utf8')
  const workload = { namespace: 'default', name: 'client', labels: {} }
  const { configuration } = compileRouting([new Source('chapters.yaml', text)], {
    workload,
    port: 9080,
    namespace: 'default',
  })
  const name = (subset: string) => `outbound|9080|${subset}|reviews.default.svc.cluster.local`
  const host = await createEnvoyHost({
    wasm: filter,
    configuration: { ...configuration! },
    clusters: Object.fromEntries(
      ['v1', 'v2'].map((subset) => [name(subset), cluster.http(() => ({ headers: { 'x-subset': subset } }))]),
    ),
    routes: [{ clusterHeader: 'x-meshscript-cluster' }],
  })
  try {
    const ask = async (headers: Record<string, string>) =>
      (await host.request('/', { authority: 'reviews:9080', headers })).headers.get('x-subset')
    expect(new Set(await Promise.all(Array.from({ length: 200 }, () => ask({ 'end-user': 'jason' }))))).toEqual(
      new Set(['v2']),
    )

    const counts = { v1: 0, v2: 0 }
    for (let sent = 0; sent < REQUESTS; sent += 100) {
      const answers = await Promise.all(Array.from({ length: 100 }, (_, n) => ask({ 'end-user': `user-${n}` })))
      for (const answer of answers) counts[answer as 'v1' | 'v2']++
    }
    expect(counts.v1 + counts.v2).toBe(REQUESTS)
    const expected = { v1: REQUESTS * 0.9, v2: REQUESTS * 0.1 }
    const chiSquare = (['v1', 'v2'] as const).reduce(
      (sum, each) => sum + (counts[each] - expected[each]) ** 2 / expected[each],
      0,
    )
    expect(chiSquare, JSON.stringify(counts)).toBeLessThan(LIMIT)
  } finally {
    await host.close()
  }
})
