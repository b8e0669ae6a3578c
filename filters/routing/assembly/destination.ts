import { Bytes, JsonValue } from '@meshscript/sdk'
import { hash64 } from '../../common/assembly/hash'
import { HeaderOperations } from './header_operations'

/** A cluster that requests of a route go to. */
@final
export class Destination {
  readonly cluster: Bytes
  readonly weight: f64
  /** Replaces the authority; null to keep it. */
  readonly authority: Bytes | null
  readonly request: HeaderOperations | null
  readonly response: HeaderOperations | null
  /** Tells it from the others of a route, whatever their weights and their order. */
  seed: u64

  /** `weight`: what counts where the configuration has none. */
  constructor(json: JsonValue, weight: f64) {
    this.cluster = json.get('cluster').bytes()
    if (!this.cluster.length) json.get('cluster').fail('expected the name of a cluster')
    this.weight = json.get('weight').number(weight)
    if (this.weight < 0) json.get('weight').fail('expected a weight that is not below 0')
    const authority = json.get('authority')
    this.authority = authority.exists ? authority.bytes() : null
    const headers = json.get('headers')
    this.request = headers.exists ? HeaderOperations.read(headers.get('request')) : null
    this.response = headers.exists ? HeaderOperations.read(headers.get('response')) : null
    this.seed = hash64(this.cluster.view)
  }
}
