// Buffers and rewrites the bodies of both directions.

import { Action, HttpContext } from '@meshscript/sdk'
import { MeasuredRoot } from './memory'

export class Root extends MeasuredRoot {}

export class RewriteBodies extends HttpContext<Root> {
  onRequestHeaders(): Action {
    this.requestHeaders.remove('content-length')
    return Action.Continue
  }

  onRequestBody(size: u32, endOfStream: bool): Action {
    if (!endOfStream) return Action.StopIterationAndBuffer
    this.requestBody.replace(this.requestBody.read().concat(' to the upstream'))
    return Action.Continue
  }

  onResponseHeaders(): Action {
    this.responseHeaders.remove('content-length')
    return Action.Continue
  }

  onResponseBody(size: u32, endOfStream: bool): Action {
    if (!endOfStream) return Action.StopIterationAndBuffer
    this.responseBody.replace(this.responseBody.read().concat(' to the client'))
    return Action.Continue
  }
}
