// Makes the mistake that debug builds catch: keeps a view beyond its callback.

import { Action, ByteString, HttpContext } from '@meshscript/sdk'

export class Stale extends HttpContext {
  private kept: ByteString = ByteString.empty

  onRequestHeaders(): Action {
    this.kept = this.requestHeaders.getOrEmpty('x-user')
    return Action.Continue
  }

  onResponseHeaders(): Action {
    this.responseHeaders.set('x-same', this.kept.equals('bob') ? 'yes' : 'no')
    return Action.Continue
  }
}
