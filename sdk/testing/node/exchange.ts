/** One request to a cluster, and the events of its response. */
import { headerList } from '../headers.ts'
import type { Cluster, UpstreamRequest } from '../types.ts'
import { type Answer, askCluster } from './answer.ts'
import { toText } from './bytes.ts'
import { HeaderMap } from './header_map.ts'
import type { Pair } from './pairs.ts'
import type { HostServices } from './services.ts'

export interface ExchangeRequest {
  cluster: string
  headers: HeaderMap
  body: Buffer
  trailers?: HeaderMap
  /** When the first try was sent, if this is another one. */
  start?: number
}

export interface ExchangeEvents {
  headers(map: HeaderMap, end: boolean): void
  data(piece: Buffer, end: boolean): void
  trailers(map: HeaderMap): void
  /** `reason` for people; `details` as Envoy's response code details have it. */
  reset(reason: string, details: string): void
}

export const RESET = {
  refused: ['remote connection failure', 'remote_connection_failure|delayed_connect_error:_Connection_refused'],
  closed: ['connection termination', 'connection_termination'],
  broken: ['protocol error', 'protocol_error'],
} as const

export class Exchange {
  readonly #host: HostServices
  readonly #request: ExchangeRequest
  readonly #events: ExchangeEvents
  readonly #sent: number
  #cancelled = false
  /** As the upstream got it. */
  received: UpstreamRequest | undefined

  constructor(host: HostServices, request: ExchangeRequest, events: ExchangeEvents) {
    this.#host = host
    this.#request = request
    this.#events = events
    this.#sent = request.start ?? host.clock.now
    host.clock.post(() => this.#start())
  }

  cancel(): void {
    this.#cancelled = true
  }

  #start(): void {
    const cluster = this.#host.clusters.get(this.#request.cluster)
    if (this.#cancelled) return
    if (!cluster || cluster.kind === 'refused') return this.#reset('refused')
    const http2 = isHttp2(cluster)
    const body = http2 ? { bytes: this.#request.body, state: 'complete' as const } : framedBody(this.#request)
    const { state } = body
    // The upstream waits for what will never come.
    if (state === 'incomplete') return
    if (!http2 && !this.#request.headers.has(':authority')) return this.#refuse()
    this.received = upstreamRequest(this.#request, body.bytes, http2)
    this.#host.record(this.received)
    const answer = askCluster(cluster, this.received)
    if (answer instanceof Promise) this.#host.pending(answer.then((result) => this.#answer(result, state)))
    else this.#answer(answer, state)
  }

  #answer(answer: Answer, body: 'complete' | 'excess'): void {
    if (this.#cancelled) return
    // What follows the body looks like a bad request to the upstream.
    if (body === 'excess') return this.#refuse()
    if (answer.kind === 'hang') return
    if (answer.kind === 'reset') return answer.afterHeaders ? this.#breakOff() : this.#reset('closed')
    const respond = () => this.#respond(answer.headers, answer.pieces, answer.trailers, answer.bodyless)
    if (answer.delay > 0) this.#host.clock.after(answer.delay, respond)
    else respond()
  }

  /** As an HTTP/1.1 server answers what it cannot read: the end of the connection ends the body. */
  #refuse(): void {
    this.#events.headers(this.#headers([[':status', '400']]), false)
    this.#events.data(Buffer.alloc(0), true)
  }

  #breakOff(): void {
    this.#events.headers(
      this.#headers([
        [':status', '200'],
        ['content-length', '10'],
      ]),
      false,
    )
    this.#host.clock.post(() => this.#reset('broken'))
  }

  #reset(kind: keyof typeof RESET): void {
    if (this.#cancelled) return
    this.#cancelled = true
    const [reason, details] = RESET[kind]
    this.#events.reset(reason, details)
  }

  #headers(pairs: readonly Pair[]): HeaderMap {
    const map = new HeaderMap('response', pairs)
    map.assign('x-envoy-upstream-service-time', String(Math.round(this.#host.clock.now - this.#sent)))
    return map
  }

  #respond(headers: readonly Pair[], pieces: readonly Buffer[], trailers: readonly Pair[], bodyless: boolean): void {
    if (this.#cancelled) return
    const cluster = this.#host.clusters.get(this.#request.cluster)!
    // HTTP/1.1 says only after the last byte that it was the last.
    const mergedEnd = isHttp2(cluster)
    const empty = bodyless || (pieces.length === 0 && trailers.length === 0)
    this.#events.headers(this.#headers(headers), empty)
    if (empty) return
    const send = (index: number) => {
      if (this.#cancelled) return
      const last = index === pieces.length - 1 && trailers.length === 0
      if (index < pieces.length) this.#events.data(pieces[index]!, last && mergedEnd)
      if (index + 1 < pieces.length) return this.#host.clock.post(() => send(index + 1))
      if (this.#cancelled) return
      if (trailers.length > 0) this.#events.trailers(new HeaderMap('trailers', trailers))
      else if (!mergedEnd) this.#events.data(Buffer.alloc(0), true)
    }
    send(0)
  }
}

export function isHttp2(cluster: Cluster): boolean {
  return cluster.kind === 'grpc' || (cluster.kind === 'http' && cluster.protocol === 'http2')
}

/** The body as an HTTP/1.1 upstream reads it, which believes the length in the headers. */
function framedBody({ headers, body }: ExchangeRequest): {
  bytes: Buffer
  state: 'complete' | 'excess' | 'incomplete'
} {
  const length = Number(headers.get('content-length') ?? body.length)
  if (body.length < length) return { bytes: body, state: 'incomplete' }
  return { bytes: body.subarray(0, length), state: body.length > length ? 'excess' : 'complete' }
}

function upstreamRequest(request: ExchangeRequest, body: Buffer, http2: boolean): UpstreamRequest {
  const { cluster, headers, trailers } = request
  const method = headers.get(':method') ?? ''
  return {
    cluster,
    method,
    path: toText(headers.get(':path') ?? ''),
    authority: toText(headers.get(':authority') ?? ''),
    headers: headerList(textEntries(http2 ? headers.entries : http1Entries(request, method))),
    body,
    trailers: headerList(http2 && trailers ? textEntries(trailers.entries) : []),
  }
}

const PSEUDO = [':authority', ':path', ':method']

function http1Entries({ headers, body }: ExchangeRequest, method: string): Pair[] {
  const pseudo = PSEUDO.flatMap((name): Pair[] => {
    const value = headers.get(name)
    return value === undefined ? [] : [[name, value]]
  })
  const rest = headers.entries
    .filter(([name]) => !name.startsWith(':') && name !== 'transfer-encoding')
    .map(([name, value]): Pair => [name, trimValue(value)])
  const lengthy = body.length > 0 || ['GET', 'HEAD', 'DELETE', 'TRACE', 'CONNECT', 'OPTIONS'].includes(method)
  return [
    ...pseudo,
    ...rest,
    ...(lengthy || headers.has('content-length') ? [] : ([['content-length', '0']] as Pair[])),
  ]
}

/** As parsers of HTTP/1.1 read values. */
export function trimValue(value: string): string {
  return value.replace(/^[ \t]+|[ \t]+$/g, '')
}

export function textEntries(entries: readonly Pair[]): Pair[] {
  return entries.map(([name, value]) => [name, toText(value)])
}
