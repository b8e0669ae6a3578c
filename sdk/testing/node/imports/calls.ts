/** HTTP and gRPC calls. They belong to the plugin: answers come to its root context. */
import { Status } from '../abi.ts'
import { grpcCall, grpcStream } from '../grpc.ts'
import { hostcall } from '../hostcall.ts'
import { httpCall } from '../http_call.ts'

const GRPC_CALL = 1
const GRPC_STREAM = 2

export const calls = {
  http_call: hostcall(
    ['text', 'pairs', 'bytes', 'pairs', 'u32'],
    ['u32 anyway'],
    (context, cluster, headers, body, trailers, timeout) =>
      httpCall(context.root, { cluster, headers, body, trailers, timeout: timeout | 0 }),
  ),
  grpc_call: hostcall(
    ['text', 'text', 'text', 'pairs', 'bytes', 'u32'],
    ['u32'],
    (context, service, name, method, metadata, message, timeout) =>
      grpcCall(context.root, { service, name, method, metadata }, message, timeout),
  ),
  grpc_stream: hostcall(['text', 'text', 'text', 'pairs'], ['u32'], (context, service, name, method, metadata) =>
    grpcStream(context.root, { service, name, method, metadata }),
  ),
  grpc_send: hostcall(['u32', 'bytes', 'u32'], [], (context, id, message, end) => {
    if ((id & 3) !== GRPC_STREAM) return Status.BadArgument
    const stream = context.root.grpcCalls.get(id)
    if (!stream) return Status.NotFound
    stream.send(message, end !== 0)
    return Status.Ok
  }),
  grpc_cancel: hostcall(['u32'], [], (context, id) => {
    if ((id & 3) !== GRPC_CALL && (id & 3) !== GRPC_STREAM) return Status.BadArgument
    const call = context.root.grpcCalls.get(id)
    if (!call) return Status.NotFound
    call.cancel()
    return Status.Ok
  }),
  grpc_close: hostcall(['u32'], [], (context, id) => {
    if ((id & 3) !== GRPC_CALL && (id & 3) !== GRPC_STREAM) return Status.BadArgument
    const call = context.root.grpcCalls.get(id)
    if (!call) return Status.NotFound
    call.close()
    return Status.Ok
  }),
}
