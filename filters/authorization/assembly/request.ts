import { ByteString, HeaderMap, Pairs, property, utf8 } from '@meshscript/sdk'
import { DynamicMetadata } from './metadata'
import { Peer, PeerReader } from './peer'

/**
 * The request whose headers callback runs. One object serves all requests of a VM: it holds nothing beyond a callback,
 * and each attribute is read when a rule asks for it, and then once.
 */
@final
export class CurrentRequest {
  readonly metadata: DynamicMetadata = new DynamicMetadata()
  private peers: PeerReader = new PeerReader()
  private hasPeer: bool = false
  private knownPeer: Peer | null = null
  private pairs: Pairs | null = null
  private pathname: ByteString | null = null
  private map: HeaderMap | null = null

  /** Forgets the request before. */
  begin(headers: HeaderMap): void {
    this.map = headers
    this.hasPeer = false
    this.knownPeer = null
    this.pairs = null
    this.pathname = null
    this.metadata.forget()
  }

  get peer(): Peer | null {
    if (!this.hasPeer) {
      this.hasPeer = true
      this.knownPeer = this.peers.read()
    }
    return this.knownPeer
  }

  /** True when a rule asked for the peer, and its certificate can't be read. */
  get hasUnreadablePeer(): bool {
    const peer = this.knownPeer
    return peer !== null && !peer.isReadable
  }

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

  /** Address of the client as Envoy takes it, without port. Null when it has none. */
  get remoteAddress(): ByteString | null {
    const address = property.sourceAddress()
    return address ? withoutPort(address) : null
  }

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
