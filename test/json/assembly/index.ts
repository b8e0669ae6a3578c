// Tells by its log lines how the SDK has read its configuration, token by token; an error is logged by the SDK itself.
import { Configuration, HttpContext, RootContext } from '@meshscript/sdk'
import { tell } from './tell'

export class Reader extends RootContext {
  onConfigure(configuration: Configuration): bool {
    const json = configuration.json()
    if (!json.hasError) tell(json, false)
    return true
  }
}

/** The host wants streams of some kind. */
export class Stream extends HttpContext<Reader> {}
