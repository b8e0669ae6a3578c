/** A context of the ABI: of the VM, of a plugin (root) or of a stream. What a kind cannot do answers as Envoy does. */
import { BufferType, LOG_LEVELS, Status } from './abi.ts'
import type { Body } from './body.ts'
import type { CelValue } from './cel.ts'
import { type FilterStateObject, type PropertyType, type StreamInfo, wasmState } from './stream_info.ts'
import type { HeaderMap } from './header_map.ts'
import type { Pair } from './pairs.ts'
import type { Plugin } from './plugin.ts'
import type { RootContext } from './root_context.ts'
import type { HostServices } from './services.ts'
import type { Callback, Vm } from './vm.ts'

/** Bytes to read, and where they may be changed, the body that they are of. */
export interface BufferAccess {
  bytes: Buffer
  body?: Body
}

export interface LocalResponse {
  status: number
  details: string
  body: Buffer
  headers: readonly Pair[]
  /** −1: none. */
  grpcStatus: number
}

/** Headers that attributes may read now. */
export interface AttributeHeaders {
  request?: HeaderMap
  response?: HeaderMap
  responseTrailers?: HeaderMap
}

const EMPTY = Buffer.alloc(0)
export const EMPTY_BUFFER: BufferAccess = { bytes: EMPTY }

export abstract class Context {
  readonly id: number
  readonly vm: Vm
  readonly plugin: Plugin
  readonly host: HostServices
  created = false
  /** By `declare_property`. Only what a root context declares has an effect. */
  readonly declared = new Map<string, PropertyType>()

  constructor(vm: Vm, plugin: Plugin, host: HostServices, id = vm.nextContextId()) {
    this.vm = vm
    this.plugin = plugin
    this.host = host
    this.id = id
    vm.contexts.set(id, this)
  }

  abstract get root(): RootContext

  /** Facts about the stream, where there is one. */
  get info(): StreamInfo | undefined {
    return undefined
  }

  get attributeHeaders(): AttributeHeaders {
    return {}
  }

  /** True while access logs are written: then a map that is missing is empty rather than out of its phase. */
  get logging(): boolean {
    return false
  }

  map(type: number): HeaderMap | undefined {
    return this.root.callMap(type)
  }

  mutableMap(_type: number): HeaderMap | undefined {
    return undefined
  }

  /** Undefined: not found. */
  buffer(type: number): BufferAccess | undefined {
    if (type === BufferType.VmConfiguration) return { bytes: this.vm.options.configuration }
    if (type === BufferType.PluginConfiguration) return undefined
    if (type === BufferType.HttpCallResponseBody || type === BufferType.GrpcMessage) return this.root.callBuffer(type)
    return EMPTY_BUFFER
  }

  /** After headers of a request were changed. */
  headersChanged(_type: number): void {}

  continueStream(type: number): number {
    return type === 3 ? Status.Unimplemented : type > 3 ? Status.BadArgument : Status.Ok
  }

  closeStream(type: number): number {
    return type > 3 ? Status.BadArgument : Status.Ok
  }

  sendLocalResponse(_response: LocalResponse): number {
    return Status.Ok
  }

  clearRouteCache(): void {}

  setProperty(path: string, value: string): number {
    if (!this.info) return Status.NotFound
    const key = `wasm.${path}`
    const old = this.info.filterState.get(key)
    if (old?.type.readOnly) return Status.BadArgument
    const type = this.root.declared.get(path)
    this.info.filterState.set(key, old ? { ...old, value } : wasmState(value, type))
    return Status.Ok
  }

  setFilterState(path: string, object: FilterStateObject): number {
    if (!this.info) return Status.NotFound
    this.info.filterState.set(path, object)
    return Status.Ok
  }

  log(level: number, message: string): void {
    if (level >= this.host.logLevel) this.host.log(LOG_LEVELS[level]!, this.plugin.name, message)
  }

  /** Calls a callback if the module has it and the VM is alive. */
  callback(name: Callback, ...args: number[]): number | undefined {
    if (this.vm.failed || !this.vm.has(name)) return undefined
    return this.vm.call(this, name, [this.id, ...args], (result) => result)
  }

  /** Tells the guest about the context, once. */
  create(): void {
    if (!this.created) this.callback('on_context_create', this.root === (this as Context) ? 0 : this.root.id)
    this.created = true
  }

  /** Value of an attribute that only this kind of context has. */
  ownAttribute(_name: string): CelValue | undefined {
    return undefined
  }
}

/** What runs outside any plugin: start-up code and the allocator. */
export class VmContext extends Context {
  constructor(vm: Vm, plugin: Plugin, host: HostServices) {
    super(vm, plugin, host, 0)
  }

  override get root(): RootContext {
    throw new Error('the context of a VM has no root context')
  }
}
