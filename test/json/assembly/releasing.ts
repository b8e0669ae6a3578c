// As index.ts, but releases every array and object once it is read, and reads the document twice that way.
import { Configuration, HttpContext, RootContext } from '@meshscript/sdk'
import { tell } from './tell'

export class Reader extends RootContext {
  onConfigure(configuration: Configuration): bool {
    const json = configuration.json()
    if (json.hasError) return true
    tell(json, true)
    if (!json.hasError) tell(json, true)
    return json.refuseUnknown()
  }
}

/** The host wants streams of some kind. */
export class Stream extends HttpContext<Reader> {}
