/** The proxy with its filters in this process, and clients for it. */
import type {
  ClientConnection,
  ClientStream,
  Host,
  LogLine,
  MetricValue,
  RequestInit,
  Response,
  TraceEntry,
  UpstreamRequest,
} from '../types.ts'
import { toBinary, toBuffer, toText } from './bytes.ts'
import { milliseconds } from './clock.ts'
import { type ConnectInit, openConnection } from './connection.ts'
import { HeaderMap } from './header_map.ts'
import { HttpStream } from './http_stream.ts'
import { type LeakReport, measureLeak } from './leak.ts'
import { dynamicMetadata } from './metadata.ts'
import type { HostFailure, NodeHostOptions, NodeRequestInit, StreamState } from './options.ts'
import { Proxy } from './proxy.ts'
import { binaryEntries, httpInfo, type PreparedRequest, prepareRequest } from './requests.ts'
import { incomplete, isFinished, noResponse, toResponse } from './response.ts'
import { type ConnectionInfo, type StreamInfo, wasmState } from './stream_info.ts'
import { TcpConnection } from './tcp.ts'
import type { Vm } from './vm.ts'

const REQUEST_TIMEOUT = 5000
const READ_TIMEOUT = 5000

type Certificate = { pem: string; digest: string } | undefined

export interface NodeClientStream extends ClientStream {
  readonly state: StreamState
}

/** The host that runs modules in this process, as Envoy would. */
export class NodeHost implements Host {
  readonly name = 'node' as const
  readonly #options: NodeHostOptions
  readonly #proxy: Proxy
  #connections = 0
  #closed = false

  /** Throws a `HostStartError` where Envoy would not start. */
  constructor(options: NodeHostOptions) {
    this.#options = options
    this.#proxy = new Proxy(options)
  }

  get logs(): readonly LogLine[] {
    return this.#proxy.logs
  }
  get callouts(): readonly UpstreamRequest[] {
    return this.#proxy.callouts
  }
  /** Callbacks and hostcalls of all VMs, the latest. */
  get trace(): readonly TraceEntry[] {
    return this.#proxy.trace.entries
  }
  /** VMs that failed, with stacks. */
  get failures(): readonly HostFailure[] {
    return this.#proxy.failures
  }
  /** What Envoy's own log would say, e.g. why an expression is refused. */
  get notes(): readonly string[] {
    return this.#proxy.notes
  }
  /** Virtual time, milliseconds since 1970. */
  get now(): number {
    return this.#proxy.clock.now
  }
  /** Every VM of the workers. */
  get vms(): readonly Vm[] {
    return this.#proxy.vms
  }
  /** Bytes of memory that the workers' VMs have. */
  get memorySize(): number {
    return this.vms.reduce((sum, vm) => sum + vm.memory.size, 0)
  }

  /** Sends a request, and waits for the complete response. */
  async request(first: NodeRequestInit | string = {}, second: NodeRequestInit = {}): Promise<Response> {
    const init = typeof first === 'string' ? { ...second, path: first } : first
    const stream = this.#open(init, false, await this.#certificate(init))
    return stream ? this.#complete(stream, init) : noResponse()
  }

