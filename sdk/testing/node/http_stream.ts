/** One HTTP request through the proxy: from the client through the filters to a cluster, and back. */
import type { RouteSpec, TraceEntry, UpstreamRequest } from '../types.ts'
import { Body } from './body.ts'
import type { LocalResponse } from './context.ts'
import { trimValue } from './exchange.ts'
import { Direction, type DirectionOwner, type Slot, type Terminal } from './filter_chain.ts'
import { type HeaderMap } from './header_map.ts'
import { HttpContext, type HttpStreamControl } from './http_context.ts'
import { explainSlot } from './held.ts'
import { plainReply, prepareLocalReply } from './local_reply.ts'
import type { RootContext } from './root_context.ts'
import { Router } from './router.ts'
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
  responseHeaders: HeaderMap | undefined
  #headersEncoded = false
  #requestComplete = false
  #ended = false
  #calling = false
  #aborted = false
  #directReply = false
  #prepared: LocalResponse | undefined
  readonly #options: HttpStreamOptions
  readonly #router: Router

  constructor(options: HttpStreamOptions) {
    this.#options = options
    this.info = options.info
    this.requestHeaders = options.headers
    this.contexts = options.roots.map((root, index) => new HttpContext(root, this, index))
    this.#router = this.#createRouter()
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

  /** The first request that the default upstream got. */
  get upstream(): UpstreamRequest | undefined {
    return this.#router.upstream
  }

  get ended(): boolean {
    return this.#ended
  }

  start(end: boolean): void {
    this.#requestComplete = end
    this.#router.findRoute()
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
    this.info.http.flags |= 0x4000
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
    this.#router.cancel()
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
    this.#router.forgetRoute()
  }

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
    this.#router.cancel()
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

  #createRouter(): Router {
    const { host, routes } = this.#options
    const { connection, http } = this.info
    return new Router({
      host,
      routes,
      request: this.requestHeaders,
      connection,
      http,
      response: {
        headers: (map, end) => {
          this.responseHeaders = map
          http.details = 'via_upstream'
          http.responseCode = Number(map.get(':status'))
          this.encode.receiveHeaders(map, end)
        },
        data: (piece, end) => this.encode.receiveData(new Body(piece), end),
        trailers: (map) => this.encode.receiveTrailers(map),
      },
      localReply: (response) => this.localReply(response),
      reset: (details) => this.reset(details),
    })
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
      if (!this.#options.http2) for (const entry of this.received.headers.entries) entry[1] = trimValue(entry[1])
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
    this.#router.cancel()
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
