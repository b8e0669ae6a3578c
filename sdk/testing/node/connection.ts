/** Connections of clients, as filters see them. */
import type { HostOptions, RequestInit } from '../types.ts'
import { toBinary } from './bytes.ts'
import type { ConnectionInfo, TlsInfo } from './stream_info.ts'

const LISTENER = { address: '127.0.0.1', port: 10_000 }
const FIRST_SOURCE_PORT = 32_768
const SOURCE_PORTS = 28_000
const DEFAULT_TRUST_DOMAIN = 'cluster.local'

export interface ConnectInit {
  source?: string
  peer?: RequestInit['peer']
  sni?: string
}

/** Undefined: TLS refuses the client. */
export function openConnection(
  init: ConnectInit,
  { tls, listen }: Pick<HostOptions, 'tls' | 'listen'>,
  count: number,
  certificate: { pem: string; digest: string } | undefined,
): ConnectionInfo | undefined {
  const info: ConnectionInfo = {
    // Envoy's own first connections take the ids before.
    id: 3 + count,
    source: { address: init.source ?? '127.0.0.1', port: FIRST_SOURCE_PORT + (count % SOURCE_PORTS) },
    destination: { ...LISTENER, ...listen },
    // The inspector of TLS makes names lower case.
    sni: toBinary(init.sni ?? '').toLowerCase(),
    filterChain: '',
  }
  if (!tls) return info
  const peers = typeof init.peer === 'string' ? [init.peer] : (init.peer ?? [])
  if (peers.length === 0) return tls.permissive ? { ...info, filterChain: 'plaintext' } : undefined
  if (!trusted(peers, tls)) return undefined
  return { ...info, filterChain: 'mtls', tls: tlsInfo(peers, tls, certificate) }
}

export function listenerIdentity(tls: NonNullable<HostOptions['tls']>): string {
  const own = trustDomains(tls).find((domain) => domain !== '*') ?? DEFAULT_TRUST_DOMAIN
  return tls.identity ?? `spiffe://${own}/ns/default/sa/default`
}

function trustDomains({ trustDomain }: NonNullable<HostOptions['tls']>): readonly string[] {
  return typeof trustDomain === 'string' ? [trustDomain] : (trustDomain ?? [DEFAULT_TRUST_DOMAIN])
}

function trusted(peers: readonly string[], tls: NonNullable<HostOptions['tls']>): boolean {
  const domains = trustDomains(tls)
  if (domains.includes('*')) return true
  return peers.some((peer) => domains.some((domain) => peer.startsWith(`spiffe://${domain}/`)))
}

function tlsInfo(
  peers: readonly string[],
  tls: NonNullable<HostOptions['tls']>,
  certificate: { pem: string; digest: string } | undefined,
): TlsInfo {
  const isUri = (peer: string) => peer.includes('://')
  return {
    version: 'TLSv1.3',
    peerUris: peers.filter(isUri).map(toBinary),
    peerDns: peers.filter((peer) => !isUri(peer)).map(toBinary),
    localUris: [toBinary(listenerIdentity(tls))],
    peerPem: certificate?.pem ?? '',
    peerDigest: certificate?.digest ?? '',
  }
}

/** As the connection manager writes it for a client with a certificate. */
export function forwardedClientCert({ localUris, peerDigest, peerUris, peerDns }: TlsInfo): string {
  const parts = [`By=${localUris[0]}`, `Hash=${peerDigest}`, 'Subject=""']
  for (const uri of peerUris) parts.push(`URI=${uri}`)
  for (const name of peerDns) parts.push(`DNS=${name}`)
  return parts.join(';')
}
