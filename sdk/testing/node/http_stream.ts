/** One HTTP request through the proxy: from the client through the filters to a cluster, and back. */
import type { TraceEntry, UpstreamRequest } from '../types.ts'
import { Body } from './body.ts'
import type { LocalResponse } from './context.ts'
import { Exchange, type ExchangeEvents, RESET } from './exchange.ts'
import { Direction, type DirectionOwner, type Slot, type Terminal } from './filter_chain.ts'
import { HeaderMap } from './header_map.ts'
import { HttpContext, type HttpStreamControl } from './http_context.ts'
import { connectError } from './http_call.ts'
import { prepareLocalReply } from './local_reply.ts'
import type { RootContext } from './root_context.ts'
import { findRoute, type Route } from './route.ts'
import type { RouteSpec } from '../types.ts'
import type { HostServices } from './services.ts'
import type { HttpInfo, StreamInfo } from './stream_info.ts'

export interface HttpStreamOptions {
  host: HostServices
  roots: readonly RootContext[]
  headers: HeaderMap
  info: StreamInfo & { http: HttpInfo }
  routes?: readonly RouteSpec[]
  http2: boolean
}

/** What the client has got so far. */
export interface Received {
  headers?: HeaderMap
  body: Body
  trailers?: HeaderMap
  complete: boolean
  reset: boolean
}

const UPSTREAM_PORT = 8080

export class HttpStream implements HttpStreamControl, DirectionOwner {
  readonly info: StreamInfo & { http: HttpInfo }
  readonly requestHeaders: HeaderMap
  readonly decode: Direction
  readonly encode: Direction
  readonly received: Received = { body: new Body(), complete: false, reset: false }
  readonly contexts: readonly HttpContext[]
  readonly trace: TraceEntry[] = []
  /** Called once, after the filters are gone. */
  onEnd: () => void = () => {}
  upstream: UpstreamRequest | undefined
  responseHeaders: HeaderMap | undefined
  #headersEncoded = false
  #requestComplete = false
  #ended = false
  #calling = false
  #aborted = false
  #prepared: LocalResponse | undefined
  #exchange: Exchange | undefined
  #sentHeaders: HeaderMap | undefined
  #route: Route | undefined | null = null
  readonly #options: HttpStreamOptions
  readonly #requestBody = new Body()

