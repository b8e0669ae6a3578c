import { Bytes, property, utf8 } from '@meshscript/sdk'
import { readSans } from './certificate'

/** How many certificates are remembered, by a few bits of their digest. */
export const PEER_SLOTS: i32 = 256

/** The client at the other end of a mutual TLS connection. */
@final
export class Peer {
  constructor(
    /** Where it is remembered, below `PEER_SLOTS`: another peer may be there later. */
    readonly slot: i32,
    /** SHA-256 of the certificate. */
    readonly digest: Bytes,
    /** Its URI and DNS SANs, and its subject where it has one. */
    readonly sans: Bytes[],
    /** False: TLS has accepted the certificate, but `sans` has the first URI and the first DNS name at most. Authorization refuses such a request. */
    readonly isReadable: bool,
  ) {}
}

/**
 * Reads the client's certificate. Parsing it takes longer than a whole request, so what is in it is remembered by its digest,
 * which the host has at hand.
 */
@final
export class PeerReader {
  private cache: StaticArray<Peer | null> = new StaticArray<Peer | null>(PEER_SLOTS)

  /** The peer of the request's connection; null in plaintext and without a client certificate. */
  read(): Peer | null {
    const digest = property.get(utf8('connection\0sha256_peer_certificate_digest'))
    if (!digest || digest.isEmpty) return null
    const slot = digest.hash() & (PEER_SLOTS - 1)
    const known = unchecked(this.cache[slot])
    if (known && known.digest.equals(digest)) return known
    const pem = property.connectionPeerCertificate()
    const sans = pem ? readSans(pem) : null
    if (!sans) return new Peer(slot, digest.persist(), firstNames(), false)
    // Envoy's RBAC compares the subject, too.
    const subject = property.connectionSubjectPeerCertificate()
    if (subject && !subject.isEmpty) sans.push(subject.persist())
    const peer = new Peer(slot, digest.persist(), sans, true)
    unchecked((this.cache[slot] = peer))
    return peer
  }
}

/** What Envoy tells of a certificate that can't be read, as all are before Envoy 1.38. */
function firstNames(): Bytes[] {
  const names: Bytes[] = []
  const uri = property.connectionUriSanPeerCertificate()
  if (uri && !uri.isEmpty) names.push(uri.persist())
  const dns = property.connectionDnsSanPeerCertificate()
  if (dns && !dns.isEmpty) names.push(dns.persist())
  return names
}
