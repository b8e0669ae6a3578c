import { Action, BufferType, GrpcStatus, MapType, PeerType, Status, StreamType } from './abi/enums'
import * as host from './abi/hostcalls'
import { Buffer } from './body'
import { bundle } from './bundle_hooks'
import { Configuration } from './configuration'
import { DnsResult } from './dns'
import { noteChange } from './entry_stamp'
import { HeaderMap } from './headers'
import { sendLocalResponse } from './local_response'
import { ByteString, utf8, view } from './memory/bytes'
import { Identified } from './memory/id_map'
import { Headers } from './memory/pairs'
import { continueOwn, noteEnd, phase, Phase, refuse } from './phase'
import { isStreamOver } from './stream_end'

/** What a context is for; tells the dispatcher which callbacks it has. */
export enum ContextKind {
  Root,
  Http,
  Stream,
}

/** What the host calls back: a plugin (root context), an HTTP stream or a TCP connection. `id` is the ABI's context id. */
export abstract class Context extends Identified {
  /** Set by the SDK. */
  kind: ContextKind = ContextKind.Root
  /** True once the host has deleted the context: answers to its calls are dropped. */
  isDeleted: bool = false

  /** Makes hostcalls act on this context until the callback ends. False when the host no longer has it. */
  becomeEffective(): bool {
    noteChange()
    return host.set_effective_context(this.id) == Status.Ok
  }

  /**
   * The host is done with the context. Answer false to be kept until `done()` is called (root contexts only; Envoy
   * does not wait for streams).
   */
  onDone(): bool {
    return true
  }

  /** Ends the wait that `onDone` asked for. */
  done(): Status {
    if (isDefined(MESHSCRIPT_BUNDLE)) return bundle.done(this)
    return host.done()
  }

  /** The host forgets the context. For a stream: release what it holds elsewhere. */
  onDelete(): void {}
}

/**
 * A plugin: one per configuration and VM. Keep what belongs to the configuration here, not in globals:
 * plugins that are made from one image may share a VM.
 *
 * The host configures every plugin in each worker's VM, in the main thread's and in one that is only for trying it out,
 * so `onStart` and `onConfigure` run several times.
 */
// Global, because asc looks up the default of `HttpContext`'s type parameter where the filter names that class.
// @ts-ignore: decorator
@global
export class RootContext extends Context {
  /** Called before `onConfigure`. False: the host refuses the plugin. */
  onStart(): bool {
    return true
  }

  /**
   * Called with the plugin's configuration. False, or an error that reading it as JSON has found, makes the host refuse the
   * configuration (and go on with the one before).
   */
  onConfigure(configuration: Configuration): bool {
    return true
  }

  /** Called every `setTickPeriod` milliseconds. */
  onTick(): void {}

  /** A message waits in a queue that this plugin has registered. */
  onQueueReady(queueId: u32): void {}

  /** The host calls a function of the plugin. Envoy never does. */
  onForeignFunction(functionId: u32, argumentsSize: u32): void {}

  /** The answer to `resolveDns`. */
  onResolveDns(token: u32, result: DnsResult): void {}

  /** Where the plugin is a stats sink of Envoy: the stats that have changed, in Envoy's own encoding. */
  onStatsUpdate(stats: Buffer): void {}

  /** Makes the context of an HTTP stream. By default, that of the file's `HttpContext` class. */
  createHttpContext(): HttpContextBase | null {
    if (isDefined(MESHSCRIPT_BUNDLE)) return bundle.createHttpContext(this)
    return httpFactory ? httpFactory!() : null
  }

  /** Makes the context of a TCP connection. By default, that of the file's `StreamContext` class. */
  createStreamContext(): StreamContextBase | null {
    return streamFactory ? streamFactory!() : null
  }

  /** Milliseconds between ticks; 0 stops them. A plugin has one period. */
  setTickPeriod(milliseconds: u32): Status {
    if (isDefined(MESHSCRIPT_BUNDLE)) return bundle.setTickPeriod(this, milliseconds)
    return host.set_tick_period_milliseconds(milliseconds)
  }
}

/** Factories of the file's context classes; the entry that the build generates sets them. */
export let httpFactory: (() => HttpContextBase) | null = null
let streamFactory: (() => StreamContextBase) | null = null

