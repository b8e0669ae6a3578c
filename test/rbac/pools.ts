/** Small vocabularies, so that random requests often meet random policies, or nearly. */

import { createSign, generateKeyPairSync } from 'node:crypto'
import type { TrustDomains } from './policy.ts'

/** Identities in clients' certificates: URI SANs, and without `://` DNS SANs. An empty list is a certificate without names. */
export const PEERS: readonly (readonly string[])[] = [
  ['spiffe://cluster.local/ns/foo/sa/web'],
  ['spiffe://cluster.local/ns/foo/sa/web-2'],
  ['spiffe://td1/ns/bar/sa/web'],
  ['spiffe://other.td/ns/bar/sa/admin', 'spiffe://cluster.local/ns/foo/sa/admin'],
  ['web.foo.svc', 'spiffe://cluster.local/ns/bar/sa/web'],
  ['client.example.com', 'web.example.com'],
  ['https://example.com/ns/foo/sa/web'],
  ['spiffe://cluster.local/ns/foo/ns/bar/sa/web/v/1'],
  ['spiffe://CLUSTER.local/ns/Foo/sa/Web'],
  [],
]

export const MESHES: readonly TrustDomains[] = [
  ['cluster.local'],
  ['cluster.local'],
  ['td1'],
  ['td1', 'cluster.local'],
  ['td1', 'other.td', 'old-td'],
  ['cluster.local', '*.td'],
]

/** One: which of several decides, where Istio refuses them all, is not compared. */
export const PROVIDERS = ['nope']

export const VALUES = {
  domains: ['cluster.local', 'td1', 'other.td', 'old-td', 'third', 'cluster.local.evil'],
  accounts: ['web', 'web-2', 'admin', 'Web', 'we', 'eb'],
  spaces: ['foo', 'bar', 'Foo', 'fo', 'f.o', 'foo-2'],
  methods: ['GET', 'POST', 'PUT', 'DELETE', 'HEAD', 'OPTIONS', 'get', 'PURGE', 'M-SEARCH', 'GETX'],
  hosts: [
    'httpbin.foo',
    'httpbin.foo:8080',
    'example.com',
    'a.example.com',
    'EXAMPLE.com',
    'example.com.',
    '10.0.0.5',
    '[::1]:80',
  ],
  paths: [
    '/',
    '/admin',
    '/admin/',
    '/Admin',
    '/admin/users',
    '/api/v1/users',
    '/api/v1/users/7',
    '/api/v2/orders/7/items',
    '/store/a/cart',
    '/a',
    '/a/b',
    '/a//b',
    '/a%2fb',
    '/a;x=1',
    '/a.b',
    '/a*b',
    '/a/*/b',
    '/%61',
    '/ä',
  ],
  templates: [
    '/{*}',
    '/a/{*}',
    '/a/{**}',
    '/{**}',
    '/{*}/b',
    '/api/{*}/users',
    '/api/{*}/users/{*}',
    '/api/{**}/items',
  ],
  templatesToo: [
    '/api/v1/{**}',
    '/store/{*}/cart',
    '/store/{**}/cart',
    '/{*}/{*}',
    '/admin/{*}/',
    '/a.b/{*}',
    '/{**}/',
    '/a%2fb/{**}',
  ],
  headerNames: [
    'x-auth',
    'x-multi',
    'X-Empty',
    'user-agent',
    'x-forwarded-for',
    'x-forwarded-proto',
    'cookie',
    'x_under',
    'accept',
  ],
  pseudoHeaders: [
    ':path',
    ':method',
    ':authority',
    'Host',
    ':scheme',
    'content-length',
    'content-type',
    'x-forwarded-client-cert',
  ],
  headerValues: [
    'admin',
    'Admin',
    'admin,user',
    'user',
    'adminx',
    'xadmin',
    'a',
    'a b',
    'ä',
    'admin, user',
    '1.2.3.4',
    'http',
    'a*b',
  ],
  addresses: [
    '127.0.0.1',
    '127.0.0.2',
    '127.0.0.3',
    '10.0.0.5',
    '10.1.2.3',
    '10.1.3.4',
    '192.168.0.1',
    '2001:db8::1',
    '2001:db8:1::2',
    '::1',
    '::ffff:10.1.2.3',
  ],
  blocks: [
    '127.0.0.0/8',
    '127.0.0.1/32',
    '127.0.0.2/31',
    '10.0.0.0/8',
    '10.1.2.0/23',
    '10.1.2.3/16',
    '0.0.0.0/0',
    '::/0',
    '2001:db8::/32',
    '2001:db8::/127',
    '::ffff:0.0.0.0/96',
  ],
  ports: ['80', '8080', '443', '0', '65535', '8081'],
  names: ['example.com', 'a.example.com', 'EXAMPLE.COM', 'httpbin.foo', 'example.co'],
  issuers: ['https://issuer.example.com', 'issuer', 'https://issuer.example', 'Issuer'],
  subjects: ['alice', 'bob', 'alice-2', 'Alice', ''],
  claims: [
    '[iss]',
    '[sub]',
    '[scope]',
    '[groups]',
    '[nested][role]',
    '[nested][list]',
    '[nested]',
    '[mixed]',
    '[number]',
    '[flag]',
    '[a.b]',
    '[none]',
    '[permission]',
    '[nested][none]',
    '[empty]',
  ],
  claimValues: [
    'admin',
    'dev',
    'read',
    'write',
    'read write',
    'alice',
    'api',
    'web',
    'issuer',
    '5',
    'true',
    'a',
    'Admin',
    'ädmin',
    'x',
  ],
  metadataKeys: ['text', 'list', 'number', 'header', 'none', 'empty'],
  metadataValues: ['abc', 'a', 'b', 'ab', '[a]', '[b]', '[a*]', '[*]', '1', 'admin', '[admin]', '[[a]]'],
} as const

