/** A test host that is a real Envoy. */
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { headerList } from '../headers.ts'
import type {
  ClientConnection,
  ClientStream,
  Host,
  HostName,
  HostOptions,
  LogLine,
  MetricValue,
  RequestInit,
  Response,
  UpstreamRequest,
} from '../types.ts'
import { AccessLog, type AccessLogEntry } from './accesslog.ts'
import { ALPN, openConnection } from './client/connection.ts'
import type { Exchange, WireResponse } from './client/exchange.ts'
import { clientConnection } from './client/tcp.ts'
import { type Correlator, type Span } from './correlate.ts'
import { clientIdentities, type Listener, openExchange, sendBody } from './exchange.ts'
import type { FilterChain } from './chain.ts'
import { filterMetrics } from './metrics.ts'
import type { EnvoyProcess } from './process.ts'
import type { RunningCluster } from './server/index.ts'
import { milliseconds, SETTLE } from './timing.ts'

/** What `createEnvoyHost` started. */
export interface Running {
  name: HostName
  options: HostOptions
  envoy: EnvoyProcess
  chain: FilterChain
  correlator: Correlator
  logs: LogLine[]
  callouts: UpstreamRequest[]
  clusters: readonly RunningCluster[]
}

const REQUEST_TIMEOUT = 5000
/** How long the entry of a request that was answered may be on its way. */
const ENTRY_TIMEOUT = 20_000
/** Name of the host's listener. */
export const LISTENER = 'main'
/** Where in Envoy's directory the access log is. */
export const accessLogPath = (directory: string) => join(directory, 'access.log')

const NO_RESPONSE: WireResponse = { status: 0, headers: [], body: Buffer.alloc(0), trailers: [], reset: true }

/** A request under way. */
interface Pending {
  init: RequestInit
  exchange: Exchange
  address: string
  span: Span
}

export class EnvoyHost implements Host {
  readonly #running: Running
  readonly #accessLog: AccessLog
  #closed: Promise<void> | undefined

  constructor(running: Running) {
    this.#running = running
    this.#accessLog = new AccessLog(accessLogPath(running.envoy.directory))
  }

  get name(): HostName {
    return this.#running.name
  }

  get logs(): readonly LogLine[] {
    return this.#running.logs
  }

  get callouts(): readonly UpstreamRequest[] {
    return this.#running.callouts
  }

  /** The Envoy behind this host, for what `Host` does not have. */
  get envoy(): EnvoyProcess {
    return this.#running.envoy
  }

