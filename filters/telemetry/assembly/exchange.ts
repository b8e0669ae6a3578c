import { ByteString, currentTime, HeaderMap, property, utf8 } from '@meshscript/sdk'
import { Attribute, Attributes } from './attributes'
import { KnownPeers, namespaceOf } from './peers/known_peers'
import { Service, Services } from './services'
import { Workload } from './workload'

/** What was read of the exchange. */
enum Known {
  Principals = 1,
  Peer = 2,
  Service = 4,
  Grpc = 8,
}

const GRPC: string = 'application/grpc'

/**
 * The request or connection whose log callback runs, as all parts of the filter see it: each value is asked of the host when the first part needs it,
 * and then once. One object serves a configuration; what it gives is valid in the callback.
 */
@final
export class Exchange {
  readonly attributes: Attributes = new Attributes()
  private known: u32 = 0
  private told: Workload | null = null
  private headers: HeaderMap | null = null
  private peerId: ByteString = ByteString.empty
  private ownId: ByteString = ByteString.empty
  private knownPeer: Workload | null = null
  private knownService: Service | null = null
  private grpc: i64 = 0

  constructor(
    /** Whether the request goes out from the workload, not in. */
    readonly isSource: bool,
    readonly own: Workload,
    /** The service that the workload is, where one is known. */
    private ownService: Service | null,
    private peers: KnownPeers,
    private services: Services,
  ) {}

  /** Forgets the exchange before. `headers`: those of the request; null for a connection. `told`: who the peer says that it is. */
  begin(headers: HeaderMap | null, told: Workload | null): void {
    this.known = 0
    this.attributes.forget()
    this.headers = headers
    this.told = told
  }

  // @ts-ignore: decorator
  @inline
  private isNew(what: Known): bool {
    if (this.known & what) return false
    this.known |= what
    return true
  }

  /** HTTP status; 0 where there is none. */
  get responseCode(): i64 {
    return this.attributes.number(Attribute.Code, 0)
  }

  /** Envoy's bits: `responseFlagsText`. */
  get responseFlags(): i64 {
    return this.attributes.number(Attribute.Flags, 0)
  }

  /** -1 of a request that is not gRPC, -2 of one without a status. */
  get grpcStatus(): i64 {
    if (this.isNew(Known.Grpc))
      this.grpc = this.isGrpcRequest() ? property.getInt(utf8('response\0grpc_status'), -2) : -1
    return this.grpc
  }

  private isGrpcRequest(): bool {
    const headers = this.headers
    const type = headers ? headers.get(utf8('content-type')) : null
    return type !== null && isGrpc(type)
  }

  /** The first URI in the peer's certificate; empty in plaintext. */
  get peerPrincipal(): ByteString {
    this.readPrincipals()
    return this.peerId
  }

  /** The same of our own certificate. */
  get ownPrincipal(): ByteString {
    this.readPrincipals()
    return this.ownId
  }

  /** Whether both sides have shown who they are. */
  get isMutualTls(): bool {
    this.readPrincipals()
    return !this.peerId.isEmpty && !this.ownId.isEmpty
  }

  private readPrincipals(): void {
    if (!this.isNew(Known.Principals)) return
    this.peerId = ByteString.empty
    this.ownId = ByteString.empty
    const own = this.own.principal
    if (this.isSource) {
      if (!property.get(utf8('upstream\0tls_version'))) return
      this.peerId = property.getOrEmpty(utf8('upstream\0uri_san_peer_certificate'))
      this.ownId = own.length ? own.view : property.getOrEmpty(utf8('upstream\0uri_san_local_certificate'))
    } else {
      if (!property.connectionTlsVersion()) return
      this.peerId = property.getOrEmpty(utf8('connection\0uri_san_peer_certificate'))
      this.ownId = own.length ? own.view : property.getOrEmpty(utf8('connection\0uri_san_local_certificate'))
    }
  }

  /** Who is at the other end, by its certificate, its own words or its address; null where nothing tells. */
  get peer(): Workload | null {
    if (this.isNew(Known.Peer)) this.knownPeer = this.findPeer()
    return this.knownPeer
  }

  private findPeer(): Workload | null {
    let peer: Workload | null = null
    if (this.peers.hasPrincipals && !this.peerPrincipal.isEmpty) peer = this.peers.ofPrincipal(this.peerPrincipal)
    if (!peer) peer = this.told
    if (!peer && this.peers.hasAddresses) {
      const address = this.isSource ? property.get(utf8('upstream\0address')) : property.sourceAddress()
      if (address) peer = this.peers.ofAddress(address)
    }
    if (peer || !this.isSource) return peer
    const service = this.service
    return service ? service.workload : null
  }

  /** As its certificate has it, else as the peer. Empty where it is not known. */
  get peerNamespace(): ByteString {
    const namespace = namespaceOf(this.peerPrincipal)
    if (!namespace.isEmpty) return namespace
    const peer = this.peer
    return peer ? peer.namespace.view : ByteString.empty
  }

  /** The service that was asked; null where only the authority tells. */
  get service(): Service | null {
    if (this.isNew(Known.Service)) {
      this.knownService = this.ownService
      if (!this.ownService) {
        const cluster = property.get(utf8('xds\0cluster_name'))
        if (cluster && !cluster.isEmpty) this.knownService = this.services.of(cluster)
      }
    }
    return this.knownService
  }

  /** The authority of the request; empty of a connection. */
  get authority(): ByteString {
    if (!this.headers) return ByteString.empty
    const authority = this.attributes.get(Attribute.Authority)
    return authority ? authority : ByteString.empty
  }

  /** Nanoseconds from the first byte of the request to the last of the response; -1 where it has not come to that. */
  get duration(): i64 {
    return this.attributes.number(Attribute.Duration, -1)
  }

  /** Nanoseconds since 1970. */
  get now(): u64 {
    return currentTime()
  }

  /** Bytes of the request, with headers. */
  get requestSize(): i64 {
    return this.attributes.number(Attribute.RequestSize, 0)
  }

  /** Bytes of the response, with headers and trailers. */
  get responseSize(): i64 {
    return this.attributes.number(Attribute.ResponseSize, 0)
  }

  /** Whether the service of every request is known beforehand. */
  get hasOwnService(): bool {
    return this.ownService !== null
  }
}

/** Whether a content type is gRPC's. application/grpc-web is none. */
export function isGrpc(type: ByteString): bool {
  if (!type.startsWith(utf8('application/grpc'))) return false
  return type.length == GRPC.length || type.byteAt(GRPC.length) == 0x2b || type.byteAt(GRPC.length) == 0x3b
}
