// The classes that a filter extends.

import { Status } from '../../abi/enums'
import * as host from '../../abi/hostcalls'
import { encode, slot } from '../../memory/bytes'
import {
  BufferTypeValues,
  FilterDataStatusValues,
  FilterHeadersStatusValues,
  FilterMetadataStatusValues,
  FilterStatusValues,
  FilterTrailersStatusValues,
  PeerTypeValues,
  StreamTypeValues,
  WasmResultValues,
} from './enums'
import { encodeHeaders, Headers } from './headers'
import { get_buffer_bytes } from './host'
import { check } from './results'

/** What plugins and streams have in common. */
export abstract class BaseContext {
  context_id: u32

  constructor(context_id_: u32) {
    this.context_id = context_id_
  }

  continueRequest(): void {
    check('proxy_continue_stream', host.continue_stream(StreamTypeValues.Request))
  }

  /** The host is done with the context. A root context may answer false, and call `done()` later. */
  onDone(): bool {
    return true
  }

  onDelete(): void {}
}

/** Who asked by HTTP, and what to call with the answer. */
export class HttpCallback {
  constructor(
    public origin_context: BaseContext,
    public cb: (origin_context: BaseContext, headers: u32, body_size: usize, trailers: u32) => void,
  ) {}
}

/** A plugin. */
export class RootContext extends BaseContext {
  private configuration_: string = ''
  private http_calls_: Map<u32, HttpCallback> = new Map()

  constructor(context_id: u32) {
    super(context_id)
  }

  /** The plugin's configuration. Where `onConfigure` is overridden, that must call this class's. */
  getConfiguration(): string {
    return this.configuration_
  }

  /** Makes the context of a stream. */
  createContext(context_id: u32): Context {
    return new Context(context_id, this)
  }

  /** Calls the callbacks of HTTP callouts that were not answered, with zeros. `onDone` does it. */
  cancelPendingRequests(): void {
    const callbacks = this.http_calls_.values()
    this.http_calls_.clear()
    for (let i = 0; i < callbacks.length; i++) callbacks[i].cb(callbacks[i].origin_context, 0, 0, 0)
  }

  validateConfiguration(configuration_size: usize): bool {
    return true
  }

  /** The plugin gets its configuration. False: the host refuses it. */
  onConfigure(configuration_size: u32): bool {
    // No configuration is not an error, though the host has no buffer for it.
    this.configuration_ = configuration_size
      ? String.UTF8.decode(get_buffer_bytes(BufferTypeValues.PluginConfiguration, 0, configuration_size))
      : ''
    return true
  }

  onStart(vm_configuration_size: usize): bool {
    return true
  }

  onTick(): void {}

  onQueueReady(token: u32): void {}

  onDone(): bool {
    this.cancelPendingRequests()
    return true
  }

  /** Ends the wait that `onDone` has asked for by answering false. */
  done(): void {
    check('proxy_done', host.done())
  }

  /**
   * Sends a request to a cluster of the proxy.
   *
   * @param origin_context What hostcalls act on while `cb` runs, and its first argument.
   * @param cb Called with the number of headers, the size of the body and the number of trailers; all 0 when the call has failed.
   */
  httpCall(
    cluster: string,
    headers: Headers,
    body: ArrayBuffer,
    trailers: Headers,
    timeout_milliseconds: u32,
    origin_context: BaseContext,
    cb: (origin_context: Context, headers: u32, body_size: usize, trailers: u32) => void,
  ): WasmResultValues {
    const name = encode(cluster)
    const h = encodeHeaders(headers)
    const t = encodeHeaders(trailers)
    const token = changetype<usize>(slot())
    const status = host.http_call(
      name.ptr,
      name.length,
      h.ptr,
      h.length,
      changetype<usize>(body),
      body.byteLength,
      t.ptr,
      t.length,
      timeout_milliseconds,
      token,
    )
    if (status == Status.Ok) {
      const callback = changetype<(c: BaseContext, headers: u32, body_size: usize, trailers: u32) => void>(cb)
      this.http_calls_.set(load<u32>(token), new HttpCallback(origin_context, callback))
    }
    return status
  }

  /** An answer to `httpCall`. The host also delivers ids that it never told (a call that failed at once): those are passed over. */
  onHttpCallResponse(token: u32, headers: u32, body_size: u32, trailers: u32): void {
    if (!this.http_calls_.has(token)) return
    const callback = this.http_calls_.get(token)
    this.http_calls_.delete(token)
    // Where the client has gone away this fails, and what the callback does to the stream is without effect.
    host.set_effective_context(callback.origin_context.context_id)
    callback.cb(callback.origin_context, headers, body_size, trailers)
  }

  on_grpc_receive_initial_metadata(token: u32, headers: u32): void {}
  on_grpc_trailing_metadata(token: u32, trailers: u32): void {}
  on_grpc_receive(token: u32, response_size: u32): void {}
  on_grpc_close(token: u32, status_code: u32): void {}
}

/** An HTTP stream or a TCP connection. */
export class Context extends BaseContext {
  root_context: RootContext

  constructor(context_id_: u32, root_context: RootContext) {
    super(context_id_)
    this.root_context = root_context
  }

  createContext(): Context {
    throw new Error('a stream has no streams: createContext belongs to RootContext')
  }

  onNewConnection(): FilterStatusValues {
    return FilterStatusValues.Continue
  }

  onDownstreamData(size: usize, end: bool): FilterStatusValues {
    return FilterStatusValues.Continue
  }

  onUpstreamData(size: usize, end: bool): FilterStatusValues {
    return FilterStatusValues.Continue
  }

  onDownstreamConnectionClose(t: PeerTypeValues): void {}

  onUpstreamConnectionClose(t: PeerTypeValues): void {}

  onRequestHeaders(a: u32, end_of_stream: bool): FilterHeadersStatusValues {
    return FilterHeadersStatusValues.Continue
  }

  onRequestMetadata(a: u32): FilterMetadataStatusValues {
    return FilterMetadataStatusValues.Continue
  }

  onRequestBody(body_buffer_length: usize, end_of_stream: bool): FilterDataStatusValues {
    return FilterDataStatusValues.Continue
  }

  onRequestTrailers(a: u32): FilterTrailersStatusValues {
    return FilterTrailersStatusValues.Continue
  }

  onResponseHeaders(a: u32, end_of_stream: bool): FilterHeadersStatusValues {
    return FilterHeadersStatusValues.Continue
  }

  onResponseMetadata(a: u32): FilterMetadataStatusValues {
    return FilterMetadataStatusValues.Continue
  }

  onResponseBody(body_buffer_length: usize, end_of_stream: bool): FilterDataStatusValues {
    return FilterDataStatusValues.Continue
  }

  onResponseTrailers(s: u32): FilterTrailersStatusValues {
    return FilterTrailersStatusValues.Continue
  }

  /** The stream has ended. */
  onLog(): void {}

  setEffectiveContext(): WasmResultValues {
    return host.set_effective_context(this.context_id)
  }
}
