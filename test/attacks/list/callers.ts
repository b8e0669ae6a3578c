/** Who calls: addresses, certificates and server names. */

import { type Attack, attack, type Options } from '../attack.ts'

const addresses: readonly Attack[] = [
  attack('Address', 'X-Forwarded-For names the allowed one', 'ALLOW ipBlocks 127.0.0.2', {
    headers: ['X-Forwarded-For: 127.0.0.2'],
  }),
  attack('Address', 'X-Forwarded-For names another one', 'DENY ipBlocks 127.0.0.1', {
    headers: ['X-Forwarded-For: 127.0.0.2'],
  }),
  attack(
    'Address',
    'PROXY protocol names the allowed one',
    'ALLOW ipBlocks 127.0.0.2',
    {},
    { connection: { proxied: { from: '127.0.0.2', to: '127.0.0.1', port: 80 } } },
  ),
  attack('Address', 'X-Real-IP, Forwarded', 'ALLOW remoteIpBlocks 10.0.0.0/8', {
    headers: ['X-Real-IP: 10.0.0.1', 'Forwarded: for=10.0.0.1'],
  }),
  attack('Address', 'X-Forwarded-For, the allowed one first', 'ALLOW remoteIpBlocks 10.0.0.0/8', {
    headers: ['X-Forwarded-For: 10.0.0.1, 192.168.0.1'],
  }),
  attack('Address', 'X-Forwarded-For, two lines', 'ALLOW remoteIpBlocks 10.0.0.0/8', {
    headers: ['X-Forwarded-For: 10.0.0.1', 'X-Forwarded-For: 192.168.0.1'],
  }),
  attack('Address', 'X-Forwarded-For with a port', 'ALLOW remoteIpBlocks 10.0.0.0/8', {
    headers: ['X-Forwarded-For: 10.0.0.1:80'],
  }),
  attack('Address', 'X-Forwarded-For, mapped to IPv6', 'ALLOW remoteIpBlocks 10.0.0.0/8', {
    headers: ['X-Forwarded-For: ::ffff:10.0.0.1'],
  }),
  attack(
    'Address',
    'X-Forwarded-For, mapped to IPv6',
    'DENY remoteIpBlocks 10.0.0.0/8',
    {
      headers: ['X-Forwarded-For: ::ffff:10.0.0.1'],
    },
    { expected: 'passes', why: 'Envoy takes it for an IPv6 address; list ::ffff:10.0.0.0/104 too' },
  ),
  attack('Address', 'X-Forwarded-For, in octal', 'ALLOW remoteIpBlocks 10.0.0.0/8', {
    headers: ['X-Forwarded-For: 012.0.0.1'],
  }),
  attack('Address', 'X-Forwarded-For, short', 'ALLOW remoteIpBlocks 10.0.0.0/8', {
    headers: ['X-Forwarded-For: 10.1'],
  }),
  attack('Address', 'X-Forwarded-For, empty last entry', 'ALLOW remoteIpBlocks 10.0.0.0/8', {
    headers: ['X-Forwarded-For: 10.0.0.1,'],
  }),
  attack(
    'Address',
    'X-Forwarded-For from who may not',
    'ALLOW remoteIpBlocks 10.0.0.0/8',
    { headers: ['X-Forwarded-For: 10.0.0.1'] },
    { expected: 'passes', why: 'Istio trusts the last entry, which the gateway in front must write' },
  ),
]