/** What clients' tokens say. */
export const TOKENS: readonly Record<string, unknown>[] = [
  {
    iss: 'https://issuer.example.com',
    sub: 'alice',
    aud: 'api',
    azp: 'web',
    scope: 'read write',
    groups: ['admin', 'dev'],
  },
  { iss: 'issuer', sub: 'bob', aud: ['api', 'web'], nested: { role: 'admin', list: ['a', 'dev'] }, scope: 'read' },
  { iss: 'https://issuer.example.com', aud: 'dev', permission: 'read admin', groups: 'admin', azp: ['web'] },
  { iss: 'issuer', sub: 'alice/bob', number: 5, flag: true, 'a.b': 'x', groups: [], empty: '' },
  { iss: 'issuer', sub: '', mixed: ['admin', 1, null, true, { x: 'dev' }, ['dev']], nested: ['a'] },
  { iss: 42, sub: 'alice', nested: 'admin', number: '5', flag: 'true' },
  { iss: 'Issuer', sub: 'Alice', groups: ['Admin', 'ädmin'], scope: ['read', 'write'], empty: [''] },
  {},
]

/** Static metadata that the listener sets, beside the header `x-meta`, which it copies to `header`. */
export const METADATA_FILTER = 'envoy.filters.http.custom'
export const METADATA = { text: 'abc', list: ['a', 'b', 'abc'], number: 1, empty: '' }

const KEYS = generateKeyPairSync('rsa', { modulusLength: 2048 })
export const JWKS = { keys: [{ ...KEYS.publicKey.export({ format: 'jwk' }), kid: 'test', alg: 'RS256', use: 'sig' }] }

/** `TOKENS` as clients send them. */
export const SIGNED: readonly string[] = TOKENS.map((claims) => sign(claims))

/** A token with these claims, or this text instead of them, signed with the key of `JWKS`. */
export function sign(claims: Record<string, unknown> | string, header: Record<string, unknown> = {}): string {
  const encode = (text: string) => Buffer.from(text).toString('base64url')
  const times = { iat: 1_700_000_000, exp: 4_102_444_800 }
  const payload = typeof claims === 'string' ? claims : JSON.stringify({ ...times, ...claims })
  const text = `${encode(JSON.stringify({ alg: 'RS256', kid: 'test', typ: 'JWT', ...header }))}.${encode(payload)}`
  return `${text}.${createSign('RSA-SHA256').update(text).sign(KEYS.privateKey, 'base64url')}`
}
