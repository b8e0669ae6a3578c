/** `proxy_http_call`. */
import { Status } from './abi.ts'
import { Exchange, isHttp2, type ExchangeEvents } from './exchange.ts'
import { HeaderMap } from './header_map.ts'
import type { Outcome } from './hostcall.ts'
import type { Pair } from './pairs.ts'
import type { RootContext } from './root_context.ts'

const HTTP_CALL = 0

export interface HttpCallRequest {
  cluster: string
  headers: readonly Pair[]
  body: Buffer
  trailers: readonly Pair[]
  timeout: number
}

export interface HttpCallResponse {
  headers: HeaderMap
  body: Buffer
  trailers?: HeaderMap
}

export function httpCall(root: RootContext, request: HttpCallRequest): Outcome {
  const { timeout, body } = request
  const cluster = root.host.clusters.get(request.cluster)
  if (timeout < 0 || !cluster) return Status.BadArgument
  const headers = new HeaderMap('request', request.headers)
  if ([':path', ':method', ':authority'].some((name) => !headers.has(name))) return Status.BadArgument
  if (body.length > 0) headers.set('content-length', String(body.length))
  if (isHttp2(cluster) && !headers.has(':scheme')) headers.add(':scheme', 'http')
  addCallHeaders(headers, timeout)
  const id = root.vm.nextId('http call', HTTP_CALL)
  // Envoy's client does not send the trailers.
  root.httpCalls.set(id, new HttpCall(root, id, { cluster: request.cluster, headers, body }, timeout))
  return [id]
}

/** What Envoy's client adds to each call. */
export function addCallHeaders(headers: HeaderMap, timeout: number): void {
  headers.set('x-envoy-internal', 'true')
  if (timeout > 0) headers.set('x-envoy-expected-rq-timeout-ms', String(timeout))
}

export const connectError = (reason: string) =>
  `upstream connect error or disconnect/reset before headers. reset reason: ${reason}`
export const TIMEOUT_BODY = 'upstream request timeout'

export class HttpCall implements ExchangeEvents {
  readonly #root: RootContext
  readonly #id: number
  readonly #exchange: Exchange
  #cancelTimeout = () => {}
  #headers: HeaderMap | undefined
  #pieces: Buffer[] = []
  #over = false

  constructor(root: RootContext, id: number, request: ConstructorParameters<typeof Exchange>[1], timeout: number) {
    this.#root = root
    this.#id = id
    this.#exchange = new Exchange(root.host, request, this)
    if (timeout > 0) this.#cancelTimeout = root.host.clock.after(timeout, () => this.#timeout())
  }

  /** Nobody is told. */
  cancel(): void {
    this.#over = true
    this.#exchange.cancel()
    this.#cancelTimeout()
  }

  headers(map: HeaderMap, end: boolean): void {
    this.#headers = map
    if (end) this.#succeed()
  }

  data(piece: Buffer, end: boolean): void {
    this.#pieces.push(piece)
    if (end) this.#succeed()
  }

  trailers(map: HeaderMap): void {
    this.#succeed(map)
  }

  reset(reason: string): void {
    if (this.#headers) this.#fail()
    else this.#synthesize(503, connectError(reason))
  }

  #timeout(): void {
    this.#exchange.cancel()
    if (this.#headers) this.#fail()
    else this.#synthesize(504, TIMEOUT_BODY)
  }

  /** Failures before the response look like a response. */
  #synthesize(status: number, text: string): void {
    this.#headers = new HeaderMap('response', [
      [':status', String(status)],
      ['content-length', String(text.length)],
      ['content-type', 'text/plain'],
    ])
    this.#pieces = [Buffer.from(text)]
    this.#succeed()
  }

  #succeed(trailers?: HeaderMap): void {
    if (!this.#end()) return
    const response = { headers: this.#headers!, body: Buffer.concat(this.#pieces), trailers }
    this.#root.httpCallResponse = response
    // Gone before anything that the guest deferred is done.
    this.#root.vm.defer(() => (this.#root.httpCallResponse = undefined))
    const { headers, body } = response
    this.#root.callback('on_http_call_response', this.#id, headers.size, body.length, trailers?.size ?? 0)
    this.#root.vm.afterCall()
  }

  #fail(): void {
    if (!this.#end()) return
    this.#root.statusCode = Status.BrokenConnection
    this.#root.statusMessage = 'reset'
    this.#root.vm.defer(() => (this.#root.statusMessage = ''))
    this.#root.callback('on_http_call_response', this.#id, 0, 0, 0)
    this.#root.vm.afterCall()
  }

  #end(): boolean {
    if (this.#over) return false
    this.cancel()
    this.#root.httpCalls.delete(this.#id)
    return true
  }
}