const WEB = 'ALLOW principals cluster.local/ns/foo/sa/web'
const certificate = (...peer: string[]): Options => ({ connection: { peer } })
const identities: Attack[] = [
  attack('Identity', 'plaintext', WEB, {}),
  attack('Identity', 'plaintext with X-Forwarded-Client-Cert', WEB, {
    headers: ['x-forwarded-client-cert: URI=spiffe://cluster.local/ns/foo/sa/web'],
  }),
  attack(
    'Identity',
    'another with X-Forwarded-Client-Cert',
    WEB,
    { headers: ['x-forwarded-client-cert: URI=spiffe://cluster.local/ns/foo/sa/web'] },
    certificate('spiffe://cluster.local/ns/bar/sa/web'),
  ),
  attack('Identity', 'longer account', WEB, {}, certificate('spiffe://cluster.local/ns/foo/sa/web-2')),
  attack('Identity', 'longer path', WEB, {}, certificate('spiffe://cluster.local/ns/foo/sa/web/x')),
  attack('Identity', 'other case', WEB, {}, certificate('spiffe://cluster.local/ns/foo/sa/Web')),
  attack('Identity', 'other trust domain', WEB, {}, certificate('spiffe://evil/ns/foo/sa/web')),
  attack('Identity', 'scheme in capitals', WEB, {}, certificate('SPIFFE://cluster.local/ns/foo/sa/web')),
  attack('Identity', 'other scheme', WEB, {}, certificate('https://cluster.local/ns/foo/sa/web')),
  attack('Identity', 'DNS name instead of a URI', WEB, {}, certificate('cluster.local/ns/foo/sa/web')),
  attack('Identity', 'NUL in the URI', WEB, {}, certificate('spiffe://cluster.local/ns/foo/sa/web\0')),
  attack(
    'Identity',
    'certificate without names',
    'ALLOW principals *',
    {},
    {
      connection: { peer: [] },
    },
  ),
  attack('Identity', 'plaintext', 'ALLOW principals *', {}),
  attack(
    'Identity',
    'second SAN is of the refused namespace',
    'DENY namespaces bar',
    {},
    certificate('spiffe://cluster.local/ns/foo/sa/web', 'spiffe://cluster.local/ns/bar/sa/web'),
  ),
  attack(
    'Identity',
    'second SAN is of the refused namespace',
    'ALLOW notNamespaces bar',
    {},
    certificate('spiffe://cluster.local/ns/foo/sa/web', 'spiffe://cluster.local/ns/bar/sa/web'),
  ),
  attack(
    'Identity',
    'account named as a namespace',
    'ALLOW namespaces foo',
    {},
    certificate('spiffe://cluster.local/ns/bar/sa/foo'),
  ),
  attack('Identity', 'trust domain named as a namespace', 'ALLOW namespaces foo', {}, certificate('spiffe://ns/foo')),
  attack(
    'Identity',
    'plaintext',
    'ALLOW notNamespaces bar',
    {},
    { expected: 'passes', why: 'who has no identity is not of bar; Istio says to demand mTLS' },
  ),
  attack(
    'Identity',
    'longer account',
    'ALLOW serviceAccounts web',
    {},
    certificate('spiffe://cluster.local/ns/foo/sa/web-2'),
  ),
  attack(
    'Identity',
    'account of another namespace',
    'ALLOW serviceAccounts web',
    {},
    certificate('spiffe://cluster.local/ns/bar/sa/web'),
  ),
]

const sni = (name: string | undefined): Options => ({
  connection: { peer: ['spiffe://cluster.local/ns/foo/sa/web'], sni: name },
})
const serverNames: Attack[] = [
  attack('SNI', 'none', 'ALLOW connection.sni example.com', {}, sni(undefined)),
  attack('SNI', 'plaintext', 'ALLOW connection.sni example.com', {}),
  attack(
    'SNI',
    'another, with the allowed Host',
    'ALLOW connection.sni example.com',
    { host: 'example.com' },
    sni('evil.com'),
  ),
  attack(
    'SNI',
    'in capitals',
    'DENY connection.sni admin.com',
    {},
    { ...sni('ADMIN.com'), why: 'Envoy writes server names in lower case' },
  ),
  attack(
    'SNI',
    'none',
    'DENY connection.sni admin.com',
    {},
    { ...sni(undefined), expected: 'passes', why: 'no name is not admin.com' },
  ),
]

export const callerAttacks: readonly Attack[] = [...addresses, ...identities, ...serverNames]
