import { Bytes, ByteString, grpcCall, GrpcResponse, JsonValue } from '@meshscript/sdk'
import { grpcService, wholeMessage } from '../../../common/assembly/grpc'
import { CheckedContext } from './checked_context'
import { checkRequest } from './check_request'
import { CheckResponse } from './check_response'
import { Provider } from './provider'

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
  const message = wholeMessage(response)
  if (!message) return context.onFailed()
  const answer = new CheckResponse(message)
  if (answer.isMalformed) return context.onFailed()
  if (answer.code == 0) {
    answer.apply(context.requestHeaders)
    return context.onAllowed(answer.responseHeaders)
  }
  if (answer.isError) return context.onFailed()
  context.onDenied(answer.status, answer.body, answer.denialHeaders)
}