  constructor(options: HttpStreamOptions) {
    this.#options = options
    this.info = options.info
    this.requestHeaders = options.headers
    this.contexts = options.roots.map((root, index) => new HttpContext(root, this, index))
    const encoders = this.contexts.map((context) => context.encoder).reverse()
    const owner = (tooLarge: () => void): DirectionOwner => ({
      stopped: () => this.stopped(),
      guard: (run) => this.guard(run),
      tooLarge,
    })
    this.decode = new Direction(
      this.contexts.map((context) => context.decoder),
      this.#router,
      owner(() => this.tooLarge()),
      () => new Body(),
    )
    const responseOwner: DirectionOwner = {
      stopped: () => this.#ended || this.#directReply,
      guard: (run) => run(),
      // The upstream is only slowed down.
      tooLarge: () => {},
      resumedInside: () =>
        options.host.fault(
          'continue_stream(response) in on_response_headers that does not pause: real Envoy sends the headers twice',
        ),
    }
    this.encode = new Direction(encoders, this.#client, responseOwner, () => new Body())
  }

  get responseTrailers(): HeaderMap | undefined {
    return this.encode.trailersMap
  }

  get ended(): boolean {
    return this.#ended
  }

  start(end: boolean): void {
    this.#requestComplete = end
    this.#findRoute()
    this.decode.receiveHeaders(this.requestHeaders, end)
  }

  /** Ends it before any filter sees it, as the codec and the connection manager do with bad requests. */
  refuse(response: LocalResponse): void {
    this.#requestComplete = false
    this.localReply(response)
  }

  sendData(data: Buffer, end: boolean): void {
    if (this.#ended) return
    this.#requestComplete = end
    this.info.http.requestSize += data.length
    this.decode.receiveData(new Body(data), end)
  }

  sendTrailers(trailers: HeaderMap): void {
    if (this.#ended) return
    this.#requestComplete = true
    this.decode.receiveTrailers(trailers)
  }

  /** The client goes away. */
  abort(): void {
    this.info.http.flags |= 0x10000
    this.reset('downstream_remote_disconnect')
  }

  /** Which filter holds the stream, and in which phase, as one sentence; undefined if none does. */
  explain(): string | undefined {
    const places: [Direction, string, string][] = [
      [this.decode, 'request', 'continue_stream(request)'],
      [this.encode, 'response', 'continue_stream(response)'],
    ]
    for (const [direction, word, resume] of places) {
      const slot = direction.held
      if (slot) return explainSlot(slot, word, resume, this.#nameOf(direction, slot))
    }
    return undefined
  }

  stopped(): boolean {
    return this.#ended || this.#aborted || this.#directReply
  }

  guard<T>(run: () => T): T {
    const outer = this.#calling
    this.#calling = true
    let result: T
    try {
      result = run()
    } finally {
      this.#calling = outer
    }
    const prepared = this.#prepared
    if (prepared && !this.#calling) {
      this.#prepared = undefined
      this.#replyThroughFilters(prepared)
    }
    return result
  }

  /** An HTTP/2 client is only slowed down. */
  tooLarge(): void {
    if (!this.#options.http2) this.localReply(plainReply(413, 'Payload Too Large', 'request_payload_too_large'))
  }

  localReply(response: LocalResponse): void {
    if (this.#ended) return
    this.info.http.details = response.details
    if (this.responseHeaders) {
      if (this.#headersEncoded) return this.reset(response.details)
      return this.#replyDirectly(response)
    }
    this.#aborted = true
    this.#exchange?.cancel()
    if (this.#calling) this.#prepared ??= response
    else this.#replyThroughFilters(response)
  }

  reset(details: string): void {
    if (this.#ended) return
    if (this.info.http.details === '') this.info.http.details = details
    this.received.reset = true
    this.#end()
  }

  clearRouteCache(): void {
    // Found again when it is needed; until then attributes tell the old one.
    this.#route = null
  }

  #directReply = false

  /** Responses of filters before the one that answers get theirs too. */
  #replyThroughFilters(response: LocalResponse): void {
    const { headers, body } = this.#prepare(response)
    this.responseHeaders = headers
    this.info.http.responseCode = Number(headers.get(':status'))
    this.encode.receiveHeaders(headers, body.length === 0)
    if (body.length > 0) this.encode.receiveData(new Body(body), true)
  }

  /** In the middle of a response filters do not see the one that takes its place. */
  #replyDirectly(response: LocalResponse): void {
    const { headers, body } = this.#prepare(response)
    this.#exchange?.cancel()
    this.responseHeaders = headers
    this.info.http.responseCode = Number(headers.get(':status'))
    this.#client.headers(headers, body.length === 0)
    if (body.length > 0) this.#client.data(new Body(body), true)
    this.#directReply = true
  }

  #prepare(response: LocalResponse): { headers: HeaderMap; body: Buffer } {
    const prepared = prepareLocalReply(response, this.requestHeaders)
    return this.#headRequest ? { ...prepared, body: Buffer.alloc(0) } : prepared
  }

  get #headRequest(): boolean {
    return this.requestHeaders.get(':method') === 'HEAD'
  }

  #findRoute(): Route | undefined {
    if (this.#route === null) {
      this.#route = findRoute(this.#options.routes, this.requestHeaders)
      const cluster = this.#route?.kind === 'cluster' ? this.#route.cluster : undefined
      const known = cluster !== undefined && this.#options.host.clusters.has(cluster)
      this.info.http.route = this.#route && { name: this.#route.name, ...(known && { cluster }) }
    }
    return this.#route
  }

  /** After the last filter: chooses the cluster, and sends the request there when it is complete. */
  readonly #router: Terminal = {
    headers: (map, end) => {
      const refused = this.#checkHeaders(map) ?? this.#checkRoute()
      if (refused) return this.localReply(refused)
      map.set('x-envoy-expected-rq-timeout-ms', '15000')
      // Sent by now: what filters change later stays here.
      this.#sentHeaders = map.copy()
      if (end) this.#send()
    },
    data: (body, end) => {
      this.#requestBody.move(body)
      if (end) this.#send()
    },
    trailers: (map) => this.#send(map),
  }

  /** Filters may have removed or spoiled what a request needs. */
  #checkHeaders(map: HeaderMap): LocalResponse | undefined {
    const fail = (text: string) =>
      plainReply(503, text, `filter_removed_required_request_headers{${text.replaceAll(' ', '_')}}`)
    if (!map.has(':path')) return undefined
    if (!map.has(':method')) return fail('missing required header: :method')
    const bad = map.entries.find(([, value]) => /[\0\r\n]/.test(value))
    return bad && fail(`invalid header value for: ${bad[0]}`)
  }

  #checkRoute(): LocalResponse | undefined {
    const route = this.#findRoute()
    if (!route) return plainReply(404, '', 'route_not_found')
    if (route.kind === 'direct') {
      const path = this.requestHeaders.get(':path') ?? ''
      const authority = this.requestHeaders.get(':authority') ?? ''
      const scheme = this.requestHeaders.get(':scheme') ?? 'http'
      return {
        ...plainReply(route.status, '', 'direct_response'),
        body: route.body,
        headers: route.location ? [['location', `${scheme}://${authority}${path}`]] : [],
      }
    }
    if (!this.#options.host.clusters.has(route.cluster)) return plainReply(503, '', 'cluster_not_found')
    return undefined
  }

  #send(trailers?: HeaderMap): void {
    const route = this.#findRoute()
    if (route?.kind !== 'cluster') return
    const { host } = this.#options
    const request = { cluster: route.cluster, headers: this.#sentHeaders!, body: this.#requestBody.take(), trailers }
    this.#exchange = new Exchange(host, request, this.#response)
  }

  #connected(): void {
    const { clock } = this.#options.host
    const { source } = this.info.connection
    this.upstream = this.#exchange?.received?.cluster === 'upstream' ? this.#exchange.received : undefined
    this.info.http.upstream ??= {
      cluster: this.#route && this.#route.kind === 'cluster' ? this.#route.cluster : '',
      address: '127.0.0.1',
      port: UPSTREAM_PORT,
      localAddress: `127.0.0.1:${source.port}`,
      connected: clock.now,
      reply: clock.now,
    }
  }

  readonly #response: ExchangeEvents = {
    headers: (map, end) => {
      this.#connected()
      this.responseHeaders = map
      this.info.http.details = 'via_upstream'
      this.info.http.responseCode = Number(map.get(':status'))
      this.encode.receiveHeaders(map, end)
    },
    data: (piece, end) => this.encode.receiveData(new Body(piece), end),
    trailers: (map) => this.encode.receiveTrailers(map),
    reset: (reason, details) => {
      this.#connected()
      if (this.responseHeaders) {
        this.info.http.details = ''
        return this.reset(`upstream_reset_after_response_started{${details}}`)
      }
      this.info.http.flags |= reason === RESET.refused[0] ? 0x20 : 0x40
      this.localReply(plainReply(503, connectError(reason), `upstream_reset_before_response_started{${details}}`))
    },
  }

