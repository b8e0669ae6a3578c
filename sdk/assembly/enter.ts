import { setCallback } from './abort'
import { reset } from './memory/arena'
import { collectIfDue } from './memory/collector'
import { Phase, setPhase } from './phase'

/** What every call into the VM begins with. */
// @ts-ignore: decorator
@inline
export function enter(callback: string, phase: Phase = Phase.Other): void {
  reset()
  setCallback(callback)
  setPhase(phase)
}

/** As `enter`, where garbage may be collected: in the calls that begin something new. */
// @ts-ignore: decorator
@inline
export function enterAndCollect(callback: string, phase: Phase = Phase.Other): void {
  enter(callback, phase)
  collectIfDue()
}
