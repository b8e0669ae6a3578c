import { Action, Configuration, HttpContext, RootContext } from '@meshscript/sdk'

/** The configuration: there is one for all requests. */
export class Settings extends RootContext {
  name: string = ''
  value: string = ''
  hide: string = ''

  onConfigure(configuration: Configuration): bool {
    const json = configuration.json()
    this.name = json.get('name').string()
    this.value = json.get('value').string()
    this.hide = json.get('hide').string('server')
    return json.refuseUnknown()
  }
}

/** There is one for each request. */
export class HeaderFilter extends HttpContext<Settings> {
  onRequestHeaders(): Action {
    this.requestHeaders.set(this.root.name, this.root.value)
    return Action.Continue
  }

  onResponseHeaders(): Action {
    this.responseHeaders.remove(this.root.hide)
    return Action.Continue
  }
}
