/** TrafficSplits in real Envoy: the one of the chapters over 10 000 requests, and one of some requests only. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { withRoutes } from './routes.ts'
import { CHI_SQUARE_LIMIT, chiSquare } from './shares.ts'

const REQUESTS = 10_000
const workload = { namespace: 'default', name: 'client', labels: {} }

const options = { workload, namespace: 'default', port: 9080 }
const authority = 'reviews:9080'

test("the chapters' split is 90 to 10, for everyone", { timeout: 60_000 }, async () => {
  const text = readFileSync(new URL('../fixtures/chapters-split.yaml', import.meta.url), 'utf8')
  await withRoutes(text, options, {}, async (ask) => {
    const counts: Record<string, number> = {}
    for (let sent = 0; sent < REQUESTS; sent += 100) {
      for (const { response } of await Promise.all(Array.from({ length: 100 }, () => ask('/', { authority }))))
        counts[response['x-service']!] = (counts[response['x-service']!] ?? 0) + 1
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
  await withRoutes(text, options, {}, async (ask) => {
    const expected: [path: string, service: string, agent?: string][] = [
      ['/', 'reviews-v2', 'Mozilla/5.0 Firefox/120'],
      ['/', 'reviews', 'Chrome'],
      ['/api/v1/books', 'reviews-v2'],
      ['/v1/api/v1', 'reviews'],
    ]
    for (const [path, service, agent] of expected) {
      const { services } = await ask(path, { authority, headers: agent ? [['user-agent', agent]] : [] })
      expect({ path, agent, services }).toEqual({ path, agent, services: [service] })
    }
  })
})
