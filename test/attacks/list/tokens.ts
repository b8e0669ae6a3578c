/** Tokens, which Envoy's own jwt_authn verifies. */

import { createHmac } from 'node:crypto'
import { JWKS, sign } from '../../rbac/pools.ts'
import { type Attack, attack, type Sent } from '../attack.ts'

const ADMIN_TOKEN = 'ALLOW requestPrincipals issuer/admin'
const GROUPS = 'ALLOW request.auth.claims[groups] admin'
const bearer = (token: string): Sent => ({ headers: [`Authorization: Bearer ${token}`] })
const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
const claims = { iss: 'issuer', sub: 'admin', groups: ['admin'], exp: 4_102_444_800 }
const unsigned = (header: object, signature = '') => `${encode(header)}.${encode(claims)}.${signature}`
const good = sign({ iss: 'issuer', sub: 'user', groups: ['dev'] })
const [head, , signature] = good.split('.') as [string, string, string]

/** Signed with the public key as if it were a shared secret. */
function confused(): string {
  const text = `${encode({ alg: 'HS256', typ: 'JWT', kid: 'test' })}.${encode(claims)}`
  return `${text}.${createHmac('sha256', JSON.stringify(JWKS)).update(text).digest('base64url')}`
}

export const tokenAttacks: readonly Attack[] = [
  attack('Token', 'none', ADMIN_TOKEN, {}),
  attack('Token', 'algorithm none', ADMIN_TOKEN, bearer(unsigned({ alg: 'none', typ: 'JWT' }))),
  attack('Token', 'algorithm NONE', ADMIN_TOKEN, bearer(unsigned({ alg: 'NONE', kid: 'test' }))),
  attack('Token', 'algorithm HS256 with the public key', ADMIN_TOKEN, bearer(confused())),
  attack('Token', 'other claims under a good signature', ADMIN_TOKEN, bearer(`${head}.${encode(claims)}.${signature}`)),
  attack('Token', 'no signature', ADMIN_TOKEN, bearer(`${head}.${encode(claims)}.`)),
  attack('Token', 'expired', ADMIN_TOKEN, bearer(sign({ ...claims, exp: 1_700_000_001 }))),
  attack('Token', 'not yet valid', ADMIN_TOKEN, bearer(sign({ ...claims, nbf: 4_000_000_000 }))),
  attack('Token', 'subject with a slash', ADMIN_TOKEN, bearer(sign({ iss: 'issuer/admin', sub: '' }))),
  attack('Token', 'subject is a list', ADMIN_TOKEN, bearer(sign({ iss: 'issuer', sub: ['admin'] }))),
  attack('Token', 'no subject', ADMIN_TOKEN, bearer(sign({ iss: 'issuer' }))),
  attack('Token', 'group in another case', GROUPS, bearer(sign({ groups: ['Admin'] }))),
  attack('Token', 'group within a longer text', GROUPS, bearer(sign({ groups: 'dev admin' }))),
  attack('Token', 'group nested deeper', GROUPS, bearer(sign({ groups: [['admin'], { admin: 'admin' }] }))),
  attack('Token', 'groups as an object', GROUPS, bearer(sign({ groups: { admin: true } }))),
  attack(
    'Token',
    'guest behind others',
    'DENY request.auth.claims[groups] guest',
    bearer(sign({ groups: [1, null, 'dev', 'guest'] })),
  ),
  attack('Token', 'claim twice', GROUPS, bearer(sign('{"groups":"dev","groups":"admin","exp":4102444800}'))),
]
