import { Bytes, ByteString, JsonValue, utf8 } from '@meshscript/sdk'
import { keyedHash } from './keyed_hash'

/** Who is at one end of an exchange. What is not known of it is empty. */
@final
export class Workload {
  name: Bytes = new Bytes(ByteString.empty)
  namespace: Bytes = new Bytes(ByteString.empty)
  /** With `spiffe://`. */
  principal: Bytes = new Bytes(ByteString.empty)
  app: Bytes = new Bytes(ByteString.empty)
  version: Bytes = new Bytes(ByteString.empty)
  cluster: Bytes = new Bytes(ByteString.empty)
  canonicalService: Bytes = new Bytes(ByteString.empty)
  canonicalRevision: Bytes = new Bytes(ByteString.empty)
  /** Differs where anything of the above but the principal does. */
  id: u64 = 0

  /** Reads the members that say who it is. */
  static read(json: JsonValue): Workload {
    const workload = new Workload()
    workload.name = json.get('name').bytes()
    workload.namespace = json.get('namespace').bytes()
    const principal = json.get('principal')
    workload.principal = principal.bytes('')
    if (principal.exists && !workload.principal.view.startsWith(utf8('spiffe://')))
      principal.fail('expected a SPIFFE ID, spiffe://…')
    workload.app = json.get('app').bytes('')
    workload.version = json.get('version').bytes('')
    workload.cluster = json.get('cluster').bytes('')
    workload.canonicalService = json.get('canonicalService').bytes('')
    workload.canonicalRevision = json.get('canonicalRevision').bytes('')
    return workload.complete()
  }

  /** To be called once all is known. */
  complete(): this {
    const nul = utf8('\0')
    const text = this.name.view
      .concat(nul)
      .concat(this.namespace.view)
      .concat(nul)
      .concat(this.app.view)
      .concat(nul)
      .concat(this.version.view)
      .concat(nul)
      .concat(this.cluster.view)
      .concat(nul)
      .concat(this.canonicalService.view)
      .concat(nul)
      .concat(this.canonicalRevision.view)
    this.id = keyedHash(text)
    return this
  }
}
