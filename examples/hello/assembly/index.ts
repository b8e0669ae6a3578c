import { Action, HttpContext } from '@meshscript/sdk'

/** Passes the user on to the upstream, and marks every response. */
export class Hello extends HttpContext {
  onRequestHeaders(): Action {
    const user = this.requestHeaders.get('x-user')
    if (user) this.requestHeaders.add('x-added', user)
    return Action.Continue
  }

  onResponseHeaders(): Action {
    this.responseHeaders.add('x-resp', '1')
    return Action.Continue
  }
}