  async request(first: RequestInit | string = {}, second: RequestInit = {}): Promise<Response> {
    const init = typeof first === 'string' ? { ...second, path: first } : first
    const pending = await this.#open(init, false)
    if (!pending) return toResponse(NO_RESPONSE, undefined, undefined)
    const body = sendBody(pending.exchange, init, () => this.envoy.catchUp())
    const [response] = await Promise.all([this.#finish(pending), body])
    return response
  }

  async stream(init: RequestInit = {}): Promise<ClientStream> {
    const pending = await this.#open(init, true)
    if (!pending) throw new Error('Envoy refused the TLS connection')
    const { exchange } = pending
    // Starts now, so that the timeout counts from here and nothing is lost; who does not ask for it need not handle it.
    const response = this.#finish(pending)
    response.catch(() => {})
    const settle = async () => {
      await sleep(SETTLE)
      await this.envoy.catchUp()
    }
    await settle()
    return {
      async write(chunk) {
        await exchange.write(Buffer.from(chunk as string))
        await settle()
      },
      async end({ body, trailers } = {}) {
        await exchange.end(body === undefined ? undefined : Buffer.from(body as string), trailers)
        await settle()
      },
      async abort() {
        exchange.close()
        await settle()
      },
      response: () => response,
    }
  }

  async connect(init: { source?: string; peer?: RequestInit['peer']; sni?: string } = {}): Promise<ClientConnection> {
    const peer = clientIdentities(init.peer, this.#running.options.tls)
    const { source, sni } = init
    const { socket } = await openConnection({ ...this.#listener, alpn: ALPN.tcp, source, peer, sni })
    const settle = async () => {
      await sleep(SETTLE)
      await this.envoy.catchUp()
    }
    const connection = clientConnection(socket, settle)
    await settle()
    return connection
  }

  async advance(time: number | string): Promise<void> {
    await sleep(milliseconds(time))
    await this.envoy.catchUp()
  }

  metrics(): Promise<Record<string, MetricValue>> {
    return filterMetrics(this.envoy.adminPort)
  }

  async reconfigure(configuration: unknown, filter = 0): Promise<void> {
    try {
      await this.#running.chain.reconfigure(this.envoy, configuration, filter)
    } finally {
      // Main thread and log know; the workers have been told, and take it when they come round.
      await this.envoy.catchUp()
    }
  }

  close(): Promise<void> {
    return (this.#closed ??= (async () => {
      await this.envoy.stop()
      this.#accessLog.close()
      await Promise.all(this.#running.clusters.map((cluster) => cluster.close()))
    })())
  }

  get #listener(): Listener {
    return { port: this.envoy.ports[LISTENER]!, host: this.#running.options.listen?.address }
  }

  /** Undefined when TLS was refused. */
  async #open(init: RequestInit, streamed: boolean): Promise<Pending | undefined> {
    const span = this.#running.correlator.begin()
    try {
      const open = await openExchange(this.#listener, init, this.#running.options.tls, streamed)
      if (open) return { ...open, init, span }
    } catch (error) {
      this.#running.correlator.end(span, undefined)
      if (this.envoy.running) throw error
      throw new Error(`Envoy has ended: ${this.envoy.failure()}`, { cause: error })
    }
    this.#running.correlator.end(span, undefined)
    return undefined
  }

  async #finish(pending: Pending): Promise<Response> {
    const { exchange, address, span } = pending
    try {
      const wire = await this.#complete(pending)
      // Without any answer there need not be an entry: TLS or the parser may have refused, and there never was a stream.
      if (wire.status === 0) await this.envoy.writeLogs()
      const entry = await this.#accessLog.take(address, wire.status > 0 ? ENTRY_TIMEOUT : 0)
      await this.envoy.settle()
      return toResponse(wire, entry, this.#running.correlator.end(span, entry))
    } catch (error) {
      this.#running.correlator.end(span, undefined)
      throw error
    } finally {
      exchange.close()
    }
  }

  async #complete({ init, exchange }: Pending): Promise<WireResponse> {
    const timeout = init.timeout ?? REQUEST_TIMEOUT
    const cancel = new AbortController()
    const late = sleep(timeout, undefined, { signal: cancel.signal }).catch(() => undefined)
    const response = await Promise.race([exchange.response, late])
    cancel.abort()
    if (response) return response
    const where = this.#running.correlator.any
      ? 'the upstream got the request, so it or a filter on the way back holds it'
      : 'the upstream did not get the request, so a filter on the way there holds it'
    const request = `${init.method ?? 'GET'} ${init.path ?? '/'}`
    throw new Error(`${request} is not complete after ${timeout} ms: ${exchange.progress()}; ${where}`)
  }
}

function toResponse(
  wire: WireResponse,
  entry: AccessLogEntry | undefined,
  upstream: UpstreamRequest | undefined,
): Response {
  const headers = headerList(wire.headers)
  const trailers = headerList(wire.trailers)
  const grpcStatus = trailers.get('grpc-status') ?? headers.get('grpc-status')
  const grpcMessage = trailers.get('grpc-message') ?? headers.get('grpc-message')
  const details = entry?.details ?? ''
  // A filter that answers need not say why: then the details are empty.
  const local = entry !== undefined && wire.status > 0 && !wire.reset && details !== 'via_upstream'
  return {
    status: wire.status,
    headers,
    body: wire.body,
    text: wire.body.toString('utf8'),
    trailers,
    grpcStatus: grpcStatus === undefined ? undefined : Number(grpcStatus),
    grpcMessage,
    reset: wire.reset,
    localReply: local ? { details } : undefined,
    upstream,
    details,
    filterState: entry?.filterState ?? {},
  }
}
