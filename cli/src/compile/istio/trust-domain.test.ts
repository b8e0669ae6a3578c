import { expect, test } from 'vitest'
import { defaultMeshConfig } from '../../resources/mesh-config.ts'
import { expandTrustDomain, missesTrustDomain } from './trust-domain.ts'

const mesh = { ...defaultMeshConfig, trustDomain: 'td1', trustDomainAliases: ['old-td', 'new-td'] }

test.each([
  ['td1/ns/a/sa/b', ['td1/ns/a/sa/b', 'old-td/ns/a/sa/b', 'new-td/ns/a/sa/b']],
  ['old-td/ns/a/sa/b', ['td1/ns/a/sa/b', 'old-td/ns/a/sa/b', 'new-td/ns/a/sa/b']],
  ['cluster.local/ns/a/sa/b', ['td1/ns/a/sa/b', 'old-td/ns/a/sa/b', 'new-td/ns/a/sa/b']],
  ['cluster.local/ns/a/sa/*', ['td1/ns/a/sa/*', 'old-td/ns/a/sa/*', 'new-td/ns/a/sa/*']],
  // One that covers several domains stays as it is for those.
  ['*-td/ns/a/sa/b', ['td1/ns/a/sa/b', '*-td/ns/a/sa/b']],
  // Foreign, any, or not of the full form: not rewritten.
  ['third/ns/a/sa/b', ['third/ns/a/sa/b']],
  ['*/ns/a/sa/b', ['*/ns/a/sa/b']],
  ['*', ['*']],
  ['cluster.local/ns/a/*', ['cluster.local/ns/a/*']],
  ['spiffe://td1/ns/a/sa/b', ['spiffe://td1/ns/a/sa/b']],
])('%s', (principal, expected) => {
  expect(expandTrustDomain(principal, mesh)).toEqual(expected)
})

test('a shortened principal of cluster.local is told where the mesh is called otherwise', () => {
  expect(missesTrustDomain('cluster.local/ns/a/*', mesh)).toBe(true)
  expect(missesTrustDomain('cluster.local/ns/a/sa/b', mesh)).toBe(false)
  expect(missesTrustDomain('cluster.local/ns/a/*', defaultMeshConfig)).toBe(false)
})
