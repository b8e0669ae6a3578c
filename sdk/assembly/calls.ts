// Answers that the filter waits for, by the host's call id. The host delivers them to the root context, and also ids that it never
// told (a call that failed at once): those are passed over.

import { Context } from './context'
import { Identified, IdMap } from './memory/id_map'

/** A call under way, with the context that made it. */
export abstract class Call extends Identified {
  constructor(public context: Context) {
    super()
  }

  /** Makes hostcalls act on the caller. False when it is gone, which for a stream is normal: its answer is dropped. */
  enterContext(): bool {
    return !this.context.isDeleted && this.context.becomeEffective()
  }
}

const calls = new IdMap()

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
