import { ByteString, entryStamp, HeaderMap, Pairs, property, utf8 } from '@meshscript/sdk'
import { DynamicMetadata } from './metadata'
import { Peer, PeerReader } from './peer'

/** Made once it is asked for, and then the only one of the VM. */
let theRequest: CurrentRequest | null = null

/** The request whose headers callback runs. All filters of a VM share what is read of it. */
export function currentRequest(): CurrentRequest {
  let request = theRequest
  if (!request) theRequest = request = new CurrentRequest()
  return request
}

/**
 * A view of the request whose headers callback runs. One object serves all requests of a VM (`currentRequest()`): it holds nothing beyond a callback,
 * and each attribute is read when a rule asks for it, and then once.
 */
@final
export class CurrentRequest {
  readonly metadata: DynamicMetadata = new DynamicMetadata()
  private peers: PeerReader = new PeerReader()
  private hasPeer: bool = false
  private isPeerAsked: bool = false
  private knownPeer: Peer | null = null
  private pairs: Pairs | null = null
  private pathname: ByteString | null = null
  private authority: ByteString | null = null
  private map: HeaderMap | null = null
  private stamp: u32 = 0

  /** Forgets the request before: call it first in a callback. What another filter has read of the same request meanwhile is kept, if no header was changed since. */
  begin(headers: HeaderMap): void {
    this.isPeerAsked = false
    const stamp = entryStamp()
    if (stamp == this.stamp && this.map == headers) return
    this.stamp = stamp
    this.map = headers
    this.hasPeer = false
    this.knownPeer = null
    this.pairs = null
    this.pathname = null
    this.authority = null
    this.metadata.forget()
  }

  /** The client as its certificate names it; null without mutual TLS. */
  get peer(): Peer | null {
    this.isPeerAsked = true
    if (!this.hasPeer) {
      this.hasPeer = true
      this.knownPeer = this.peers.read()
    }
    return this.knownPeer
  }

  /** True when the peer was asked for since `begin`, and its certificate can't be read. */
  get hasUnreadablePeer(): bool {
    const peer = this.knownPeer
    return this.isPeerAsked && peer !== null && !peer.isReadable
  }

  /** All request headers, in their order. */
  get headers(): Pairs {
    const known = this.pairs
    if (known) return known
    const read = this.map!.all()
    this.pairs = read
    return read
  }

  /** `:path` without query and fragment; null when there is none. */
  get path(): ByteString | null {
    const known = this.pathname
    if (known) return known
    const path = this.headers.get(utf8(':path'))
    if (!path) return null
    let length = 0
    while (length < path.length) {
      const byte = path.byteAt(length)
      if (byte == 0x3f || byte == 0x23) break // ? #
      length++
    }
    const read = length == path.length ? path : path.slice(0, length)
    this.pathname = read
    return read
  }

  /** `:authority` in lower case and without its port; null when there is none. */
  get host(): ByteString | null {
    const known = this.authority
    if (known) return known
    const authority = this.headers.get(utf8(':authority'))
    if (!authority) return null
    const end = portStart(authority)
    const read = (end < 0 ? authority : authority.slice(0, end)).toLowerCase()
    this.authority = read
    return read
  }

  /** The value of the first query parameter of a name, as it stands in the path; null when there is none. */
  queryParam(name: ByteString): ByteString | null {
    const path = this.headers.get(utf8(':path'))
    if (!path) return null
    let start = path.indexOfByte(0x3f) + 1
    if (!start) return null
    while (start < path.length) {
      let end = path.indexOfByte(0x26, start)
      if (end < 0) end = path.length
      if (isParameter(path, start, end, name)) return path.slice(min(start + name.length + 1, end), end)
      start = end + 1
    }
    return null
  }

  /** Address of the client as Envoy takes it, without port. Null when it has none. */
  get remoteAddress(): ByteString | null {
    const address = property.sourceAddress()
    return address ? withoutPort(address) : null
  }

  /** Address at which the request has come in, without port. Null when it has none. */
  get destinationAddress(): ByteString | null {
    const address = property.destinationAddress()
    return address ? withoutPort(address) : null
  }

  /**
   * Address of the direct peer; null when it can't be known. Once Envoy has taken the client's address from X-Forwarded-For, Wasm filters see that one,
   * with port 0. A native filter in front can tell: README.md, "Direct peer".
   */
  get directAddress(): ByteString | null {
    const told = property.get(utf8('filter_state\0meshscript.direct_remote_address'))
    if (told) return told
    const address = property.sourceAddress()
    if (!address || portOf(address) == 0) return null
    return withoutPort(address)
  }
}

/** Whether `name=…` or `name` stands there. */
function isParameter(path: ByteString, start: i32, end: i32, name: ByteString): bool {
  const length = name.length
  if (end - start < length || memory.compare(path.ptr + start, name.ptr, length)) return false
  return end - start == length || path.byteAt(start + length) == 0x3d
}

/** Where the port of an authority begins, with its colon; -1 when it has none. */
export function portStart(authority: ByteString): i32 {
  const colon = authority.lastIndexOfByte(0x3a)
  if (colon < 0) return -1
  // The colons of an IPv6 address are in brackets.
  return authority.lastIndexOfByte(0x5d) < colon ? colon : -1
}

/** `1.2.3.4:80` → `1.2.3.4`, `[::1]:80` → `::1`. */
function withoutPort(address: ByteString): ByteString {
  const colon = address.lastIndexOfByte(0x3a)
  const host = colon < 0 ? address : address.slice(0, colon)
  const isBracketed = host.length > 1 && host.byteAt(0) == 0x5b && host.byteAt(host.length - 1) == 0x5d
  return isBracketed ? host.slice(1, host.length - 1) : host
}

function portOf(address: ByteString): i64 {
  const colon = address.lastIndexOfByte(0x3a)
  return colon < 0 ? 0 : address.slice(colon + 1).parseInt()
}
