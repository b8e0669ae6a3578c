// Answers that the filter waits for, by the host's call id. The host delivers them to the root context, and also ids that it never
// told (a call that failed at once): those are passed over.

import { Status } from './abi/enums'
import * as host from './abi/hostcalls'
import { bundle } from './bundle_hooks'
import { Context } from './context'
import { noteChange } from './entry_stamp'
import { Identified, IdMap } from './memory/id_map'

/** A call under way, with the context that made it. */
export abstract class Call extends Identified {
  constructor(public context: Context) {
    super()
  }

  /** Makes hostcalls act on the caller. False when it is gone, which for a stream is normal: its answer is dropped. */
  enterContext(): bool {
    if (isDefined(MESHSCRIPT_BUNDLE)) bundle.enterPart(this.context)
    return !this.context.isDeleted && this.context.becomeEffective()
  }

  /** Nobody waits for the answer any more. */
  abandon(): void {}
}

const calls = new IdMap()

/** Number of calls at which it is time to look which of them nobody waits for. */
let limit: u32 = 16

/**
 * Forgets the calls whose callers are gone. The host ends those of a plugin that it replaces without a word, and a gRPC stream
 * need not end by itself. Another context may be effective afterwards.
 */
export function forgetLostCalls(): void {
  if (calls.used < limit) return
  noteChange()
  calls.retain((entry) => {
    const call = changetype<Call>(entry)
    if (!call.context.isDeleted && host.set_effective_context(call.context.id) != Status.BadArgument) return true
    call.abandon()
    return false
  })
  limit = max<u32>(16, calls.used * 2)
}

/** Notes a call whose `id` is set. */
export function addCall(call: Call): void {
  // A host that reuses an id has forgotten the call which had it.
  calls.remove(call.id)
  calls.add(call)
}

export function findCall(id: u32): Call | null {
  return changetype<Call | null>(calls.get(id))
}

/** Ends the wait for a call. */
export function takeCall(id: u32): Call | null {
  const call = findCall(id)
  if (call) calls.remove(id)
  return call
}

export function removeCall(id: u32): void {
  calls.remove(id)
}
