// Copies of requests for other clusters, by HTTP callouts: for proxies whose routes can't mirror by themselves.

import { Bytes, ByteString, Headers, httpCall, HttpCallResponse, JsonValue, Pairs, RootContext } from '@meshscript/sdk'
import { random } from '../../common/assembly/random'

/** Milliseconds for the answer, which nobody waits for. */
const TIMEOUT: u32 = 15_000
/** A longer body is not copied, nor is its request. */
const MAX_BODY: i32 = 1 << 20

/** A cluster that gets copies. */
@final
export class Mirror {
  readonly cluster: Bytes
  private percentage: f64

  constructor(json: JsonValue) {
    this.cluster = json.get('cluster').bytes()
    if (!this.cluster.length) json.get('cluster').fail('expected the name of a cluster')
    this.percentage = json.get('percentage').number(100)
    if (!(this.percentage >= 0 && this.percentage <= 100))
      json.get('percentage').fail('expected a number from 0 to 100')
  }

  static readList(json: JsonValue): Mirror[] | null {
    if (!json.exists) return null
    const mirrors: Mirror[] = []
    const items = json.array()
    for (let i = 0; i < items.length; i++) mirrors.push(new Mirror(items[i]))
    return mirrors
  }

  /** Whether this request is copied. */
  get isDue(): bool {
    return this.percentage >= 100 || random().next() * 100 < this.percentage
  }
}

/** The copy of a request that is on its way. */
@final
export class Copy {
  private headers: Headers = new Headers()
  private body: Bytes[] = []
  private size: i32 = 0

  constructor(private mirrors: Mirror[]) {}

  /** The copy of a request for those mirrors whose turn it is; null for none. */
  static of(mirrors: Mirror[]): Copy | null {
    let due: Mirror[] | null = null
    for (let i = 0; i < mirrors.length; i++) {
      if (!mirrors[i].isDue) continue
      if (!due) due = []
      due.push(mirrors[i])
    }
    return due ? new Copy(due) : null
  }

  /** `lines`: the headers as the upstream gets them. */
  takeHeaders(lines: Pairs, clusterHeader: ByteString, nativeHeader: ByteString): void {
    for (let i = 0; i < lines.length; i++) {
      const name = lines.name(i)
      if (name.equals(clusterHeader) || name.equals(nativeHeader) || isForProxy(name)) continue
      this.headers.add(name, lines.value(i))
    }
    this.headers.persist()
  }

  /** Takes a part of the body. False: it is too long, and there will be no copy. */
  takeBody(part: ByteString): bool {
    this.size += part.length
    if (this.size > MAX_BODY) return false
    if (part.length) this.body.push(part.persist())
    return true
  }

  /** Sends it. Done for the plugin, since the call must outlive the request. */
  send(root: RootContext): void {
    let body = ByteString.empty
    if (this.body.length == 1) body = this.body[0].view
    else for (let i = 0; i < this.body.length; i++) body = body.concat(this.body[i])
    for (let i = 0; i < this.mirrors.length; i++) {
      httpCall(root, this.mirrors[i].cluster, this.headers, TIMEOUT, ignore, body.length ? body : null)
    }
  }
}

function ignore(root: RootContext, response: HttpCallResponse): void {}

/** What this proxy's route was told. */
function isForProxy(name: ByteString): bool {
  if (!name.startsWith('x-envoy-')) return false
  return (
    name.startsWith('x-envoy-retr') || name.startsWith('x-envoy-upstream-rq-') || name.equals('x-envoy-max-retries')
  )
}
