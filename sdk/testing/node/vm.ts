/** One instance of a module: calls into it, calls out of it, and what happens when it fails. */
import { ALLOWED_AT_START, ALLOWED_IN_ALLOCATOR, type AbiVersion, CALLBACKS, LIFECYCLE, type Signature } from './abi.ts'
import type { Context } from './context.ts'
import { createImports } from './imports/index.ts'
import { GuestMemory } from './memory.ts'
import type { CompiledModule } from './module.ts'
import type { TraceSink } from './trace.ts'
import { describeTrap, type TrapFrame } from './trap.ts'

export interface VmFailure {
  /** As Envoy words it. */
  message: string
  /** Set for a trap or another error at run time, as opposed to a module that does not load. */
  callback?: string
  /** Where, innermost first, with positions in the sources where the module has a source map. */
  frames: readonly TrapFrame[]
}

export interface VmOptions {
  compiled: CompiledModule
  /** The module's path, for its source map. */
  path?: string
  vmId: string
  configuration: Buffer
  environment: Readonly<Record<string, string>>
  /** Undefined: all. */
  allowedCapabilities?: ReadonlySet<string>
  onFailure: (failure: VmFailure) => void
}

type GuestFunction = (...args: number[]) => number | undefined
export type Callback = keyof typeof CALLBACKS

export class Vm {
  readonly options: VmOptions
  readonly abi: AbiVersion
  readonly contexts = new Map<number, Context>()
  memory!: GuestMemory
  /** Filled while something wants to know what happens. */
  sink: TraceSink | undefined
  /** Kept by a local response until the callback is over: whatever it returns, iteration stops. */
  stopIteration = false
  failure: VmFailure | undefined
  onFail: (() => void)[] = []
  exports: WebAssembly.Exports = {}
  #nextContextId = 1
  #instance: WebAssembly.Instance | undefined
  #current: Context | undefined
  #effective = 0
  #allocator: GuestFunction | undefined
  #restriction: ReadonlySet<string> | undefined
  #afterCall: (() => void)[] = []
  #callbacks = new Map<string, GuestFunction>()
  #ids = new Map<string, number>()

  constructor(options: VmOptions) {
    this.options = options
    this.abi = options.compiled.info.abi!
  }

  get failed(): boolean {
    return this.failure !== undefined
  }

