import { Buffer, ByteString, GrpcResponse, GrpcStatus, ProtobufWriter } from '@meshscript/sdk'

/** The ABI's number of the buffer with a gRPC message. */
const GRPC_MESSAGE: i32 = 5

/**
 * GrpcService { envoy_grpc 1 { cluster_name 1, authority 2 } }. The name of a cluster by itself would go as the authority too, and Istio's names,
 * with their `|`, are none.
 */
export function grpcService(cluster: ByteString, authority: ByteString): ByteString {
  const target = new ProtobufWriter(cluster.length + authority.length, 2).bytes(1, cluster)
  if (!authority.isEmpty) target.bytes(2, authority)
  const message = target.finish()
  return new ProtobufWriter(message.length, 1).bytes(1, message).finish()
}

/** The message of an answer; null where the call has failed, or the message can't be read: an empty one may mean something. */
export function wholeMessage(response: GrpcResponse): ByteString | null {
  if (response.status != GrpcStatus.Ok) return null
  const message = response.message
  return <u32>message.length == Buffer.of(GRPC_MESSAGE).size ? message : null
}
