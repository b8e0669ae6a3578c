import { Bytes, property, utf8 } from '@meshscript/sdk'
import { uriSans } from './certificate'

/** Who the client is, by its certificate. */
@final
export class Peer {
  constructor(
    /** SHA-256 of the certificate. */
    readonly digest: Bytes,
    /** Its URI SANs that begin with `spiffe://`, without it. */
    readonly principals: Bytes[],
    /** False: TLS has accepted the certificate, but what is in it is not known here. Such a request is refused. */
    readonly isReadable: bool,
  ) {}
}

/** How many certificates are remembered, by a few bits of their digest. */
const SLOTS: u32 = 256

/**
 * Reads the client's certificate. Parsing it takes longer than a whole request, so what is in it is remembered by its digest,
 * which the host has at hand.
 */
@final
export class PeerReader {
  private cache: StaticArray<Peer | null> = new StaticArray<Peer | null>(SLOTS)

  /** The peer of the request's connection; null in plaintext and without a client certificate. */
  read(): Peer | null {
    const digest = property.get(utf8('connection\0sha256_peer_certificate_digest'))
    if (!digest || digest.isEmpty) return null
    const slot = digest.hash() & (SLOTS - 1)
    const known = unchecked(this.cache[slot])
    if (known && known.digest.equals(digest)) return known
    const principals: Bytes[] = []
    const pem = property.connectionPeerCertificate()
    const sans = pem ? uriSans(pem) : null
    if (!sans) return new Peer(digest.persist(), principals, false)
    for (let i = 0; i < sans.length; i++) {
      const san = sans[i].view
      if (san.startsWith('spiffe://')) principals.push(san.slice(9).persist())
    }
    const peer = new Peer(digest.persist(), principals, true)
    unchecked((this.cache[slot] = peer))
    return peer
  }
}
