import { setCallback } from './abort'
import { reset } from './memory/arena'
import { collectIfDue } from './memory/collector'

/** What every call into the VM begins with. */
// @ts-ignore: decorator
@inline
export function enter(callback: string): void {
  reset()
  setCallback(callback)
}

/** As `enter`, where garbage may be collected: in the calls that begin something new. */
// @ts-ignore: decorator
@inline
export function enterAndCollect(callback: string): void {
  enter(callback)
  collectIfDue()
}
