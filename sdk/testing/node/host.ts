/** The proxy with its filters in this process. */
import { headerList } from '../headers.ts'
import {
  type ClientConnection,
  type ClientStream,
  type Cluster,
  type Host,
  type HostOptions,
  HostStartError,
  type LogLevel,
  type LogLine,
  type MetricValue,
  type PluginOptions,
  type RequestInit,
  type Response,
  type TraceEntry,
  type UpstreamRequest,
} from '../types.ts'
import { LOG_LEVELS } from './abi.ts'
import { toBinary, toBuffer, toText } from './bytes.ts'
import { type CelValue, celFromJson } from './cel.ts'
import { Clock, milliseconds } from './clock.ts'
import { type ConnectInit, openConnection } from './connection.ts'
import { textEntries } from './exchange.ts'
import { ProxyFault } from './fault.ts'
import { HeaderMap } from './header_map.ts'
import { HttpStream } from './http_stream.ts'
import { type LeakReport, measureLeak } from './leak.ts'
import { Metrics } from './metrics.ts'
import { Plugin, pluginName } from './plugin.ts'
import { binaryEntries, httpInfo, type PreparedRequest, prepareRequest } from './requests.ts'
import type { HostServices } from './services.ts'
import { SharedData, SharedQueues } from './shared.ts'
import type { ConnectionInfo, StreamInfo } from './stream_info.ts'
import { TcpConnection } from './tcp.ts'
import { Trace } from './trace.ts'
import { formatFrame, type TrapFrame } from './trap.ts'
import type { Vm, VmFailure } from './vm.ts'
import { createVm, type PluginHandle, tryPlugin, Worker, type WorkerOptions } from './worker.ts'

const REQUEST_TIMEOUT = 5000
const READ_TIMEOUT = 5000

export interface NodeHostOptions extends HostOptions {
  /** Attributes by dotted path, e.g. `{ 'source.address': '10.0.0.1:80' }`; they go before what the host knows. */
  properties?: Record<string, unknown>
  /** Dynamic metadata by namespace, read as `metadata.filter_metadata`. */
  metadata?: Record<string, Record<string, unknown>>
  /** Virtual time at the start, milliseconds since 1970. Default: now. */
  now?: number
  /** False: no trace is kept, which is faster. Default true. */
  trace?: boolean
}

export interface NodeRequestInit extends RequestInit {
  /** Which worker takes the request. Default: one after the other. */
  worker?: number
}

/** A VM that failed, in one line and with its stack. */
export interface HostFailure {
  plugin: string
  /** As Envoy logs it. */
  message: string
  frames: readonly TrapFrame[]
  /** Message and frames, with positions in the sources where the module has a source map. */
  stack: string
}

/** What the low level of a stream does now. */
export interface StreamState {
  /** Why nothing goes on, as one sentence; undefined if no filter holds the stream. */
  held: string | undefined
  /** Callbacks and hostcalls so far. */
  trace: readonly TraceEntry[]
  /** Status and headers that the client has, if any. */
  status: number | undefined
  /** Bytes of the body that the client has. */
  body: Buffer
  ended: boolean
}

export interface NodeClientStream extends ClientStream {
  readonly state: StreamState
}

export class NodeHost implements Host {
  readonly name = 'node' as const
  readonly clock: Clock
  readonly metricStore = new Metrics()
  readonly sharedData = new SharedData()
  readonly queues: SharedQueues
  readonly trace = new Trace()
  readonly clusters: ReadonlyMap<string, Cluster>
  readonly logLevel: number
  readonly properties: ReadonlyMap<string, CelValue>
  readonly failures: HostFailure[] = []
  /** What Envoy's own log would say, e.g. why an expression is refused. */
  readonly notes: string[] = []
  readonly #options: NodeHostOptions
  readonly #logs: LogLine[] = []
  readonly #callouts: UpstreamRequest[] = []
  readonly #services: HostServices
  readonly #workerOptions: WorkerOptions
  /** The main thread, which has VMs but no streams, and the workers. */
  readonly #main: Worker
  readonly #workers: Worker[]
  readonly #handles = new Map<Worker, PluginHandle[]>()
  readonly #pending = new Set<Promise<void>>()
  #plugins: Plugin[] = []
  #connections = 0
  #closed = false
  #fault: ProxyFault | undefined

