/** One of the proxy's threads: the VMs that it has, and in them the plugins. */
import { VmContext } from './context.ts'
import type { Plugin } from './plugin.ts'
import { RootContext } from './root_context.ts'
import type { HostServices } from './services.ts'
import { Vm, type VmFailure } from './vm.ts'

/** At least this long after a VM was made, another is made in its place. */
const RELOAD_INTERVAL = 1000

export interface WorkerOptions {
  host: HostServices
  trace: boolean
  onFailure: (plugin: Plugin, failure: VmFailure) => void
}

/** A plugin in a worker, as streams use it. */
export interface PluginHandle {
  plugin: Plugin
  root: RootContext
  loaded: number
}

export class Worker {
  readonly #options: WorkerOptions
  readonly #vms = new Map<string, Vm>()
  readonly #roots = new Map<string, RootContext>()
  /** Streams that use a root context, which therefore has to stay. */
  readonly #uses = new Map<RootContext, number>()
  readonly #retired = new Set<RootContext>()

  constructor(options: WorkerOptions) {
    this.#options = options
  }

  /** Every VM that is alive. */
  get vms(): readonly Vm[] {
    return [...this.#vms.values()]
  }

  /** Makes a plugin ready: its VM and its root context, unless they are there. A failure is seen at the VM. */
  load(plugin: Plugin): PluginHandle {
    const { clock } = this.#options.host
    const key = `${plugin.vmKey} ${plugin.key}`
    const known = this.#roots.get(key)
    if (known) return { plugin, root: known, loaded: clock.now }
    const vm = this.#vm(plugin)
    const root = new RootContext(vm, plugin, this.#options.host)
    this.#roots.set(key, root)
    vm.onFail.push(() => {
      if (this.#roots.get(key) === root) this.#roots.delete(key)
      root.tick(0)
    })
    if (!vm.failed && !root.start()) vm.fail('Failed to start thread-local Wasm')
    else if (!vm.failed && !root.configure()) vm.fail('Failed to configure thread-local Wasm plugin')
    return { plugin, root, loaded: clock.now }
  }

  /** What streams use now: a fresh one in place of one that failed, where that is wanted and due. */
  refresh(handle: PluginHandle): PluginHandle {
    const { plugin, root, loaded } = handle
    if (!root.vm.failed || plugin.failurePolicy !== 'FAIL_RELOAD') return handle
    return this.#options.host.clock.now - loaded < RELOAD_INTERVAL ? handle : this.load(plugin)
  }

  use(root: RootContext): void {
    this.#uses.set(root, (this.#uses.get(root) ?? 0) + 1)
  }

  release(root: RootContext): void {
    const left = (this.#uses.get(root) ?? 1) - 1
    if (left > 0) this.#uses.set(root, left)
    else this.#uses.delete(root)
    if (left === 0 && this.#retired.has(root)) this.retire(root)
  }

  /** Ends a root context as soon as no stream uses it. */
  retire(root: RootContext): void {
    this.#retired.add(root)
    if (this.#uses.has(root)) return
    this.#retired.delete(root)
    for (const [key, other] of this.#roots) if (other === root) this.#roots.delete(key)
    root.shutDown()
  }

  #vm(plugin: Plugin): Vm {
    const known = this.#vms.get(plugin.vmKey)
    if (known) return known
    const vm = createVm(plugin, this.#options)
    if (vm.failed) return vm
    this.#vms.set(plugin.vmKey, vm)
    vm.onFail.push(() => this.#vms.delete(plugin.vmKey))
    return vm
  }
}

export function createVm(plugin: Plugin, { host, trace, onFailure }: WorkerOptions): Vm {
  const { allowedCapabilities } = plugin.options
  const vm = new Vm({
    compiled: plugin.compiled,
    path: plugin.path,
    vmId: plugin.vmId,
    configuration: plugin.vmConfiguration,
    environment: plugin.options.environment ?? {},
    allowedCapabilities: allowedCapabilities && new Set(allowedCapabilities),
    onFailure: (failure) => onFailure(plugin, failure),
  })
  if (trace) vm.sink = host.trace.sink()
  vm.start(new VmContext(vm, plugin, host))
  return vm
}

/** Tries a plugin in a VM that is thrown away. Answers why it is refused, undefined if it is not. */
export function tryPlugin(plugin: Plugin, options: WorkerOptions): string[] | undefined {
  const vm = createVm(plugin, options)
  const reasons = (last: string) => [...(vm.failure ? [vm.failure.message] : []), last]
  if (vm.failed) return reasons('Failed to initialize Wasm code')
  const root = new RootContext(vm, plugin, options.host)
  try {
    if (!root.start()) return reasons('Failed to start base Wasm')
    if (!root.configure()) return reasons('Failed to configure base Wasm plugin')
    return undefined
  } finally {
    root.dispose()
  }
}
