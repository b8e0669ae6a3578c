// Does what the fuzz has to find: each request keeps some memory, and the configuration `trap` makes the next tick fail.

import { Action, Bytes, Configuration, HttpContext, RootContext } from '@meshscript/sdk'

export class Root extends RootContext {
  kept: Bytes[] = []
  traps: bool = false

  onConfigure(configuration: Configuration): bool {
    if (configuration.text == 'trap') this.traps = true
    return true
  }

  onTick(): void {
    if (this.traps) throw new Error('as asked')
  }
}

export class Leaking extends HttpContext<Root> {
  onRequestHeaders(): Action {
    this.root.kept.push(Bytes.from('0123456789'.repeat(100)))
    return Action.Continue
  }
}
