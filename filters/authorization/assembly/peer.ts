import { Bytes, property, utf8 } from '@meshscript/sdk'
import { readSans } from './certificate'

/** How many indexes look at peers: those of enforced, CUSTOM, AUDIT and dry-run policies. */
export const PEER_SLOTS: i32 = 5

/** The client at the other end of a mutual TLS connection. */
@final
export class Peer {
  /** By index: the patterns that its names match, once they were compared. */
  readonly matches: StaticArray<StaticArray<i32> | null> = new StaticArray<StaticArray<i32> | null>(PEER_SLOTS)

  constructor(
    /** SHA-256 of the certificate. */
    readonly digest: Bytes,
    /** Its URI and DNS SANs, and its subject where it has one. */
    readonly sans: Bytes[],
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
    const pem = property.connectionPeerCertificate()
    const sans = pem ? readSans(pem) : null
    if (!sans) return new Peer(digest.persist(), [], false)
    // Envoy's RBAC compares the subject, too.
    const subject = property.connectionSubjectPeerCertificate()
    if (subject && !subject.isEmpty) sans.push(subject.persist())
    const peer = new Peer(digest.persist(), sans, true)
    unchecked((this.cache[slot] = peer))
    return peer
  }
}
