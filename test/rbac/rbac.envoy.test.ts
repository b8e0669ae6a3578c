/** The short form of `npm run fuzz:rbac`, and that it would find what it is for. */

import { expect, it } from 'vitest'
import filter from '../../filters/authorization/assembly/index.ts?filter'
import { Random } from '../json/documents.ts'
import { Arena } from './arena.ts'
import { Client } from './client.ts'
import { readOutcome } from './outcome.ts'
import { makeScene } from './policies.ts'
import { hintsOf, makeConnection, makeRequest } from './requests.ts'
import { fuzzRbac } from './run.ts'
import { translate } from './translate/index.ts'

const SEED = 20260101

it('native RBAC and our filter decide the same', { timeout: 60_000 }, async () => {
  const result = await fuzzRbac({ wasm: filter, seed: SEED, scenes: 60, requests: 20 })
  expect(result.differences.slice(0, 2)).toEqual([])
  expect(result.refused).toEqual([])
  expect(result.pairs).toBeGreaterThanOrEqual(1000)
  // Neither side of the comparison is trivial.
  const { pairs, denied, byRule, dryRuns, audits } = result
  expect(denied).toBeGreaterThan(pairs / 5)
  expect(denied).toBeLessThan((pairs * 4) / 5)
  expect(byRule).toBeGreaterThan(pairs / 5)
  expect(Math.min(dryRuns, audits)).toBeGreaterThan(20)
})

it('finds a filter that is too lenient', { timeout: 60_000 }, async () => {
  const disarm = (configuration: object) => ({ ...configuration, mode: 'audit' })
  const { differences } = await fuzzRbac({ wasm: filter, seed: SEED, scenes: 5, requests: 20, disarm })
  expect(differences.filter(({ what }) => what.includes('verdict')).length).toBeGreaterThan(5)
})

it('what native RBAC would do is what it does', { timeout: 60_000 }, async () => {
  const scenes = Array.from({ length: 30 }, (_, index) => {
    const random = new Random(SEED + index)
    return { random, ...makeScene(random) }
  })
  const listeners = scenes.flatMap(({ policies, trustDomains }) => {
    const shared = { native: translate(policies, trustDomains), normalization: 'BASE' as const }
    return [{ ...shared, configuration: { version: 1, policies: [] } }, shared]
  })
  const arena = await Arena.start(filter, listeners)
  let seen = 0
  try {
    for (const [index, { random, policies }] of scenes.entries()) {
      const hints = hintsOf(policies)
      const connection = makeConnection(random, hints)
      const clients = [2 * index, 2 * index + 1].map((each) => new Client(arena.port(each), connection))
      for (let i = 0; i < 10; i++) {
        const request = makeRequest(random, hints)
        const [shadow, enforced] = await Promise.all(
          clients.map((client) => client.request(request).catch(() => undefined)),
        )
        const would = shadow && readOutcome(shadow)?.native
        if (!would || !enforced) continue
        seen++
        const details = would.verdict === 'denied' ? `rbac_access_denied_matched_policy[${would.policy}]` : 'allowed'
        const did = enforced.headers['x-details']!.replace(/^(direct_response|route_not_found)$/, 'allowed')
        expect(did, JSON.stringify({ policies, connection, request })).toBe(details)
      }
      for (const client of clients) client.close()
    }
  } finally {
    await arena.stop()
  }
  expect(seen).toBeGreaterThan(200)
})
