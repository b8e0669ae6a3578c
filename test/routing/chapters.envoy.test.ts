/** The VirtualService and DestinationRule of the chapters, in real Envoy: who gets what, and how many of 10 000. */
import { readFileSync } from 'node:fs'
import { cluster } from '@meshscript/sdk/testing'
import { createEnvoyHost } from '@meshscript/sdk/testing/envoy/index'
import { expect, test } from 'vitest'
import { compileRouting } from '../../cli/src/compile/traffic/index.ts'
import { Source } from '../../cli/src/resources/source.ts'
import filter from '../../filters/routing/assembly/index.ts?filter'
import { CHI_SQUARE_LIMIT, chiSquare } from './shares.ts'

const REQUESTS = 10_000

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
    expect(chiSquare(counts, { v1: 90, v2: 10 }), JSON.stringify(counts)).toBeLessThan(CHI_SQUARE_LIMIT)
  } finally {
    await host.close()
  }
})
