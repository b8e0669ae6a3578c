/** What an HTTPLocalRateLimitPolicy of Linkerd compiles to, in the filter: as Linkerd's own proxy counts. */
import { createHost, type Host } from '@meshscript/sdk/testing'
import { afterEach, expect, test } from 'vitest'
import { compileRateLimits } from '../../cli/src/compile/ratelimit/index.ts'
import { Source } from '../../cli/src/resources/source.ts'
import wasm from '../../filters/ratelimit/assembly/index.ts?filter'

const POLICY = `
apiVersion: policy.linkerd.io/v1beta3
kind: Server
metadata: { name: web-http, namespace: emojivoto }
spec: { podSelector: { matchLabels: { app: web } }, port: 8080, accessPolicy: all-unauthenticated }
---
apiVersion: policy.linkerd.io/v1alpha1
kind: HTTPLocalRateLimitPolicy
metadata: { name: web-rl, namespace: emojivoto }
spec:
  targetRef: { group: policy.linkerd.io, kind: Server, name: web-http }
  total: { requestsPerSecond: 20 }
  identity: { requestsPerSecond: 2 }
  overrides:
    - requestsPerSecond: 5
      clientRefs:
        - { kind: ServiceAccount, name: special, namespace: emojivoto }
        - { kind: ServiceAccount, name: friend }
`

let host: Host
afterEach(() => host?.close())

test('all together, then an override, or else each client', async () => {
  const workload = { namespace: 'emojivoto', name: 'web', labels: { app: 'web' } }
  const { configuration } = compileRateLimits([new Source('policy.yaml', POLICY)], { workload })
  // No token comes while the test runs.
  const rules = configuration!.rules.map((rule) => ({ ...rule, limit: { ...rule.limit, per: '1h' } }))
  host = await createHost({
    wasm,
    configuration: { ...configuration!, rules },
    tls: { permissive: true, trustDomain: '*' },
    filterState: ['ratelimit.rule'],
  })
  const spiffe = (account: string) => `spiffe://cluster.local/ns/emojivoto/sa/${account}`
  const linkerd = (account: string) => `${account}.emojivoto.serviceaccount.identity.linkerd.cluster.local`
  const passing = async (count: number, peer?: string) => {
    let passed = 0
    let refusedBy = ''
    for (let i = 0; i < count; i++) {
      const { status, filterState } = await host.request('/', peer === undefined ? {} : { peer })
      if (status === 200) passed++
      else refusedBy = filterState['ratelimit.rule']!
    }
    return [passed, refusedBy]
  }
  expect(await passing(3, spiffe('a'))).toEqual([2, 'emojivoto/web-rl[identity]'])
  expect(await passing(3, linkerd('b'))).toEqual([2, 'emojivoto/web-rl[identity]'])
  // Without an identity all are one.
  expect(await passing(3)).toEqual([2, 'emojivoto/web-rl[identity]'])
  // The clients of an override share it, by whichever name.
  expect(await passing(3, spiffe('special'))).toEqual([3, ''])
  expect(await passing(4, linkerd('friend'))).toEqual([2, 'emojivoto/web-rl[overrides[0]]'])
  // Eleven of twenty are gone.
  for (const account of ['c', 'd', 'e', 'f']) expect(await passing(2, spiffe(account))).toEqual([2, ''])
  expect(await passing(3, spiffe('g'))).toEqual([1, 'emojivoto/web-rl[total]'])
})
