/** The proxy without its clients: clusters, threads, and the plugins in them. */
import { type Cluster, type HostOptions, HostStartError, type LogLine, type PluginOptions } from '../types.ts'
import type { UpstreamRequest } from '../types.ts'
import { LOG_LEVELS } from './abi.ts'
import { toBinary } from './bytes.ts'
import { type CelValue, celFromJson } from './cel.ts'
import { Clock } from './clock.ts'
import { ProxyFault } from './fault.ts'
import { Metrics } from './metrics.ts'
import type { HostFailure, NodeHostOptions } from './options.ts'
import { Plugin, pluginName } from './plugin.ts'
import type { RootContext } from './root_context.ts'
import type { HostServices } from './services.ts'
import { SharedData, SharedQueues } from './shared.ts'
import { Trace } from './trace.ts'
import { formatFrame } from './trap.ts'
import type { Vm, VmFailure } from './vm.ts'
import { createVm, type PluginHandle, tryPlugin, Worker, type WorkerOptions } from './worker.ts'

export class Proxy implements HostServices {
  readonly clock: Clock
  readonly metrics = new Metrics()
  readonly sharedData = new SharedData()
  readonly queues: SharedQueues
  readonly trace = new Trace()
  readonly clusters: ReadonlyMap<string, Cluster>
  readonly logLevel: number
  readonly properties: ReadonlyMap<string, CelValue>
  readonly failures: HostFailure[] = []
  readonly notes: string[] = []
  readonly logs: LogLine[] = []
  readonly callouts: UpstreamRequest[] = []
  /** What handlers promised and have not given. */
  readonly promises = new Set<Promise<void>>()
  readonly #workerOptions: WorkerOptions
  /** Has VMs like the workers, but no streams. */
  readonly #main: Worker
  readonly #workers: Worker[]
  readonly #handles = new Map<Worker, PluginHandle[]>()
  readonly #plugins: Plugin[] = []
  #fault: ProxyFault | undefined

  /** Loads and configures all plugins, as Envoy does before it listens. Throws a `HostStartError`. */
  constructor(options: NodeHostOptions) {
    this.clock = new Clock(options.now ?? Date.now())
    this.queues = new SharedQueues(this.clock)
    this.logLevel = LOG_LEVELS.indexOf(options.logLevel ?? 'info')
    this.clusters = new Map(Object.entries({ upstream: upstreamCluster(options), ...options.clusters }))
    this.properties = givenProperties(options)
    checkRoutes(options, this.clusters)
    this.#workerOptions = {
      host: this,
      trace: options.trace ?? true,
      onFailure: (plugin, failure) => this.#failed(plugin, failure),
    }
    this.#main = new Worker(this.#workerOptions)
    this.#workers = Array.from({ length: options.workers ?? 1 }, () => new Worker(this.#workerOptions))
    this.#start(options)
  }

  log(level: LogLine['level'], plugin: string, message: string): void {
    this.logs.push({ level, message, plugin })
  }

  fault(message: string): never {
    throw (this.#fault = new ProxyFault(message))
  }

  /** Throws what ended the proxy, if something did. */
  checkAlive(): void {
    if (this.#fault) throw this.#fault
  }

  note(message: string): void {
    this.notes.push(message)
  }

  /** Requests to the upstream are known by the stream that they belong to. */
  record(request: UpstreamRequest): void {
    if (request.cluster !== 'upstream') this.callouts.push(request)
  }

  pending(promise: Promise<void>): void {
    this.promises.add(promise)
    void promise.finally(() => this.promises.delete(promise))
  }

  /** Every VM of the workers. */
  get vms(): readonly Vm[] {
    return this.#workers.flatMap((worker) => worker.vms)
  }

  /** Root contexts that a new stream uses. Filters that failed and are to be skipped are left out. */
  use(workerIndex: number): { roots: readonly RootContext[]; release: () => void } {
    const worker = this.#workers[workerIndex % this.#workers.length]!
    const handles = this.#handles.get(worker) ?? []
    for (const [at, handle] of handles.entries()) handles[at] = worker.refresh(handle)
    const used = handles.filter(({ plugin, root }) => !root.vm.failed || plugin.failurePolicy !== 'FAIL_OPEN')
    const roots = used.map(({ root }) => root)
    for (const root of roots) worker.use(root)
    return { roots, release: () => roots.forEach((root) => worker.release(root)) }
  }

  reconfigure(configuration: unknown, index: number): void {
    const old = this.#plugins[index]
    if (!old) throw new Error(`the chain has no filter ${index}`)
    const plugin = old.with(configuration)
    const refused = tryPlugin(plugin, this.#workerOptions)
    this.clock.drain()
    if (refused) throw new Error([`Unable to create Wasm plugin ${plugin.name}`, ...refused].join('; '))
    this.#plugins[index] = plugin
    const replaced: [Worker, RootContext][] = []
    for (const [worker, handles] of this.#handles) {
      const { root } = handles[index]!
      handles[index] = worker.load(plugin)
      if (!handles.some((handle) => handle.root === root)) replaced.push([worker, root])
    }
    for (const [worker, root] of replaced) worker.retire(root)
  }

  close(): void {
    if (this.#fault) return
    for (const [worker, handles] of this.#handles) {
      for (const root of new Set(handles.map((handle) => handle.root))) worker.retire(root)
    }
    this.clock.drain()
  }

  #start(options: NodeHostOptions): void {
    const bases = new Set<string>()
    for (const each of pluginOptions(options)) {
      const plugin = this.#make(each)
      this.#tryOut(plugin, bases)
      this.#load(this.#main, plugin)
      this.#plugins.push(plugin)
    }
    for (const worker of this.#workers) for (const plugin of this.#plugins) this.#load(worker, plugin)
    this.clock.drain()
  }

  #make(options: PluginOptions): Plugin {
    try {
      return new Plugin(options)
    } catch (error) {
      // A file that cannot be read is the spec's mistake.
      if ((error as NodeJS.ErrnoException).code !== undefined) throw error
      throw this.#startError(pluginName(options), [(error as Error).message, 'Failed to load Wasm code'])
    }
  }

  /** A VM for each code and VM configuration that only starts, and one for each plugin that is configured. */
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
    return new HostStartError([text, ...frames.map(formatFrame)].join('\n'), this.logs)
  }

  #failed(plugin: Plugin, { message, frames }: VmFailure): void {
    const stack = [message, ...frames.map(formatFrame)].join('\n')
    this.failures.push({ plugin: plugin.name, message, frames, stack })
  }
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

function givenProperties({ properties = {} }: NodeHostOptions): ReadonlyMap<string, CelValue> {
  return new Map(Object.entries(properties).map(([path, value]) => [toBinary(path), celFromJson(value)]))
}

function checkRoutes({ routes = [] }: HostOptions, clusters: ReadonlyMap<string, Cluster>): void {
  for (const { cluster } of routes) {
    if (cluster !== undefined && !clusters.has(cluster)) throw new HostStartError(`route: unknown cluster '${cluster}'`)
  }
}