  /**
   * The same without a promise, for handlers that have none. Time passes as far as it takes. Throws what `request` rejects
   * with.
   */
  requestSync(init: NodeRequestInit = {}): Response {
    const { clock, promises } = this.#proxy
    const stream = this.#open(init, false, undefined)
    if (!stream) return noResponse()
    const limit = clock.now + (init.timeout ?? REQUEST_TIMEOUT)
    while (!isFinished(stream)) {
      if (promises.size > 0) throw new Error('requestSync: a handler returned a promise; use request')
      if (!clock.step(limit)) throw this.#incomplete(stream, init)
    }
    return toResponse(stream, this.#options.filterState)
  }

  /** Begins a request that is sent piece by piece. */
  async stream(init: NodeRequestInit = {}): Promise<NodeClientStream> {
    const stream = this.#open(init, true, await this.#certificate(init))
    if (!stream) throw new Error('the proxy refused the TLS connection')
    const settle = () => this.#settle()
    await settle()
    return {
      async write(chunk) {
        stream.sendData(toBuffer(chunk), false)
        await settle()
      },
      async end({ body, trailers } = {}) {
        sendEnd(stream, body === undefined ? undefined : toBuffer(body), trailers)
        await settle()
      },
      async abort() {
        stream.abort()
        await settle()
      },
      response: () => this.#complete(stream, init),
      get state() {
        return streamState(stream)
      },
    }
  }

  /** Opens a TCP connection. */
  async connect(init: ConnectInit & { worker?: number } = {}): Promise<ClientConnection> {
    const connection = openConnection(init, this.#options, this.#connections++, await this.#certificate(init))
    if (!connection) throw new Error('the proxy refused the TLS connection')
    const { roots, release } = this.#proxy.use(init.worker ?? this.#connections)
    const tcp = new TcpConnection({
      host: this.#proxy,
      roots,
      info: { connection, filterState: new Map() },
      upstream: this.#proxy.clusters.get('upstream'),
    })
    tcp.onEnd = release
    tcp.open()
    await this.#settle()
    return this.#client(tcp)
  }

  async advance(time: number | string): Promise<void> {
    const { clock } = this.#proxy
    const end = clock.now + milliseconds(time)
    await this.#settle()
    while (clock.step(end)) await this.#settle()
    clock.now = Math.max(clock.now, end)
  }

  /** `advance` without a promise. */
  advanceSync(time: number | string): void {
    const { clock } = this.#proxy
    const end = clock.now + milliseconds(time)
    while (clock.step(end));
    clock.now = Math.max(clock.now, end)
  }

  async metrics(): Promise<Record<string, MetricValue>> {
    return this.metricsSync()
  }

  /** What `metrics` gives, at once. */
  metricsSync(): Record<string, MetricValue> {
    return this.#proxy.metrics.read()
  }

  async reconfigure(configuration: unknown, filter = 0): Promise<void> {
    this.#proxy.reconfigure(configuration, filter)
    await this.#settle()
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#proxy.close()
  }

  /** Shared data of filters with this VM id, as text. */
  shared(key: string, vmId = ''): string | undefined {
    const value = this.#proxy.sharedData.get(toBinary(vmId), toBinary(key))?.value
    return value === undefined ? undefined : toText(value)
  }

  /** Runs `run` many times and tells by how much memory grew, after a warm-up. */
  leak(run: () => unknown, times: number): Promise<LeakReport> {
    return measureLeak(this, run, times)
  }

  /** Undefined: TLS refused the client. */
  #open(init: NodeRequestInit, open: boolean, certificate: Certificate): HttpStream | undefined {
    const { tls } = this.#options
    if (this.#closed) throw new Error('the host is closed')
    this.#proxy.checkAlive()
    if (init.peer !== undefined && !tls) throw new Error('the request has a `peer`, but the host has no `tls`')
    const connection = openConnection(init, this.#options, this.#connections, certificate)
    if (!connection) return undefined
    const request = prepareRequest(init, connection, open, this.#options)
    const stream = this.#createStream(request, connection, init)
    this.#connections++
    if (request.refused) stream.refuse(request.refused)
    else this.#send(stream, request, open)
    this.#proxy.clock.drain()
    return stream
  }

  #createStream(request: PreparedRequest, connection: ConnectionInfo, init: NodeRequestInit): HttpStream {
    const { roots, release } = this.#proxy.use(init.worker ?? this.#connections)
    const stream = new HttpStream({
      host: this.#proxy,
      roots,
      headers: request.headers,
      info: { connection, ...this.#leftInFront(init), http: httpInfo(this.now, request) },
      routes: this.#options.routes,
      http2: request.http2,
    })
    for (const { vm, id } of stream.contexts) vm.sink?.follow(id, stream.trace)
    stream.onEnd = () => {
      for (const { vm, id } of stream.contexts) vm.sink?.unfollow(id)
      release()
    }
    return stream
  }

  /** What native filters in front of the chain have left. */
  #leftInFront(init: NodeRequestInit): Pick<StreamInfo, 'filterState' | 'metadata'> {
    const states = Object.entries(init.filterState ?? {})
    const { metadata } = this.#options
    return {
      filterState: new Map(states.map(([key, value]) => [toBinary(key), wasmState(toBinary(value))])),
      ...((metadata ?? init.metadata) && { metadata: dynamicMetadata({ ...metadata, ...init.metadata }) }),
    }
  }

  /** Every piece is a turn of its own, in which callouts may be answered. */
  #send(stream: HttpStream, { headersOnly, pieces, trailers, http2 }: PreparedRequest, open: boolean): void {
    const { clock } = this.#proxy
    stream.start(headersOnly)
    if (headersOnly || open) return
    const merged = http2 && !trailers
    for (const [index, piece] of pieces.entries()) {
      const end = merged && index === pieces.length - 1
      clock.post(() => stream.sendData(piece, end))
    }
    if (trailers) clock.post(() => stream.sendTrailers(trailers))
    else if (!merged || pieces.length === 0) clock.post(() => stream.sendData(Buffer.alloc(0), true))
  }

  /** Lets time pass until the response is there. */
  async #complete(stream: HttpStream, init: RequestInit): Promise<Response> {
    const limit = this.now + (init.timeout ?? REQUEST_TIMEOUT)
    await this.#advanceUntil(() => isFinished(stream), limit)
    if (!isFinished(stream)) throw this.#incomplete(stream, init)
    return toResponse(stream, this.#options.filterState)
  }

  /** Goes from timer to timer, never further than `limit`. Other requests of the same turn start before time passes. */
  async #advanceUntil(done: () => boolean, limit: number): Promise<void> {
    const { clock, promises } = this.#proxy
    clock.drain()
    if (done()) return
    await turn()
    while (!done()) {
      if (promises.size > 0) await Promise.race(promises)
      else if (!clock.step(limit)) return
      clock.drain()
      await Promise.resolve()
    }
  }

  /** All that can happen without time passing has happened. */
  async #settle(): Promise<void> {
    const { clock, promises } = this.#proxy
    clock.drain()
    if (promises.size === 0) return
    await turn()
    clock.drain()
  }

