import { BufferType, GrpcStatus, MapType, Status } from './abi/enums'
import * as host from './abi/hostcalls'
import { Buffer } from './body'
import { addCall, Call, findCall, forgetLostCalls, removeCall } from './calls'
import { Context } from './context'
import { HeaderMap } from './headers'
import { ByteString, slot, view } from './memory/bytes'
import { Headers } from './memory/pairs'

/** How a gRPC call ended, or one message of it. Readable while its callback runs. */
// @ts-ignore: decorator
@unmanaged
@final
export class GrpcResponse {
  /** `GrpcStatus.Ok` for a message. */
  status: GrpcStatus

  /** The message (serialized protobuf); empty when the call has failed. */
  get message(): ByteString {
    return Buffer.of(BufferType.GrpcCallMessage).read()
  }

  /** What the server, or Envoy, says of the failure. Envoy appends its own details in braces, and leaves percent-encoding in place. */
  get statusMessage(): ByteString {
    const message = slot()
    const out = changetype<usize>(message)
    host.get_status(changetype<usize>(slot()), out, out + offsetof<ByteString>('length'))
    return message
  }
}

/** A gRPC call under way. */
export abstract class GrpcCall extends Call {
  /** Gives the call up. No callback follows. */
  cancel(): Status {
    removeCall(this.id)
    return host.grpc_cancel(this.id)
  }

  override abandon(): void {
    host.grpc_cancel(this.id)
  }

  /** The other side's initial metadata have come. */
  onInitialMetadata(): void {}
  /** A message has come. */
  onMessage(): void {}
  /** The other side's trailing metadata have come. */
  onTrailingMetadata(): void {}
  /** The stream is over, with the other side's status or the host's. */
  onClose(status: GrpcStatus): void {}
}

@final
class UnaryCall extends GrpcCall {
  constructor(
    context: Context,
    private callback: (context: Context, response: GrpcResponse) => void,
  ) {
    super(context)
  }

  // Envoy calls one of the two: a success has a message and no close, a failure a close and no message.
  override onMessage(): void {
    this.answer(GrpcStatus.Ok)
  }

  override onClose(status: GrpcStatus): void {
    this.answer(status)
  }

  private answer(status: GrpcStatus): void {
    removeCall(this.id)
    const response = changetype<GrpcResponse>(slot())
    response.status = status
    this.callback(this.context, response)
  }
}

/**
 * A gRPC stream: extend it, override what is of interest, and open it with `open`.
 * Its hostcalls act on `context`. When that is gone, the stream is cancelled.
 */
export abstract class GrpcStream<C extends Context = Context> extends GrpcCall {
  /** Status of `open`, when it answered false. */
  openStatus: Status = Status.Ok

  constructor(context: C) {
    super(context)
  }

  /** Who opened the stream. */
  get owner(): C {
    return changetype<C>(this.context)
  }

  /**
   * Opens the stream.
   *
   * @param service Name of a cluster, or a serialized `envoy.config.core.v3.GrpcService`.
   * @param method Full name, `package.Service/Method`.
   * @param metadata Initial metadata, or null.
   */
  open<S, M>(service: S, method: M, metadata: Headers | null = null): bool {
    const target = view(service)
    const name = view(method)
    const slash = name.indexOfByte(0x2f)
    const m = metadata ? metadata.encode() : ByteString.empty
    const id = changetype<usize>(slot())
    this.openStatus = host.grpc_stream(
      target.ptr,
      target.length,
      name.ptr,
      max(slash, 0),
      name.ptr + slash + 1,
      name.length - slash - 1,
      m.ptr,
      m.length,
      id,
    )
    if (this.openStatus != Status.Ok) return false
    // An object stands for one stream: nobody could reach the one that it stood for before.
    if (findCall(this.id) === this) this.cancel()
    this.id = load<u32>(id)
    addCall(this)
    return true
  }

  /** Sends a message. `end`: no more will follow. */
  send<T>(message: T, end: bool = false): Status {
    const bytes = view(message)
    return host.grpc_send(this.id, bytes.ptr, bytes.length, end ? 1 : 0)
  }

  /** Ends this side; messages and the close can still come from the other. */
  close(): Status {
    return host.grpc_close(this.id)
  }

  /** The message that `onMessage` is about. */
  get message(): ByteString {
    return Buffer.of(BufferType.GrpcCallMessage).read()
  }

  /** Open in `onInitialMetadata`. */
  get initialMetadata(): HeaderMap {
    return HeaderMap.of(MapType.GrpcInitialMetadata)
  }

  /** Open in `onTrailingMetadata`. */
  get trailingMetadata(): HeaderMap {
    return HeaderMap.of(MapType.GrpcTrailingMetadata)
  }

  /** What was said with the status that the stream closed with. */
  get statusMessage(): ByteString {
    return changetype<GrpcResponse>(slot()).statusMessage
  }
}

/** Status of the last `grpcCall` that was not sent. */
export let grpcCallStatus: Status = Status.Ok

/**
 * Calls a gRPC method with one message; `callback` gets the answer later.
 *
 *     grpcCall(this, 'ratelimit', 'pkg.Service/Method', message, 200, (self: Limit, response: GrpcResponse): void => { … })
 *
 * @param context Who asks. When it is gone by then, the answer is dropped.
 * @param service Name of a cluster, or a serialized `envoy.config.core.v3.GrpcService`.
 * @param method Full name, `package.Service/Method`.
 * @param message Serialized protobuf.
 * @param timeout Milliseconds. Envoy reports a timeout as `Unavailable`.
 * @returns False when the call was not sent (`grpcCallStatus` says why).
 */
export function grpcCall<C extends Context, S, M, T>(
  context: C,
  service: S,
  method: M,
  message: T,
  timeout: u32,
  callback: (context: C, response: GrpcResponse) => void,
  metadata: Headers | null = null,
): bool {
  return send(
    context,
    view(service),
    view(method),
    view(message),
    timeout,
    changetype<(context: Context, response: GrpcResponse) => void>(callback),
    metadata,
  )
}

function send(
  context: Context,
  service: ByteString,
  method: ByteString,
  message: ByteString,
  timeout: u32,
  callback: (context: Context, response: GrpcResponse) => void,
  metadata: Headers | null,
): bool {
  const slash = method.indexOfByte(0x2f)
  const m = metadata ? metadata.encode() : ByteString.empty
  const id = changetype<usize>(slot())
  grpcCallStatus = host.grpc_call(
    service.ptr,
    service.length,
    method.ptr,
    max(slash, 0),
    method.ptr + slash + 1,
    method.length - slash - 1,
    m.ptr,
    m.length,
    message.ptr,
    message.length,
    timeout,
    id,
  )
  if (grpcCallStatus != Status.Ok) return false
  const call = new UnaryCall(context, callback)
  call.id = load<u32>(id)
  addCall(call)
  return true
}

/** The gRPC call with this id, its caller made effective; null, and the call given up, when the caller is gone. */
export function enterGrpcCall(id: u32): GrpcCall | null {
  forgetLostCalls()
  const found = findCall(id)
  if (!(found instanceof GrpcCall)) return null
  const call = <GrpcCall>found
  if (call.enterContext()) return call
  call.cancel()
  return null
}
