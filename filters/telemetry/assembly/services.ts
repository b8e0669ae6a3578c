import { Bytes, ByteString, JsonValue, property, utf8 } from '@meshscript/sdk'
import { Workload } from './workload'

const BUCKETS: i32 = 256
/** More clusters than that are looked up anew each time. */
const MAX_KNOWN: i32 = 16_384

/** What the metrics say of the service behind a cluster. */
@final
export class Service {
  /** Empty: the authority of the request. */
  host: Bytes = new Bytes(ByteString.empty)
  /** Empty: the authority of the request. */
  name: Bytes = new Bytes(ByteString.empty)
  namespace: Bytes = new Bytes(ByteString.empty)
  /** Who serves it, where the peer does not tell. */
  workload: Workload | null = null
  next: Service | null = null

  constructor(
    readonly cluster: Bytes,
    /** Another one for each. */
    readonly number: u64,
  ) {}

  /** Whether the authority of the request says what is not known here. */
  get needsAuthority(): bool {
    return !this.host.length || !this.name.length
  }
}

/** Services by the names of Envoy's clusters. What is known of a cluster is found out once. */
@final
export class Services {
  private buckets: StaticArray<Service | null> = new StaticArray<Service | null>(BUCKETS)
  private count: i32 = 0
  private numbers: u64 = 0

  constructor(json: JsonValue) {
    const services = json.optionalObject()
    for (let i = 0; i < services.length; i++) {
      const item = services[i]
      const service = this.add(item.name)
      const host = item.get('host')
      service.host = host.bytes()
      if (!service.host.length) host.fail('expected a host')
      service.name = item.get('name').bytes(firstLabel(service.host.view))
      service.namespace = item.get('namespace').bytes('')
      const workload = item.get('workload')
      if (workload.exists) service.workload = Workload.read(workload)
    }
  }

  /** The service behind the cluster of this name. */
  of(cluster: ByteString): Service {
    let service = unchecked(this.buckets[cluster.hash() & (BUCKETS - 1)])
    while (service) {
      if (service.cluster.equals(cluster)) return service
      service = service.next
    }
    return this.findOut(cluster)
  }

  private add(cluster: ByteString): Service {
    const service = new Service(cluster.persist(), ++this.numbers)
    if (this.count == MAX_KNOWN) return service
    this.count++
    const bucket = cluster.hash() & (BUCKETS - 1)
    service.next = this.buckets[bucket]
    this.buckets[bucket] = service
    return service
  }

  private findOut(cluster: ByteString): Service {
    const service = this.add(cluster)
    if (cluster.equals('BlackHoleCluster') || cluster.equals('PassthroughCluster') || isInboundPassthrough(cluster)) {
      service.name = cluster.persist()
      return service
    }
    // As istiod tells.
    const host = property.get(utf8('xds\0cluster_metadata\0filter_metadata\0istio\0services\x000\0host'))
    const name = property.get(utf8('xds\0cluster_metadata\0filter_metadata\0istio\0services\x000\0name'))
    // outbound|9080|v2|reviews.default.svc.cluster.local
    const bar = cluster.startsWith('outbound|') ? cluster.lastIndexOfByte(0x7c) : -1
    if (host && !host.isEmpty) service.host = host.persist()
    else if (bar >= 0) service.host = cluster.slice(bar + 1).persist()
    service.name = name && !name.isEmpty ? name.persist() : firstLabel(service.host.view).persist()
    return service
  }
}

function isInboundPassthrough(cluster: ByteString): bool {
  return cluster.equals('InboundPassthroughCluster') || cluster.startsWith('InboundPassthroughClusterIpv')
}

/** `reviews` of `reviews.default.svc.cluster.local`. */
export function firstLabel(host: ByteString): ByteString {
  const dot = host.indexOfByte(0x2e)
  return dot < 0 ? host : host.slice(0, dot)
}
