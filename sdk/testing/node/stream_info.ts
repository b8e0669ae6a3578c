/** Facts about a connection and a stream, from which attributes are read. */
import { type CelMessage } from './cel.ts'
import type { HeaderMap } from './header_map.ts'
import type { Pair } from './pairs.ts'

/** How a property declared by `declare_property` is read: as bytes, text, or without a value that CEL knows. */
export interface PropertyType {
  type: number
  readOnly: boolean
}

export interface FilterStateObject {
  /** Bytes. */
  value: string
  type: PropertyType
}

export const wasmState = (value: string, type: PropertyType = { type: 0, readOnly: false }): FilterStateObject => ({
  value,
  type,
})

export interface TlsInfo {
  version: string
  peerUris: readonly string[]
  peerDns: readonly string[]
  localUris: readonly string[]
  peerPem: string
  /** SHA-256 of the certificate in hex. */
  peerDigest: string
}

export interface ConnectionInfo {
  id: number
  source: { address: string; port: number }
  destination: { address: string; port: number }
  sni: string
  tls?: TlsInfo
  filterChain: string
}

export interface UpstreamInfo {
  cluster: string
  address: string
  port: number
  localAddress: string
  connected: number
  reply?: number
}

export interface StreamInfo {
  connection: ConnectionInfo
  filterState: Map<string, FilterStateObject>
  /** Dynamic metadata; undefined: none. */
  metadata?: CelMessage
  /** Undefined for TCP. */
  http?: HttpInfo
}

export interface HttpInfo {
  protocol: 'HTTP/1.1' | 'HTTP/2'
  /** The address that the request says it comes from, where it says so. */
  source?: { address: string; port: number }
  start: number
  end?: number
  requestSize: number
  responseSize: number
  responseCode?: number
  /** Tries to reach the upstream. */
  attempts: number
  details: string
  /** Bits as in Envoy's response flags. */
  flags: number
  responseHeaders?: HeaderMap
  route: RouteInfo | undefined
  upstream?: UpstreamInfo
}

export interface RouteInfo {
  name: string
  /** Undefined without a cluster, as a direct response is. */
  cluster?: string
}

export type { Pair }
