// The authorization filter with one callback more, for responses. It is a module of its own since an exported callback costs every request some
// tenths of a microsecond, which only those should pay whose providers add headers to responses.

import { Action } from '@meshscript/sdk'
import { AuthorizationContext, AuthorizationRoot } from '../../authorization/assembly/index'

export class CustomAuthorizationRoot extends AuthorizationRoot {
  get changesResponses(): bool {
    return true
  }
}

export class CustomAuthorizationContext extends AuthorizationContext {
  onResponseHeaders(endOfStream: bool): Action {
    this.addCheckedHeaders()
    return Action.Continue
  }
}
