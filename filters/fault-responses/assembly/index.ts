// The fault filter with two callbacks more, for responses. It is a module of its own since an exported callback costs every request some tenths of a
// microsecond, which only those should pay who want responses damaged or held back.

import { Action } from '@meshscript/sdk'
import { FaultContext, FaultRoot } from '../../fault/assembly/index'

export class ResponseFaultRoot extends FaultRoot {
  get seesResponses(): bool {
    return true
  }
}

export class ResponseFaultContext extends FaultContext {
  onResponseBody(size: u32, endOfStream: bool): Action {
    return this.changeChunk(size)
  }

  onResponseTrailers(): Action {
    return this.holdTrailers()
  }
}
