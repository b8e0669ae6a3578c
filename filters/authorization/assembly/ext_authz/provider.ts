import { Bytes, ByteString, currentTimeMillis, JsonValue, log, RootContext } from '@meshscript/sdk'
import { CheckedContext } from './checked_context'
import { GrpcProvider } from './grpc_provider'
import { HttpProvider } from './http_provider'

/** How a request's body goes into its check. */
@final
export class BodyRule {
  constructor(
    readonly limit: u32,
    /** What is beyond the limit is left out; else such a request is refused with 413. */
    readonly allowsPartial: bool,
    /** gRPC: as bytes, not as text. */
    readonly isBytes: bool,
  ) {}
}

/** An external service that is asked whether a request may pass (Envoy's ext_authz). */
export abstract class Provider {
  readonly cluster: Bytes
  readonly timeout: u32
  /** Whether requests go on where there is no answer. */
  readonly failOpen: bool
  readonly statusOnError: u32
  readonly body: BodyRule | null

  constructor(json: JsonValue) {
    const cluster = json.get('cluster')
    this.cluster = cluster.bytes()
    if (!this.cluster.length) cluster.fail('expected the name of a cluster')
    this.timeout = <u32>json.get('timeoutMs').integer(DEFAULT_TIMEOUT, 1, i32.MAX_VALUE)
    this.failOpen = json.get('failOpen').bool(false)
    // Envoy finds the route anew whenever a Wasm filter changes headers, so both values do the same.
    json.get('clearRouteCache').bool(false)
    this.statusOnError = <u32>json.get('statusOnError').integer(403, 200, 599)
    this.body = readBodyRule(json.get('includeRequestBodyInCheck'))
  }

  /** Whether answers are known to add headers to responses. */
  get changesResponses(): bool {
    return false
  }

  /** Sends the check of the request whose headers are open, with the first bytes of a body of which `size` have come. False: it can't be sent. */
  abstract ask(context: CheckedContext, body: ByteString | null, size: u32): bool
}

/** Istio's. */
const DEFAULT_TIMEOUT: i64 = 600_000
/** Envoy's limit of what it buffers for a filter, by default. */
const DEFAULT_BODY_LIMIT: i64 = 1_048_576

function readBodyRule(json: JsonValue): BodyRule | null {
  if (!json.exists) return null
  return new BodyRule(
    <u32>json.get('maxRequestBytes').integer(DEFAULT_BODY_LIMIT, 1, <i64>u32.MAX_VALUE),
    json.get('allowPartialMessage').bool(false),
    json.get('packAsBytes').bool(false),
  )
}

/** The providers of a configuration, and the requests that wait for their bodies before they are asked about. */
@final
export class Providers {
  private names: Bytes[] = []
  private providers: Provider[] = []
  private waiting: CheckedContext[] = []
  private hasBodies: bool = false

  /** The provider of this name; null when there is none. */
  find(name: ByteString): Provider | null {
    for (let i = 0; i < this.names.length; i++) {
      if (name.equals(unchecked(this.names[i]))) return unchecked(this.providers[i])
    }
    return null
  }

  /** Call it once the configuration is accepted; requests that wait since the one before are not forgotten. */
  start(root: RootContext, previous: Providers): void {
    this.waiting = previous.waiting
    root.setTickPeriod(this.hasBodies || this.waiting.length ? TICK : 0)
  }

  /** Call it in `onTick`: refuses requests whose bodies do not come. */
  onTick(): void {
    const waiting = this.waiting
    const now = currentTimeMillis()
    let kept = 0
    let overdue = 0
    for (let i = 0; i < waiting.length; i++) {
      const context = unchecked(waiting[i])
      if (!context.waitsForBody()) continue
      if (context.isOverdue(now)) {
        overdue++
        context.onFailed()
      } else unchecked((waiting[kept++] = context))
    }
    waiting.length = kept
    if (overdue) log.warn(`bodies of ${overdue} requests that are to be checked stay away: ${REMEDY}`)
  }

  addWaiting(context: CheckedContext): void {
    this.waiting.push(context)
  }

  add(name: Bytes, provider: Provider): void {
    this.names.push(name)
    this.providers.push(provider)
    if (provider.body) this.hasBodies = true
  }
}

const REMEDY = 'the plugin must have allow_on_headers_stop_iteration: true'

/** Milliseconds between looks at requests that wait for a body. */
const TICK: u32 = 1000

/** Reads `providers` of the configuration (`definitions/provider` of schema.json). */
export function readProviders(json: JsonValue): Providers {
  const providers = new Providers()
  const members = json.optionalObject()
  for (let i = 0; i < members.length; i++) {
    const member = members.at(i)
    const name = member.name.persist()
    if (providers.find(name.view)) member.fail('a provider of this name is already there')
    const http = member.get('http')
    const grpc = member.get('grpc')
    if (http.exists == grpc.exists) member.fail('expected either "http" or "grpc"')
    else if (http.exists) providers.add(name, new HttpProvider(http))
    else providers.add(name, new GrpcProvider(grpc))
  }
  return providers
}
