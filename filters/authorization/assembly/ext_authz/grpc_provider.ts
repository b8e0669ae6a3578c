import {
  Bytes,
  ByteString,
  Buffer,
  grpcCall,
  GrpcResponse,
  GrpcStatus,
  JsonValue,
  ProtobufWriter,
} from '@meshscript/sdk'
import { CheckedContext } from './checked_context'
import { checkRequest } from './check_request'
import { CheckResponse } from './check_response'
import { Provider } from './provider'

/** The ABI's number of the buffer with a gRPC message. */
const GRPC_MESSAGE: i32 = 5

/** A service that is asked by `envoy.service.auth.v3.Authorization/Check`. */
@final
export class GrpcProvider extends Provider {
  private service: Bytes

  constructor(json: JsonValue) {
    super(json)
    this.service = grpcService(json.get('cluster').byteString(), json.get('authority').byteString('')).persist()
  }

  ask(context: CheckedContext, body: ByteString | null, size: u32): bool {
    const headers = context.requestHeaders.all()
    if (!headers.length) return false
    const rule = this.body
    const message = checkRequest(headers, body, rule !== null && rule.isBytes, size)
    if (message.isEmpty) return false
    return grpcCall(
      context,
      this.service,
      'envoy.service.auth.v3.Authorization/Check',
      message,
      this.timeout,
      (self: CheckedContext, response: GrpcResponse): void => onAnswer(self, response),
    )
  }
}

function onAnswer(context: CheckedContext, response: GrpcResponse): void {
  if (response.status != GrpcStatus.Ok) return context.onFailed()
  const message = response.message
  // An empty message lets the request pass: one that can't be read must not look like it.
  if (<u32>message.length != Buffer.of(GRPC_MESSAGE).size) return context.onFailed()
  const answer = new CheckResponse(message)
  if (answer.isMalformed) return context.onFailed()
  if (answer.code == 0) {
    answer.apply(context.requestHeaders)
    return context.onAllowed(answer.responseHeaders)
  }
  if (answer.isError) return context.onFailed()
  context.onDenied(answer.status, answer.body, answer.denialHeaders)
}

/**
 * GrpcService { envoy_grpc 1 { cluster_name 1, authority 2 } }. The name of a cluster by itself would go as the authority too, and Istio's names,
 * with their `|`, are none.
 */
function grpcService(cluster: ByteString, authority: ByteString): ByteString {
  const target = new ProtobufWriter(cluster.length + authority.length, 2).bytes(1, cluster)
  if (!authority.isEmpty) target.bytes(2, authority)
  const message = target.finish()
  return new ProtobufWriter(message.length, 1).bytes(1, message).finish()
}