export function setHttpFactory(factory: () => HttpContextBase): void {
  httpFactory = factory
}

export function setStreamFactory(factory: () => StreamContextBase): void {
  streamFactory = factory
}

/** An HTTP stream: a request and its response. Extend `HttpContext`, which types `root`. */
export abstract class HttpContextBase extends Context {
  /** The plugin that the stream belongs to. Set by the SDK. */
  rootContext!: RootContext

  /** The request's headers have come. `endOfStream`: it has neither body nor trailers. */
  onRequestHeaders(endOfStream: bool): Action {
    return Action.Continue
  }

  /** `size`: bytes of this chunk, or of all that is buffered while the filter pauses. */
  onRequestBody(size: u32, endOfStream: bool): Action {
    return Action.Continue
  }

  /** The request's trailers have come, behind all of its body. */
  onRequestTrailers(): Action {
    return Action.Continue
  }

  /** HTTP/2 METADATA frames. */
  onRequestMetadata(): Action {
    return Action.Continue
  }

  /** The response's headers have come, from the upstream or made by the host. `endOfStream`: it has neither body nor trailers. */
  onResponseHeaders(endOfStream: bool): Action {
    return Action.Continue
  }

  /** `size`: bytes of this chunk, or of all that is buffered while the filter pauses. */
  onResponseBody(size: u32, endOfStream: bool): Action {
    return Action.Continue
  }

  /** The response's trailers have come. */
  onResponseTrailers(): Action {
    return Action.Continue
  }

  /** HTTP/2 METADATA frames. */
  onResponseMetadata(): Action {
    return Action.Continue
  }

  /** The stream has ended; headers and properties can be read for a log record. */
  onLog(): void {}

  /** Open in `onRequestHeaders`, until it has answered Continue. */
  // @ts-ignore: decorator
  @inline
  get requestHeaders(): HeaderMap {
    return HeaderMap.of(MapType.RequestHeaders)
  }

  /** The chunk, or all that is buffered, in `onRequestBody`. */
  // @ts-ignore: decorator
  @inline
  get requestBody(): Buffer {
    return Buffer.of(BufferType.HttpRequestBody)
  }

  /** Open in `onRequestTrailers`. */
  // @ts-ignore: decorator
  @inline
  get requestTrailers(): HeaderMap {
    return HeaderMap.of(MapType.RequestTrailers)
  }

  /** Open in `onResponseHeaders`, until it has answered Continue. */
  // @ts-ignore: decorator
  @inline
  get responseHeaders(): HeaderMap {
    return HeaderMap.of(MapType.ResponseHeaders)
  }

  /** The chunk, or all that is buffered, in `onResponseBody`. */
  // @ts-ignore: decorator
  @inline
  get responseBody(): Buffer {
    return Buffer.of(BufferType.HttpResponseBody)
  }

  /** Open in `onResponseTrailers`. */
  // @ts-ignore: decorator
  @inline
  get responseTrailers(): HeaderMap {
    return HeaderMap.of(MapType.ResponseTrailers)
  }

  /** Whether the last callback of this half held the stream. Set by the SDK. */
  isRequestPaused: bool = false
  isResponsePaused: bool = false

  /**
   * Resumes a request that a callback has paused; the host does it when the running callback returns.
   * In a callback of the request itself, that callback's result becomes `Continue`. `Status.BadArgument` when the request does not wait.
   */
  continueRequest(): Status {
    if (phase == Phase.Request) return continueOwn()
    if (!this.isRequestPaused) return refuse(utf8('continueRequest: the request is not paused'))
    this.isRequestPaused = false
    if (isDefined(MESHSCRIPT_BUNDLE)) return bundle.continueStream(this, StreamType.HttpRequest)
    return host.continue_stream(StreamType.HttpRequest)
  }

  /** As `continueRequest`, for the response. */
  continueResponse(): Status {
    if (phase == Phase.Response) return continueOwn()
    if (!this.isResponsePaused) return refuse(utf8('continueResponse: the response is not paused'))
    this.isResponsePaused = false
    if (isDefined(MESHSCRIPT_BUNDLE)) return bundle.continueStream(this, StreamType.HttpResponse)
    return host.continue_stream(StreamType.HttpResponse)
  }

