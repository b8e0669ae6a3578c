// Answers with the details that the request asks for.
import { Action, GrpcStatus, HttpContext, RootContext, utf8 } from '@meshscript/sdk'

export class Root extends RootContext {}

export class Answer extends HttpContext<Root> {
  onRequestHeaders(endOfStream: bool): Action {
    const details = this.requestHeaders.get(utf8('x-details'))
    if (details) this.sendLocalResponse(403, '', null, GrpcStatus.None, details)
    return Action.Continue
  }
}