  /** The context in whose name the guest acts: the effective one while it lives, else the one that was called. */
  get context(): Context {
    return (this.#effective !== 0 && this.contexts.get(this.#effective)) || this.#current!
  }

  get inCall(): boolean {
    return this.#current !== undefined
  }

  setEffective(id: number): boolean {
    if (!this.contexts.has(id)) return false
    this.#effective = id
    return true
  }

  nextContextId(): number {
    while (this.contexts.has(this.#nextContextId)) this.#nextContextId++
    return this.#nextContextId++
  }

  /** Ids of metrics, calls and streams: the low two bits are the type. */
  nextId(kind: string, type: number): number {
    const id = (this.#ids.get(kind) ?? type) + 4
    this.#ids.set(kind, id)
    return id
  }

  has(callback: Callback): boolean {
    return this.#callbacks.has(callback)
  }

  /** Links and starts the module with `vmContext` as the context of what runs outside any other. */
  start(vmContext: Context): void {
    const { compiled } = this.options
    const { imports, missing } = createImports(this, compiled.info)
    if (missing) return this.fail(missing)
    try {
      this.#instance = new WebAssembly.Instance(compiled.module, imports)
    } catch (error) {
      if (error instanceof StartSectionError) return this.fail(error.message)
      return this.fail('Failed to create new Wasm instance', undefined, error)
    }
    this.exports = this.#instance.exports
    const memory = Object.values(this.exports).find((item) => item instanceof WebAssembly.Memory)
    this.memory = new GuestMemory(memory ?? new WebAssembly.Memory({ initial: 0 }))
    this.#resolve()
    if (this.failed) return
    this.#current = vmContext
    this.#restriction = ALLOWED_AT_START
    this.#runStart(vmContext)
    this.#restriction = undefined
    this.#current = undefined
    this.afterCall()
  }

  /** Calls a callback in the name of `context`, makes something of its result, and then does what it deferred. */
  call<T>(context: Context, name: Callback, args: readonly number[], use: (result: number) => T): T {
    try {
      return use(this.#invoke(this.#callbacks.get(name)!, `proxy_${name}`, context, args))
    } finally {
      this.stopIteration = false
      this.afterCall()
    }
  }

  /** Continuing, closing, answering: not while the guest runs. */
  defer(action: () => void): void {
    this.#afterCall.push(action)
  }

  afterCall(): void {
    while (this.#afterCall.length > 0) this.#afterCall.shift()!()
  }

  /** Memory from the guest, 0 if there is none. */
  allocate(size: number): number {
    if (this.failed) return 0
    const restriction = this.#restriction
    this.#restriction = ALLOWED_IN_ALLOCATOR
    const context = this.contexts.get(0) ?? this.#current!
    const pointer = this.#invoke(this.#allocator!, 'malloc', context, [size])
    this.#restriction = restriction
    return this.memory.contains(pointer, size) ? pointer : 0
  }

  /** Called by each hostcall before it does anything. */
  checkAllowed(name: string): void {
    if (!this.#instance) throw new StartSectionError(name)
    if (this.#restriction && !this.#restriction.has(name)) throw new Error('restricted_callback')
  }

  capability(name: string): boolean {
    const allowed = this.options.allowedCapabilities
    return !allowed || allowed.size === 0 || allowed.has(name)
  }

  fail(message: string, callback?: string, error?: unknown): void {
    const frames = error instanceof Error ? describeTrap(error, this.options) : []
    const first = this.failure === undefined
    this.failure ??= { message, callback, frames }
    this.options.onFailure({ message, callback, frames })
    if (first) for (const listener of this.onFail) listener()
  }

  #invoke(guest: GuestFunction, name: string, context: Context, args: readonly number[]): number {
    const current = this.#current
    const effective = this.#effective
    this.#current = context
    this.#effective = 0
    const entry = this.sink?.enter(name, context.id, args)
    try {
      const result = guest(...args)
      if (entry) this.sink?.leave(entry, result)
      return (result ?? 0) >>> 0
    } catch (error) {
      this.fail(`Function: ${name} failed: Uncaught ${errorText(error)}`, name, error)
      return 0
    } finally {
      this.#current = current
      this.#effective = effective
    }
  }

  #runStart(context: Context): void {
    const run = (name: string, args: readonly number[] = []) => {
      const guest = this.#function(name, LIFECYCLE[name]!)
      if (!guest || this.failed) return false
      this.#invoke(guest, name, context, args)
      return true
    }
    if (run('_initialize')) {
      if (!run('main', [0, 0])) run('__main_void')
    } else run('_start')
  }

  #resolve(): void {
    this.#allocator =
      this.#function('malloc', LIFECYCLE['malloc']!) ??
      this.#function('proxy_on_memory_allocate', LIFECYCLE['proxy_on_memory_allocate']!)
    if (!this.#allocator && !this.failed) this.fail('Wasm module is missing malloc function.')
    for (const [name, wanted] of Object.entries(CALLBACKS)) {
      if (!this.capability(`proxy_${name}`)) continue
      const guest = this.#function(`proxy_${name}`, this.#callbackSignature(name, wanted))
      if (guest) this.#callbacks.set(name, guest)
    }
  }

  /** The oldest version did not say to the headers callbacks whether the stream ends. */
  #callbackSignature(name: string, wanted: Signature): Signature {
    const short = this.abi === '0.1.0' && (name === 'on_request_headers' || name === 'on_response_headers')
    return short ? { ...wanted, params: 'i32 i32' } : wanted
  }

  #function(name: string, wanted: Signature): GuestFunction | undefined {
    const has = this.options.compiled.info.functions.get(name)
    if (!has) return undefined
    if (has.params === wanted.params && has.results === wanted.results) return this.exports[name] as GuestFunction
    const print = ({ params, results }: Signature) => `${params || 'void'} -> ${results || 'void'}`
    this.fail(`Bad function signature for: ${name}, want: ${print(wanted)}, but the module exports: ${print(has)}`)
    return undefined
  }
}

/** What the engine would print. */
function errorText(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error)
}

class StartSectionError extends Error {
  constructor(name: string) {
    super(
      `the module calls ${name} from its start section, where Envoy crashes: no context is set yet. ` +
        'Build it with --exportStart _initialize',
    )
  }
}
