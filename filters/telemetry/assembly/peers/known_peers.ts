import { Bytes, ByteString, JsonValue, utf8 } from '@meshscript/sdk'
import { CidrTrie } from '../../../common/assembly/cidr'
import { Workload } from '../workload'

const BUCKETS: i32 = 256

@final
class Identified {
  constructor(
    public principal: Bytes,
    public workload: Workload,
    public next: Identified | null,
  ) {}
}

/** Who the configuration says that peers are: by the identity of their certificate, or by address. */
@final
export class KnownPeers {
  hasPrincipals: bool = false
  hasAddresses: bool = false
  private buckets: StaticArray<Identified | null> = new StaticArray<Identified | null>(BUCKETS)
  private blocks: CidrTrie = new CidrTrie()
  private byAddress: Workload[] = []

  constructor(json: JsonValue) {
    const peers = json.optionalArray()
    for (let i = 0; i < peers.length; i++) this.read(peers[i])
  }

  private read(json: JsonValue): void {
    const workload = Workload.read(json)
    const address = json.get('address')
    if (address.exists == json.get('principal').exists) {
      json.fail('expected principal or address, and not both')
    } else if (address.exists) {
      if (!this.blocks.add(address.byteString(), this.byAddress.length))
        address.fail('expected an address or a block of addresses, e.g. 10.0.0.0/8')
      this.byAddress.push(workload)
      this.hasAddresses = true
    } else {
      const bucket = workload.principal.view.hash() & (BUCKETS - 1)
      this.buckets[bucket] = new Identified(workload.principal, workload, this.buckets[bucket])
      this.hasPrincipals = true
    }
  }

  /** By its identity, with `spiffe://`. */
  ofPrincipal(principal: ByteString): Workload | null {
    let identified = unchecked(this.buckets[principal.hash() & (BUCKETS - 1)])
    while (identified && !identified.principal.equals(principal)) identified = identified.next
    return identified ? identified.workload : null
  }

  /** By its address, with port or without: the first whose block it is in. */
  ofAddress(address: ByteString): Workload | null {
    return this.blocks.match(withoutPort(address)) > 0 ? this.byAddress[this.blocks.matched[0]] : null
  }
}

/** `1.2.3.4:80` → `1.2.3.4`, `[::1]:80` → `::1`. */
function withoutPort(address: ByteString): ByteString {
  if (address.byteAt(0) == 0x5b) return address.slice(1, address.lastIndexOfByte(0x5d))
  const colon = address.indexOfByte(0x3a)
  return colon < 0 || address.lastIndexOfByte(0x3a) != colon ? address : address.slice(0, colon)
}

/** The namespace of a SPIFFE ID, `spiffe://cluster.local/ns/shop/sa/cart`; empty where there is none. */
export function namespaceOf(principal: ByteString): ByteString {
  const at = principal.indexOf(utf8('/ns/'))
  if (at < 0) return ByteString.empty
  const end = principal.indexOfByte(0x2f, at + 4)
  return end < 0 ? ByteString.empty : principal.slice(at + 4, end)
}
