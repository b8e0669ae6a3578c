// Two filters in one module, told apart by root id.

import { Action, Configuration, HttpContext, log, registerRoot, RootContext } from '@meshscript/sdk'

class First extends RootContext {
  name: string = ''

  onConfigure(configuration: Configuration): bool {
    this.name = configuration.text
    return true
  }

  createHttpContext(): HttpContext<First> {
    return new FirstStream()
  }
}

class FirstStream extends HttpContext<First> {
  onRequestHeaders(): Action {
    this.requestHeaders.add('x-first', this.root.name)
    return Action.Continue
  }
}

class Second extends RootContext {
  createHttpContext(): HttpContext<Second> {
    return new SecondStream()
  }
}

class SecondStream extends HttpContext<Second> {
  onRequestHeaders(): Action {
    this.requestHeaders.add('x-second', '1')
    return Action.Continue
  }

  onDelete(): void {
    log.info('deleted')
  }
}

registerRoot('first', () => new First())
registerRoot('second', () => new Second())
