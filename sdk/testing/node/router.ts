/** Behind the last filter: chooses the cluster, sends the request there, again if need be, and takes the response. */
import type { RouteSpec, UpstreamRequest } from '../types.ts'
import { Body } from './body.ts'
import type { LocalResponse } from './context.ts'
import { Exchange, type ExchangeEvents, RESET } from './exchange.ts'
import type { Terminal } from './filter_chain.ts'
import { type HeaderMap } from './header_map.ts'
import { connectError, TIMEOUT_BODY } from './http_call.ts'
import { plainReply } from './local_reply.ts'
import { RetryPolicy } from './retry.ts'
import { findRoute, type Route } from './route.ts'
import type { HostServices } from './services.ts'
import type { ConnectionInfo, HttpInfo } from './stream_info.ts'

export interface RouterOptions {
  host: HostServices
  routes?: readonly RouteSpec[]
  request: HeaderMap
  connection: ConnectionInfo
  http: HttpInfo
  /** The response of the cluster, once it is final. */
  response: Pick<ExchangeEvents, 'headers' | 'data' | 'trailers'>
  localReply: (response: LocalResponse) => void
  reset: (details: string) => void
}

const UPSTREAM_PORT = 8080
/** As in Envoy's response flags. */
const FLAGS = {
  timeout: 0x4,
  connectFailure: 0x20,
  connectionTermination: 0x40,
  noRoute: 0x100,
  retryLimit: 0x8000,
  noCluster: 0x1000000,
}

export class Router implements Terminal {
  readonly #options: RouterOptions
  readonly #body = new Body()
  /** Null: to be found. Undefined: there is none. */
  #route: Route | undefined | null = null
  #cluster = ''
  #sent: HeaderMap | undefined
  #trailers: HeaderMap | undefined
  #retry: RetryPolicy | undefined
  #exchange: Exchange | undefined
  #responding = false
  #start = 0
  #cancelTimers: (() => void)[] = []
  /** The first request that the default upstream got. */
  upstream: UpstreamRequest | undefined

  constructor(options: RouterOptions) {
    this.#options = options
  }

  /** Finds the route unless it is known. */
  findRoute(): Route | undefined {
    const { routes, request, http, host } = this.#options
    if (this.#route === null) {
      this.#route = findRoute(routes, request)
      const cluster = this.#route?.kind === 'cluster' ? this.#route.cluster : undefined
      const known = cluster !== undefined && host.clusters.has(cluster)
      http.route = this.#route && { name: this.#route.name, ...(known && { cluster }) }
    }
    return this.#route
  }

  /** Found again when it is needed; until then attributes tell the old one. */
  forgetRoute(): void {
    this.#route = null
  }

  cancel(): void {
    this.#exchange?.cancel()
    for (const cancel of this.#cancelTimers) cancel()
    this.#cancelTimers = []
    this.#note()
  }

  headers(map: HeaderMap, end: boolean): void {
    const refused = checkHeaders(map) ?? this.#checkRoute()
    if (refused) return this.#options.localReply(refused)
    // Chosen: what filters change from now on has no effect.
    this.#cluster = (this.#route as Extract<Route, { kind: 'cluster' }>).cluster
    this.#retry = new RetryPolicy(map)
    this.#sent = map.copy()
    if (end) this.#send()
  }

  data(body: Body, end: boolean): void {
    this.#body.move(body)
    if (end) this.#send()
  }

  trailers(map: HeaderMap): void {
    this.#trailers = map
    this.#send()
  }

  #checkRoute(): LocalResponse | undefined {
    const { request, host, http } = this.#options
    const route = this.findRoute()
    if (!route) {
      http.flags |= FLAGS.noRoute
      return plainReply(404, '', 'route_not_found')
    }
    if (route.kind === 'direct') {
      const authority = request.get(':authority') ?? ''
      const location = `${request.get(':scheme') ?? 'http'}://${authority}${request.get(':path') ?? ''}`
      const reply = plainReply(route.status, '', 'direct_response')
      return { ...reply, body: route.body, headers: route.location ? [['location', location]] : [] }
    }
    if (host.clusters.has(route.cluster)) return undefined
    http.flags |= FLAGS.noCluster
    return plainReply(503, '', 'cluster_not_found')
  }

