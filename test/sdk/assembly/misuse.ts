// Calls that come at the wrong time. The header x-misuse says which.

import { Action, HttpContext, utf8 } from '@meshscript/sdk'

export class Misuse extends HttpContext {
  private isLate: bool = false

  onRequestHeaders(): Action {
    const what = this.requestHeaders.getOrEmpty('x-misuse')
    if (what.equals('early')) this.continueResponse()
    if (what.equals('late')) this.isLate = true
    if (what.equals('both')) {
      this.continueRequest()
      return Action.Pause
    }
    return Action.Continue
  }

  onResponseHeaders(): Action {
    this.continueRequest()
    this.continueResponse()
    return Action.Pause
  }

  onLog(): void {
    if (!this.isLate) return
    this.sendLocalResponse(500, utf8('too late'))
    this.resetStream()
    this.continueResponse()
  }
}
