import { Action, Configuration, HttpContext, RootContext } from '@meshscript/sdk'
import { mask } from './mask'

export class Settings extends RootContext {
  fields: string[] = []

  onConfigure(configuration: Configuration): bool {
    const json = configuration.json()
    const fields = json.get('fields').array()
    for (let i = 0; i < fields.length; i++) this.fields.push(fields[i].string())
    return json.refuseUnknown()
  }
}

export class MaskFilter extends HttpContext<Settings> {
  private isJson: bool = false

  onRequestHeaders(): Action {
    // What is compressed can't be read here.
    this.requestHeaders.remove('accept-encoding')
    return Action.Continue
  }

  onResponseHeaders(): Action {
    this.isJson = this.responseHeaders.getOrEmpty('content-type').startsWith('application/json')
    // The length will be another one.
    if (this.isJson) this.responseHeaders.remove('content-length')
    return Action.Continue
  }

  onResponseBody(size: u32, endOfStream: bool): Action {
    if (!this.isJson) return Action.Continue
    if (!endOfStream) return Action.StopIterationAndBuffer
    let body = this.responseBody.read().toString()
    for (let i = 0; i < this.root.fields.length; i++) body = mask(body, this.root.fields[i])
    this.responseBody.replace(body)
    return Action.Continue
  }
}