  #incomplete(stream: HttpStream, init: RequestInit): Error {
    const timeout = this.#proxy.clock.next === undefined ? undefined : (init.timeout ?? REQUEST_TIMEOUT)
    const stacks = this.failures.map(({ stack }) => stack)
    return incomplete(stream, init, timeout, stacks)
  }

  #client(tcp: TcpConnection): ClientConnection {
    const settle = () => this.#settle()
    const advance = (done: () => boolean) => this.#advanceUntil(done, this.now + READ_TIMEOUT)
    return {
      async write(data) {
        tcp.write(toBuffer(data))
        await settle()
      },
      async read(min = 1) {
        await advance(() => tcp.received.length >= min || tcp.closed)
        const { length } = tcp.received
        if (length >= min || tcp.closed) return tcp.received.bytes
        throw new Error(`${length} bytes came within ${READ_TIMEOUT} ms of virtual time, ${min} were awaited`)
      },
      async end() {
        tcp.end()
        await settle()
      },
      get closed() {
        return tcp.closed
      },
      whenClosed: () => advance(() => tcp.closed),
    }
  }

  /** The client's certificate, for the attributes that show it. */
  async #certificate({ peer }: ConnectInit): Promise<Certificate> {
    if (peer === undefined || !this.#options.tls) return undefined
    const { clientCertificate } = await import('./certificate.ts')
    return clientCertificate(typeof peer === 'string' ? [peer] : peer)
  }
}

/** Loads and configures all filters. Rejects with a `HostStartError` where Envoy would not start. */

export async function createNodeHost(options: NodeHostOptions): Promise<NodeHost> {
  return new NodeHost(options)
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

function sendEnd(stream: HttpStream, last: Buffer | undefined, trailers: RequestInit['trailers']): void {
  // HTTP/1.1 says only after the last byte that it was the last.
  const separate = stream.info.http.protocol !== 'HTTP/2' || trailers !== undefined
  if (last && separate) stream.sendData(last, false)
  if (trailers) stream.sendTrailers(new HeaderMap('trailers', binaryEntries(trailers)))
  else stream.sendData(last && !separate ? last : Buffer.alloc(0), true)
}

function streamState(stream: HttpStream): StreamState {
  const { headers, body } = stream.received
  const status = headers?.get(':status')
  return {
    held: stream.ended ? undefined : stream.explain(),
    trace: stream.trace,
    status: status === undefined ? undefined : Number(status),
    body: body.bytes,
    ended: stream.ended,
  }
}