  /** Use `createNodeHost`. */
  constructor(options: NodeHostOptions) {
    this.#options = options
    this.clock = new Clock(options.now ?? Date.now())
    this.queues = new SharedQueues(this.clock)
    this.logLevel = LOG_LEVELS.indexOf(options.logLevel ?? 'info')
    this.clusters = new Map(Object.entries({ upstream: upstreamCluster(options), ...options.clusters }))
    this.properties = givenProperties(options)
    checkRoutes(options, this.clusters)
    const host = this
    this.#services = {
      clock: this.clock,
      metrics: this.metricStore,
      sharedData: this.sharedData,
      queues: this.queues,
      clusters: this.clusters,
      trace: this.trace,
      logLevel: this.logLevel,
      properties: this.properties,
      log: (level: LogLevel, plugin: string, message: string) => void host.#logs.push({ level, plugin, message }),
      note: (message) => void host.notes.push(message),
      fault(message) {
        throw (host.#fault = new ProxyFault(message))
      },
      record: (request) => void (request.cluster === 'upstream' || host.#callouts.push(request)),
      pending: (promise) => {
        host.#pending.add(promise)
        void promise.finally(() => host.#pending.delete(promise))
      },
    }
    this.#workerOptions = {
      host: this.#services,
      trace: options.trace ?? true,
      onFailure: (plugin, vm, failure) => this.#failed(plugin, vm, failure),
    }
    this.#main = new Worker(this.#workerOptions)
    this.#workers = Array.from({ length: options.workers ?? 1 }, () => new Worker(this.#workerOptions))
  }

  get logs(): readonly LogLine[] {
    return this.#logs
  }

  get callouts(): readonly UpstreamRequest[] {
    return this.#callouts
  }

  /** Loads and configures all plugins, as Envoy does before it listens. */
  start(): void {
    const bases = new Set<string>()
    for (const options of pluginOptions(this.#options)) {
      const plugin = this.#make(options)
      this.#tryOut(plugin, bases)
      this.#load(this.#main, plugin)
      this.#plugins.push(plugin)
    }
    for (const worker of this.#workers) for (const plugin of this.#plugins) this.#load(worker, plugin)
    this.clock.drain()
  }

  async request(first: NodeRequestInit | string = {}, second: NodeRequestInit = {}): Promise<Response> {
    const init = typeof first === 'string' ? { ...second, path: first } : first
    const stream = this.#open(init, false, await this.#certificate(init))
    if (!stream) return noResponse()
    return this.#complete(stream, init)
  }

  /**
   * The same without a promise, for handlers that have none. Time passes as far as it takes. Throws what `request` rejects
   * with.
   */
  requestSync(init: NodeRequestInit = {}): Response {
    const stream = this.#open(init, false, undefined)
    if (!stream) return noResponse()
    this.clock.drain()
    const limit = this.clock.now + (init.timeout ?? REQUEST_TIMEOUT)
    while (!finished(stream)) {
      if (this.#pending.size > 0) throw new Error('requestSync: a handler returned a promise; use request')
      if (!this.clock.step(limit)) throw this.#incomplete(stream, init)
    }
    return this.#response(stream)
  }

  async stream(init: NodeRequestInit = {}): Promise<NodeClientStream> {
    const stream = this.#open(init, true, await this.#certificate(init))
    if (!stream) throw new Error('the proxy refused the TLS connection')
    await this.#settle()
    const host = this
    return {
      async write(chunk) {
        stream.sendData(toBuffer(chunk), false)
        await host.#settle()
      },
      async end({ body, trailers } = {}) {
        const last = body === undefined ? undefined : toBuffer(body)
        if (trailers) {
          if (last) stream.sendData(last, false)
          stream.sendTrailers(new HeaderMap('trailers', binaryEntries(trailers)))
        } else host.#sendEnd(stream, last)
        await host.#settle()
      },
      async abort() {
        stream.abort()
        await host.#settle()
      },
      response: () => host.#complete(stream, init),
      get state() {
        const { headers, body } = stream.received
        const status = headers?.get(':status')
        return {
          held: stream.ended ? undefined : stream.explain(),
          trace: stream.trace,
          status: status === undefined ? undefined : Number(status),
          body: body.bytes,
          ended: stream.ended,
        }
      },
    }
  }

  async connect(init: ConnectInit & { worker?: number } = {}): Promise<ClientConnection> {
    const connection = openConnection(init, this.#options.tls, this.#connections++, await this.#certificate(init))
    if (!connection) throw new Error('the proxy refused the TLS connection')
    const { roots, release } = this.#roots(init.worker)
    const info: StreamInfo = { connection, filterState: new Map() }
    const tcp = new TcpConnection({ host: this.#services, roots, info, upstream: this.clusters.get('upstream') })
    tcp.onEnd = release
    tcp.open()
    await this.#settle()
    return this.#client(tcp)
  }

  async advance(time: number | string): Promise<void> {
    if (this.#fault) return
    const end = this.clock.now + milliseconds(time)
    await this.#settle()
    while (this.clock.step(end)) await this.#settle()
    this.clock.now = Math.max(this.clock.now, end)
  }

  /** `advance` without a promise. */
  advanceSync(time: number | string): void {
    const end = this.clock.now + milliseconds(time)
    this.clock.drain()
    while (this.clock.step(end));
    this.clock.now = Math.max(this.clock.now, end)
  }

  async metrics(): Promise<Record<string, MetricValue>> {
    return this.metricStore.read()
  }

  /** What `metrics` gives, at once. */
  metricsSync(): Record<string, MetricValue> {
    return this.metricStore.read()
  }

  async reconfigure(configuration: unknown, filter = 0): Promise<void> {
    const old = this.#plugins[filter]
    if (!old) throw new Error(`the chain has no filter ${filter}`)
    const plugin = old.with(configuration)
    const refused = tryPlugin(plugin, this.#workerOptions)
    this.clock.drain()
    if (refused) throw new Error([`Unable to create Wasm plugin ${plugin.name}`, ...refused].join('; '))
    this.#plugins[filter] = plugin
    for (const worker of [this.#main, ...this.#workers]) {
      const handles = this.#handles.get(worker)!
      const { root } = handles[filter]!
      handles[filter] = worker.load(plugin)
      if (!handles.some((handle) => handle.root === root)) worker.retire(root)
    }
    await this.#settle()
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    if (this.#fault) return
    for (const worker of [this.#main, ...this.#workers]) {
      for (const root of new Set(this.#handles.get(worker)?.map((handle) => handle.root))) worker.retire(root)
    }
    this.clock.drain()
  }

  /** Values that filters with this VM id share, as text. */
  shared(key: string, vmId = ''): string | undefined {
    const value = this.sharedData.get(toBinary(vmId), toBinary(key))?.value
    return value === undefined ? undefined : toText(value)
  }

  /** Every VM of the workers. */
  get vms(): readonly Vm[] {
    return this.#workers.flatMap((worker) => worker.vms)
  }

  /** Bytes of memory that the workers' VMs have. */
  get memorySize(): number {
    return this.vms.reduce((sum, vm) => sum + vm.memory.size, 0)
  }

  /** Runs `run` many times and tells by how much memory grew, after a warm-up. */
  async leak(run: () => unknown, times: number): Promise<LeakReport> {
    return measureLeak(this, run, times)
  }

  #make(options: PluginOptions): Plugin {
    try {
      return new Plugin(options)
    } catch (error) {
      const { message } = error as Error
      const name = pluginName(options)
      if ((error as NodeJS.ErrnoException).code !== undefined) throw error
      throw this.#startError(name, [message, 'Failed to load Wasm code'])
    }
  }

  /** A VM for each code and configuration that only starts, and one for each plugin that is configured. */
  #tryOut(plugin: Plugin, bases: Set<string>): void {
    if (!bases.has(plugin.vmKey)) {
      bases.add(plugin.vmKey)
      const base = createVm(plugin, this.#workerOptions)
      if (base.failed) throw this.#startError(plugin.name, [base.failure!.message, 'Failed to initialize Wasm code'])
    }
    const refused = tryPlugin(plugin, this.#workerOptions)
    if (refused) throw this.#startError(plugin.name, refused)
  }

  #load(worker: Worker, plugin: Plugin): void {
    const handles = this.#handles.get(worker) ?? []
    handles.push(worker.load(plugin))
    this.#handles.set(worker, handles)
  }

  #startError(name: string, reasons: readonly string[]): HostStartError {
    const frames = this.failures.at(-1)?.frames.filter((frame) => frame.source !== undefined) ?? []
    const text = [`Unable to create Wasm plugin ${name}`, ...reasons].join('; ')
    return new HostStartError([text, ...frames.map(formatFrame)].join('\n'), this.#logs)
  }

  #failed(plugin: Plugin, _vm: Vm, { message, frames }: VmFailure): void {
    const stack = [message, ...frames.map(formatFrame)].join('\n')
    this.failures.push({ plugin: plugin.name, message, frames, stack })
  }

  /** Root contexts that a new stream uses. Failed filters that are to be skipped are left out. */
  #roots(index = this.#connections) {
    const worker = this.#workers[index % this.#workers.length]!
    const handles = this.#handles.get(worker) ?? []
    for (const [at, handle] of handles.entries()) handles[at] = worker.refresh(handle)
    const used = handles.filter(({ plugin, root }) => !root.vm.failed || plugin.failurePolicy !== 'FAIL_OPEN')
    const roots = used.map(({ root }) => root)
    for (const root of roots) worker.use(root)
    return { roots, release: () => roots.forEach((root) => worker.release(root)) }
  }

  /** Undefined: TLS refused the client. */
  #open(
    init: NodeRequestInit,
    open: boolean,
    certificate: { pem: string; digest: string } | undefined,
  ): HttpStream | undefined {
    if (this.#closed) throw new Error('the host is closed')
    if (this.#fault) throw this.#fault
    if (init.peer !== undefined && !this.#options.tls) throw new Error('the request has a `peer`, but the host has no `tls`')
    const connection = openConnection(init, this.#options.tls, this.#connections, certificate)
    if (!connection) return undefined
    const { roots, release } = this.#roots(init.worker)
    this.#connections++
    const request = prepareRequest(init, connection, open)
    const stream = this.#createStream(request, connection, roots, release)
    if (request.refused) stream.refuse(request.refused)
    else this.#send(stream, request, open)
    this.clock.drain()
    return stream
  }

  #createStream(
    request: PreparedRequest,
    connection: ConnectionInfo,
    roots: readonly Parameters<Worker['use']>[0][],
    release: () => void,
  ): HttpStream {
    const stream = new HttpStream({
      host: this.#services,
      roots,
      headers: request.headers,
      info: { connection, filterState: new Map(), http: httpInfo(this.clock.now, request) },
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

  /** Every piece is a turn of its own, in which callouts may be answered. */
  #send(stream: HttpStream, { headersOnly, pieces, trailers, http2 }: PreparedRequest, open: boolean): void {
    stream.start(headersOnly)
    if (headersOnly || open) return
    const merged = http2 && !trailers
    for (const [index, piece] of pieces.entries()) {
      const end = merged && index === pieces.length - 1
      this.clock.post(() => stream.sendData(piece, end))
    }
    if (trailers) this.clock.post(() => stream.sendTrailers(trailers))
    else if (!merged || pieces.length === 0) this.clock.post(() => stream.sendData(Buffer.alloc(0), true))
  }

  #sendEnd(stream: HttpStream, last: Buffer | undefined): void {
    const http2 = stream.info.http.protocol === 'HTTP/2'
    if (last && !http2) stream.sendData(last, false)
    stream.sendData(http2 && last ? last : Buffer.alloc(0), true)
  }

  /** Lets time pass until the response is there. */
  async #complete(stream: HttpStream, init: RequestInit): Promise<Response> {
    const limit = this.clock.now + (init.timeout ?? REQUEST_TIMEOUT)
    await this.#advanceUntil(() => finished(stream), limit)
    if (!finished(stream)) throw this.#incomplete(stream, init)
    return this.#response(stream)
  }

  /** Goes from timer to timer, never further than `limit`. Other requests of the same turn start before time passes. */
  async #advanceUntil(done: () => boolean, limit: number): Promise<void> {
    this.clock.drain()
    if (done()) return
    await turn()
    while (!done()) {
      if (this.#pending.size > 0) await Promise.race(this.#pending)
      else if (!this.clock.step(limit)) return
      this.clock.drain()
      await Promise.resolve()
    }
  }

  /** All that can happen without time passing has happened. */
  async #settle(): Promise<void> {
    this.clock.drain()
    if (this.#pending.size === 0) return
    await turn()
    this.clock.drain()
  }

  #incomplete(stream: HttpStream, init: RequestInit): Error {
    const request = `${init.method ?? 'GET'} ${init.path ?? '/'}`
    const { headers, body } = stream.received
    const came = headers
      ? `status ${headers.get(':status')} and ${body.length} bytes of the body came`
      : 'no response headers came'
    const waiting =
      this.clock.next === undefined
        ? 'and no timer or callout is pending'
        : `after ${init.timeout ?? REQUEST_TIMEOUT} ms of virtual time`
    const seen = stream.upstream ? 'the upstream got the request' : 'the upstream did not get the request'
    const failures = this.failures.map(({ stack }) => `\n${stack}`).join('')
    return new Error(`${request} is not complete, ${waiting}: ${came}; ${stream.explain() ?? seen}${failures}`)
  }

  #response(stream: HttpStream): Response {
    const { received, info, upstream } = stream
    const headers = headerList(textEntries(received.headers?.entries ?? []))
    const trailers = headerList(textEntries(received.trailers?.entries ?? []))
    const status = Number(headers.get(':status') ?? 0)
    const body = received.body.bytes
    const grpcStatus = trailers.get('grpc-status') ?? headers.get('grpc-status')
    const grpcMessage = trailers.get('grpc-message') ?? headers.get('grpc-message')
    const { details } = info.http
    const local = status > 0 && !received.reset && details !== '' && details !== 'via_upstream'
    return {
      status,
      headers,
      body,
      get text() {
        return body.toString('utf8')
      },
      trailers,
      ...(grpcStatus !== undefined && { grpcStatus: Number(grpcStatus) }),
      ...(grpcMessage !== undefined && { grpcMessage }),
      reset: received.reset,
      ...(local && { localReply: { details } }),
      ...(upstream && { upstream }),
      details,
      filterState: this.#filterState(info),
      trace: stream.trace,
    }
  }

  #filterState({ filterState }: StreamInfo): Record<string, string> {
    const state: Record<string, string> = {}
    for (const name of this.#options.filterState ?? []) {
      const found = filterState.get(`wasm.${toBinary(name)}`)
      if (found) state[name] = toText(found.value)
    }
    return state
  }

  #client(tcp: TcpConnection): ClientConnection {
    const settle = () => this.#settle()
    const advance = (done: () => boolean) => this.#advanceUntil(done, this.clock.now + READ_TIMEOUT)
    return {
      async write(data) {
        tcp.write(toBuffer(data))
        await settle()
      },
      async read(min = 1) {
        await advance(() => tcp.received.length >= min || tcp.closed)
        const { length } = tcp.received
        if (length < min && !tcp.closed) {
          throw new Error(`${length} bytes came within ${READ_TIMEOUT} ms of virtual time, ${min} were awaited`)
        }
        return tcp.received.bytes
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
  async #certificate({ peer }: { peer?: RequestInit['peer'] }) {
    if (peer === undefined || !this.#options.tls) return undefined
    const { clientCertificate } = await import('./certificate.ts')
    return clientCertificate(typeof peer === 'string' ? [peer] : peer)
  }
}

/** Loads and configures all filters. Rejects with a `HostStartError` where Envoy would not start. */
export async function createNodeHost(options: NodeHostOptions): Promise<NodeHost> {
  const host = new NodeHost(options)
  host.start()
  return host
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

function finished({ ended, received }: HttpStream): boolean {
  return ended && (received.complete || received.reset)
}

function noResponse(): Response {
  const empty = headerList([])
  const body = Buffer.alloc(0)
  return { status: 0, headers: empty, body, text: '', trailers: empty, reset: true, details: '', filterState: {} }
}

function pluginOptions(options: HostOptions): readonly PluginOptions[] {
  if (options.filters) return options.filters
  return options.wasm === undefined ? [] : [options as PluginOptions]
}

function upstreamCluster({ type, upstream }: HostOptions): Cluster {
  if (typeof upstream === 'function') return { kind: 'http', handler: upstream }
  if (upstream) return upstream
  return type === 'network' ? { kind: 'tcp', handler: (data) => data } : { kind: 'http', handler: () => 'ok' }
}

function givenProperties({ properties = {}, metadata }: NodeHostOptions): ReadonlyMap<string, CelValue> {
  const given = new Map(Object.entries(properties).map(([path, value]) => [toBinary(path), celFromJson(value)]))
  if (metadata) given.set('metadata.filter_metadata', celFromJson(metadata))
  return given
}

function checkRoutes({ routes = [] }: HostOptions, clusters: ReadonlyMap<string, Cluster>): void {
  for (const { cluster } of routes) {
    if (cluster !== undefined && !clusters.has(cluster)) throw new HostStartError(`route: unknown cluster '${cluster}'`)
  }
}
