// Lets a service decide on each request, which waits for it.

import { Action, Headers, HttpContext, httpCall } from '@meshscript/sdk'
import { MeasuredRoot } from './memory'

export class Root extends MeasuredRoot {}

export class AskFirst extends HttpContext<Root> {
  onRequestHeaders(): Action {
    const headers = new Headers()
      .add(':method', 'GET')
      .add(':path', '/check')
      .add(':authority', 'decider')
      .add('x-user', this.requestHeaders.getOrEmpty('x-user'))
    const isSent = httpCall(this, 'decider', headers, 5000, (self, response) => {
      if (response.status == 200 && response.body.read().equals('yes')) {
        self.requestHeaders.set('x-decided', 'yes')
        self.continueRequest()
      } else {
        self.sendLocalResponse(403, 'no')
      }
    })
    if (!isSent) this.sendLocalResponse(500, 'nobody to ask')
    return Action.Pause
  }
}
