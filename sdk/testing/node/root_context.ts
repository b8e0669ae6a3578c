/** A plugin's context in one VM: its configuration, its ticks, and the calls that it made. */
import { BufferType, MapType } from './abi.ts'
import type { Expression } from './expr_operations.ts'
import { Context, type BufferAccess, EMPTY_BUFFER } from './context.ts'
import type { GrpcCall } from './grpc.ts'
import type { HeaderMap } from './header_map.ts'
import type { HttpCall, HttpCallResponse } from './http_call.ts'
import type { Plugin } from './plugin.ts'
import type { HostServices } from './services.ts'
import type { Vm } from './vm.ts'

export class RootContext extends Context {
  readonly httpCalls = new Map<number, HttpCall>()
  readonly grpcCalls = new Map<number, GrpcCall>()
  readonly expressions = new Map<number, Expression>()
  nextExpression = 0
  statusCode = 0
  statusMessage = ''
  httpCallResponse: HttpCallResponse | undefined
  grpcInitialMetadata: HeaderMap | undefined
  grpcTrailingMetadata: HeaderMap | undefined
  grpcMessage: Buffer | undefined
  /** Waits for `proxy_done` since `on_done` was false. */
  finishing = false
  #configuration: Buffer | undefined
  #cancelTick: (() => void) | undefined

  constructor(vm: Vm, plugin: Plugin, host: HostServices) {
    super(vm, plugin, host)
  }

  override get root(): RootContext {
    return this
  }

  /** `on_context_create` and `on_vm_start`. */
  start(): boolean {
    this.#withConfiguration(() => this.create())
    return this.callback('on_vm_start', this.vm.options.configuration.length) !== 0
  }

  /** What the guest answers counts, even if its VM failed on the way. */
  configure(): boolean {
    if (this.vm.failed) return true
    return this.#withConfiguration(() => this.callback('on_configure', this.plugin.configuration.length) !== 0)
  }

  tick(period: number): void {
    this.#cancelTick?.()
    this.#cancelTick = undefined
    if (period === 0) return
    const arm = () => {
      this.#cancelTick = this.host.clock.after(period, () => {
        // Armed first: the callback may set another period.
        arm()
        this.callback('on_tick')
      })
    }
    arm()
  }

  /** Asks whether it is done; answers false if it will say so later by `proxy_done`. */
  shutDown(): boolean {
    this.finishing = this.callback('on_done') === 0
    if (this.finishing) return false
    this.remove()
    return true
  }

  remove(): void {
    this.finishing = false
    this.callback('on_delete')
    this.dispose()
  }

  /** Without telling the guest. */
  dispose(): void {
    this.tick(0)
    for (const call of [...this.httpCalls.values(), ...this.grpcCalls.values()]) call.cancel()
    this.httpCalls.clear()
    this.grpcCalls.clear()
    this.vm.contexts.delete(this.id)
  }

  callMap(type: number): HeaderMap | undefined {
    switch (type) {
      case MapType.GrpcInitialMetadata:
        return this.grpcInitialMetadata
      case MapType.GrpcTrailingMetadata:
        return this.grpcTrailingMetadata
      case MapType.HttpCallResponseHeaders:
        return this.httpCallResponse?.headers
      case MapType.HttpCallResponseTrailers:
        return this.httpCallResponse?.trailers
      default:
        return undefined
    }
  }

  callBuffer(type: number): BufferAccess | undefined {
    if (type === BufferType.GrpcMessage) return this.grpcMessage ? { bytes: this.grpcMessage } : EMPTY_BUFFER
    return this.httpCallResponse && { bytes: this.httpCallResponse.body }
  }

  override buffer(type: number): BufferAccess | undefined {
    if (type === BufferType.PluginConfiguration) return this.#configuration && { bytes: this.#configuration }
    return super.buffer(type)
  }

  /** The configuration can be read only while it is given. */
  #withConfiguration<T>(run: () => T): T {
    this.#configuration = this.plugin.configuration
    try {
      return run()
    } finally {
      this.#configuration = undefined
    }
  }
}
