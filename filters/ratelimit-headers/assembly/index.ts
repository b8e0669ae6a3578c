// The rate limit filter with one callback more, for responses: an exported callback costs every request some tenths of a microsecond, which only those
// should pay whose clients are told their quota with each response.

import { Action } from '@meshscript/sdk'
import { RateLimitContext, RateLimitRoot } from '../../ratelimit/assembly/index'

export class TellingRateLimitRoot extends RateLimitRoot {
  get changesResponses(): bool {
    return true
  }
}

export class TellingRateLimitContext extends RateLimitContext {
  onResponseHeaders(endOfStream: bool): Action {
    this.tellQuota()
    return Action.Continue
  }
}