  /** Resets the stream: the client sees no (further) response. `Status.BadArgument` when it is over. */
  resetStream(): Status {
    if (phase == Phase.Closed) return refuse(utf8('resetStream: the stream is not open'))
    if (phase == Phase.Other && isStreamOver()) return Status.BadArgument
    if (isDefined(MESHSCRIPT_BUNDLE)) noteEnd()
    return host.close_stream(StreamType.HttpRequest)
  }

  /**
   * Answers the request from here. Return `Action.Pause` afterwards; of several answers the first is sent.
   * `Status.BadArgument` when the stream is over.
   *
   * @param status HTTP status.
   * @param body Text or bytes.
   * @param headers Further headers, or null.
   * @param grpcStatus What a gRPC client gets instead of the HTTP status.
   * @param details What Envoy's access log shows as the response code's details; `utf8('…')`.
   */
  // @ts-ignore: decorator
  @inline
  sendLocalResponse<B>(
    status: u32,
    body: B,
    headers: Headers | null = null,
    grpcStatus: GrpcStatus = GrpcStatus.None,
    details: ByteString | null = null,
  ): Status {
    return sendLocalResponse(status, view(body), headers, grpcStatus, details ? details : ByteString.empty)
  }
}

/** An HTTP stream whose plugin is of class `R`. Override the callbacks that the filter needs: those alone are exported. */
export abstract class HttpContext<R extends RootContext = RootContext> extends HttpContextBase {
  /** The plugin that the stream belongs to. */
  // @ts-ignore: decorator
  @inline
  get root(): R {
    return changetype<R>(this.rootContext)
  }
}

/** A TCP connection. Extend `StreamContext`, which types `root`. */
export abstract class StreamContextBase extends Context {
  /** The plugin that the connection belongs to. Set by the SDK. */
  rootContext!: RootContext

  /** A client has connected. Pause: the host does not connect to the upstream yet. */
  onNewConnection(): Action {
    return Action.Continue
  }

  /** `size`: bytes that have come, all of them while the filter pauses. */
  onDownstreamData(size: u32, endOfStream: bool): Action {
    return Action.Continue
  }

  /** As `onDownstreamData`, from the upstream. */
  onUpstreamData(size: u32, endOfStream: bool): Action {
    return Action.Continue
  }

  /** The client's side is closed, by `peer`. */
  onDownstreamClose(peer: PeerType): void {}

  /** The upstream's side is closed, by `peer`. */
  onUpstreamClose(peer: PeerType): void {}

  /** The connection has ended; properties can be read for a log record. */
  onLog(): void {}

  /** What the client has sent, in `onDownstreamData`. */
  // @ts-ignore: decorator
  @inline
  get downstreamData(): Buffer {
    return Buffer.of(BufferType.DownstreamData)
  }

  /** What the upstream has sent, in `onUpstreamData`. */
  // @ts-ignore: decorator
  @inline
  get upstreamData(): Buffer {
    return Buffer.of(BufferType.UpstreamData)
  }

  /** Resumes reading from the client. (Envoy has no such call for the upstream's side.) */
  continueDownstream(): Status {
    return host.continue_stream(StreamType.Downstream)
  }

  /** Closes the client's side. `Status.BadArgument` when the connection is over. */
  closeDownstream(): Status {
    if (phase == Phase.Closed) return refuse(utf8('closeDownstream: the connection is not open'))
    return host.close_stream(StreamType.Downstream)
  }

  /** Closes the upstream's side. `Status.BadArgument` when the connection is over. */
  closeUpstream(): Status {
    if (phase == Phase.Closed) return refuse(utf8('closeUpstream: the connection is not open'))
    return host.close_stream(StreamType.Upstream)
  }
}

/** A TCP connection whose plugin is of class `R`. */
export abstract class StreamContext<R extends RootContext = RootContext> extends StreamContextBase {
  /** The plugin that the connection belongs to. */
  // @ts-ignore: decorator
  @inline
  get root(): R {
    return changetype<R>(this.rootContext)
  }
}
