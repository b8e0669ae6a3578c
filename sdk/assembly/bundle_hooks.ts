// Where filters of a bundle are led to the bundle instead of the host. Modules with one filter have none of it: the build defines
// MESHSCRIPT_BUNDLE only for bundles.

import { Status, StreamType } from './abi/enums'
import { Context, HttpContextBase, RootContext } from './context'

/** What filters of a bundle ask their bundle for. */
export abstract class Bundle {
  /** A filter's stream goes on: with the next filter first. */
  abstract continueStream(part: HttpContextBase, type: StreamType): Status
  abstract setTickPeriod(part: RootContext, milliseconds: u32): Status
  abstract done(part: Context): Status
  abstract createHttpContext(part: RootContext): HttpContextBase | null
  /** A callback of this filter's context begins. */
  abstract enterPart(part: Context): void
  /** The filter whose callback runs waits for what the host will name by this number. */
  abstract noteQueue(id: u32): void
  abstract noteQuery(token: u32): void
  /** The callback that the host has called ends. */
  abstract leave(): void
}

// @ts-ignore: decorator
@lazy export let bundle: Bundle = changetype<Bundle>(0)

export function setBundle(one: Bundle): void {
  bundle = one
}

/** Bytes at the beginning of a buffered body that the running filter has passed on before, and is not shown again. */
// @ts-ignore: decorator
@lazy export let bodyOffset: u32 = 0
/** The running filter has changed the body. */
// @ts-ignore: decorator
@lazy export let isBodyChanged: bool = false

export function showBodyFrom(offset: u32): void {
  bodyOffset = offset
  isBodyChanged = false
}

export function noteBodyChange(): void {
  isBodyChanged = true
}

/** What every callback ends with. */
// @ts-ignore: decorator
@inline
export function leave(): void {
  if (isDefined(MESHSCRIPT_BUNDLE)) bundle.leave()
}
