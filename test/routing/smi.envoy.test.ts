/** TrafficSplits in real Envoy: the one of the chapters over 10 000 requests, and one of some requests only. */
import { readFileSync } from 'node:fs'
import { cluster, type Host } from '@meshscript/sdk/testing'
import { createEnvoyHost } from '@meshscript/sdk/testing/envoy/index'
import { expect, test } from 'vitest'
import { compileRouting } from '../../cli/src/compile/traffic/index.ts'
import { Source } from '../../cli/src/resources/source.ts'
import filter from '../../filters/routing/assembly/index.ts?filter'
import { CHI_SQUARE_LIMIT, chiSquare } from './shares.ts'

const REQUESTS = 10_000
const workload = { namespace: 'default', name: 'client', labels: {} }

/** Asks through the filter, with the configuration of a text, who has answered. */
async function withSplit(
  text: string,
  services: readonly string[],
  run: (ask: (path: string, headers?: Record<string, string>) => Promise<string | undefined>) => Promise<void>,
): Promise<void> {
  const options = { workload, namespace: 'default', port: 9080 }
  const { configuration, diagnostics } = compileRouting([new Source('split.yaml', text)], options)
  if (!configuration) throw new Error(JSON.stringify(diagnostics))
  const answer = (service: string) => cluster.http(() => ({ headers: { 'x-service': service } }))
  const host: Host = await createEnvoyHost({
    wasm: filter,
    configuration: { ...configuration },
    clusters: Object.fromEntries(
      services.map((name) => [`outbound|9080||${name}.default.svc.cluster.local`, answer(name)]),
    ),
    routes: [{ clusterHeader: 'x-meshscript-cluster' }],
  })
  try {
    await run(async (path, headers = {}) => {
      const { headers: response } = await host.request(path, { authority: 'reviews:9080', headers })
      return response.get('x-service')
    })
  } finally {
    await host.close()
  }
}

test("the chapters' split is 90 to 10, for everyone", { timeout: 60_000 }, async () => {
  const text = readFileSync(new URL('../fixtures/chapters-split.yaml', import.meta.url), 'utf8')
  await withSplit(text, ['reviews', 'reviews-v1', 'reviews-v2'], async (ask) => {
    const counts: Record<string, number> = {}
    for (let sent = 0; sent < REQUESTS; sent += 100) {
      for (const answer of await Promise.all(Array.from({ length: 100 }, () => ask('/'))))
        counts[answer!] = (counts[answer!] ?? 0) + 1
    }
    expect(Object.keys(counts).sort()).toEqual(['reviews-v1', 'reviews-v2'])
    const statistic = chiSquare(counts, { 'reviews-v1': 90, 'reviews-v2': 10 })
    expect(statistic, JSON.stringify(counts)).toBeLessThan(CHI_SQUARE_LIMIT)
  })
})

test('an A/B test: who does not match stays at the root service', async () => {
  const text = `
apiVersion: split.smi-spec.io/v1alpha4
kind: TrafficSplit
metadata: {name: ab-test}
spec:
  service: reviews
  matches: [{kind: HTTPRouteGroup, name: ab-test}]
  backends: [{service: reviews-v1, weight: 0}, {service: reviews-v2, weight: 100}]
---
apiVersion: specs.smi-spec.io/v1alpha4
kind: HTTPRouteGroup
metadata: {name: ab-test}
spec:
  matches:
    - {name: firefox, headers: {user-agent: ".*Firefox.*"}}
    - {name: api, pathRegex: "/api/v[0-9]+", methods: [GET]}
`
  await withSplit(text, ['reviews', 'reviews-v2'], async (ask) => {
    const answers: [string, Record<string, string>?][] = [
      ['/', { 'user-agent': 'Mozilla/5.0 Firefox/120' }],
      ['/', { 'user-agent': 'Chrome' }],
      ['/api/v1/books'],
      ['/v1/api/v1'],
    ]
    const asked = await Promise.all(answers.map(([path, headers]) => ask(path, headers)))
    expect(asked).toEqual(['reviews-v2', 'reviews', 'reviews-v2', 'reviews'])
  })
})