  /** The request is complete: from now on time counts. */
  #send(): void {
    if (!this.#sent) return
    const { clock } = this.#options.host
    const { timeout } = this.#retry!
    this.#start = clock.now
    if (timeout > 0) this.#cancelTimers.push(clock.after(timeout, () => this.#timeOut('response_timeout')))
    this.#try()
  }

  #try(): void {
    const { host, http } = this.#options
    const { perTryTimeout } = this.#retry!
    this.#retry!.tries++
    http.attempts = this.#retry!.tries
    const request = {
      cluster: this.#cluster,
      headers: this.#sent!,
      body: this.#body.bytes,
      trailers: this.#trailers,
      start: this.#start,
    }
    this.#exchange = new Exchange(host, request, this.#events)
    if (perTryTimeout > 0) this.#cancelTimers.push(host.clock.after(perTryTimeout, () => this.#tryTimedOut()))
  }

  readonly #events: ExchangeEvents = {
    headers: (map, end) => {
      this.#connected()
      const decision = this.#retry!.afterResponse(map)
      if (decision === 'retry') return this.#tryAgain()
      if (decision === 'exhausted') this.#options.http.flags |= FLAGS.retryLimit
      this.#responding = true
      this.#options.response.headers(map, end)
    },
    data: (piece, end) => this.#options.response.data(piece, end),
    trailers: (map) => this.#options.response.trailers(map),
    reset: (reason, details) => this.#brokenOff(reason, details),
  }

  #brokenOff(reason: string, details: string): void {
    const { http, localReply, reset } = this.#options
    const refused = reason === RESET.refused[0]
    this.#connected()
    if (this.#responding) {
      http.details = ''
      return reset(`upstream_reset_after_response_started{${details}}`)
    }
    const decision = this.#retry!.afterReset(!refused)
    if (decision === 'retry') return this.#tryAgain()
    http.flags |= refused ? FLAGS.connectFailure : FLAGS.connectionTermination
    if (decision === 'exhausted') http.flags |= FLAGS.retryLimit
    const retried = this.#retry!.tries > 1
    const text = retried
      ? connectError(reason).replace('reset reason:', 'retried and the latest reset reason:')
      : connectError(reason)
    localReply(plainReply(503, text, `upstream_reset_before_response_started{${details}}`))
  }

  #tryAgain(): void {
    this.cancelTry()
    const { clock } = this.#options.host
    this.#cancelTimers.push(clock.after(this.#retry!.backoff, () => this.#try()))
  }

  /** Ends a try, but not the time limit of the whole. */
  cancelTry(): void {
    this.#exchange?.cancel()
    this.#note()
    for (const cancel of this.#cancelTimers.splice(this.#retry!.timeout > 0 ? 1 : 0)) cancel()
  }

  #tryTimedOut(): void {
    if (this.#responding) return
    if (this.#retry!.afterReset(true) === 'retry') this.#tryAgain()
    else this.#timeOut('upstream_per_try_timeout')
  }

  #timeOut(details: string): void {
    const { http, localReply, reset } = this.#options
    this.cancel()
    http.flags |= FLAGS.timeout
    if (!this.#responding) return localReply(plainReply(504, TIMEOUT_BODY, details))
    http.details = ''
    reset(details)
  }

  /** Keeps what the upstream got, of the first try that reached it. */
  #note(): void {
    const received = this.#exchange?.received
    if (received?.cluster === 'upstream') this.upstream ??= received
  }

  #connected(): void {
    this.#note()
    const { connection, http, host } = this.#options
    http.upstream ??= {
      cluster: this.#cluster,
      address: '127.0.0.1',
      port: UPSTREAM_PORT,
      localAddress: `127.0.0.1:${connection.source.port}`,
      connected: this.#start,
      reply: host.clock.now,
    }
  }
}

/** Filters may have removed or spoiled what a request needs. */
function checkHeaders(map: HeaderMap): LocalResponse | undefined {
  const fail = (text: string) =>
    plainReply(503, text, `filter_removed_required_request_headers{${text.replaceAll(' ', '_')}}`)
  if (!map.has(':path')) return undefined
  if (!map.has(':method')) return fail('missing required header: :method')

  const bad = map.entries.find(([, value]) => /[\0\r\n]/.test(value))
  return bad && fail(`invalid header value for: ${bad[0]}`)
}
