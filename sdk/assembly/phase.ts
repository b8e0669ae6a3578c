// What of a stream runs now. Some hostcalls end Envoy itself when they come at the wrong time (test/conformance/facts.md); the SDK does not pass
// those on.

import { Action, LogLevel, Status } from './abi/enums'
import * as host from './abi/hostcalls'
import { ByteString } from './memory/bytes'

export enum Phase {
  /** A callback that belongs to neither half of a stream. */
  Other,
  Request,
  Response,
  /** The stream is not open: it is being made, logged or deleted. */
  Closed,
}

export let phase: Phase = Phase.Other

/** The running callback has asked for its own half of the stream to go on: what it returns does not count. */
export let isContinued: bool = false

/** The running callback has answered or reset a stream: no other filter of the module has its turn with it. */
export let isEnded: bool = false

export function setPhase(now: Phase): void {
  phase = now
  isContinued = false
  if (isDefined(MESHSCRIPT_BUNDLE)) isEnded = false
}

/** What a callback answers, once it has had its say by other means too. For modules with several filters, one callback after the other. */
export function settle(action: Action): Action {
  if (isContinued) {
    isContinued = false
    action = Action.Continue
  }
  return isEnded && action == Action.Continue ? Action.Pause : action
}

export function noteEnd(): void {
  isEnded = true
}

export function continueOwn(): Status {
  isContinued = true
  return Status.Ok
}

/** Says why a call is not passed on. */
export function refuse(reason: ByteString): Status {
  host.log(LogLevel.Warn, reason.ptr, reason.length)
  return Status.BadArgument
}
