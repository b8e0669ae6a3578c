// Names of releases before 0.1.8, and of forks: filters that use them compile too.

import { Context, RootContext } from './contexts'
import { HeaderPair } from './headers'

export class ContextHelper {
  /** The context itself: callbacks are called by overriding now. */
  static wrap(context: Context): Context {
    return context
  }
}

export class RootContextHelper {
  /** The root context itself: callbacks are called by overriding now. */
  static wrap(context: RootContext): RootContext {
    return context
  }
}

export function makeHeaderPair(key: string, value: string): HeaderPair {
  return new HeaderPair(String.UTF8.encode(key), String.UTF8.encode(value))
}