  /** Before the first filter on the way back: the codec. */
  readonly #client: Terminal = {
    headers: (map, end) => {
      const { clock } = this.#options.host
      map.remove('transfer-encoding')
      map.remove('connection')
      if (!map.has('date')) map.set('date', new Date(clock.now).toUTCString())
      map.assign('server', 'envoy')
      if (!this.#options.http2 && !this.#requestComplete) map.set('connection', 'close')
      this.#headersEncoded = true
      this.received.headers = map.copy()
      const status = Number(map.get(':status'))
      const bare = !map.has('content-length') && status !== 204 && status >= 200 && status !== 304
      if (end && !this.#options.http2 && bare && !this.#headRequest) this.received.headers.set('content-length', '0')
      if (end) this.#finish()
    },
    data: (body, end) => {
      this.info.http.responseSize += body.length
      this.received.body.move(body)
      if (end) this.#finish()
    },
    trailers: (map) => {
      // HTTP/1.1 clients get none.
      if (this.#options.http2) this.received.trailers = map
      this.#finish()
    },
  }

  /** The end of the response as the client sees it, which believes the length in the headers. */
  #finish(): void {
    const { received } = this
    const length = Number(received.headers?.get('content-length') ?? received.body.length)
    if (this.#headRequest || length === received.body.length) received.complete = true
    else if (this.#options.http2) {
      if (received.body.length > length) received.body.take()
      received.reset = true
    } else if (received.body.length > length) {
      const cut = received.body.take().subarray(0, length)
      received.body.append(cut)
      received.complete = true
    }
    this.#end()
  }

  #end(): void {
    if (this.#ended) return
    this.#ended = true
    this.#exchange?.cancel()
    this.upstream ??= this.#exchange?.received?.cluster === 'upstream' ? this.#exchange.received : undefined
    // Deferred, as Envoy destroys streams: a filter may be in the middle of a callback.
    this.#options.host.clock.post(() => {
      this.info.http.end = this.#options.host.clock.now
      for (const context of this.contexts) context.writeLog()
      for (const context of this.contexts) context.destroy()
      this.onEnd()
    })
  }

  #nameOf(direction: Direction, slot: Slot): string {
    const index = direction.slots.indexOf(slot)
    const context = direction === this.decode ? this.contexts[index] : this.contexts.at(-1 - index)
    return context?.plugin.name ?? ''
  }
}

export function plainReply(status: number, text: string, details: string): LocalResponse {
  return { status, body: Buffer.from(text), details, headers: [], grpcStatus: -1 }
}

const STATUS_NAMES = {
  headers: ['Continue', 'StopIteration', 'Continue', 'StopAllIterationAndBuffer', 'StopAllIterationAndWatermark'],
  body: ['Continue', 'StopIterationAndBuffer', 'StopIterationAndWatermark', 'StopIterationNoBuffer'],
  trailers: ['Continue', 'StopIteration'],
}

function explainSlot(slot: Slot, word: string, resume: string, name: string): string {
  const phase = slot.last?.phase ?? 'headers'
  const status = STATUS_NAMES[phase][slot.last?.status ?? 0]
  const consequence =
    slot.iteration === 'all'
      ? `; callbacks for the body are not called until ${resume}`
      : `, and nothing called ${resume}`
  return `filter '${name}' holds the stream since on_${word}_${phase} (${status})${consequence}`
}
