import { Action, Configuration, Headers, httpCall, HttpCallResponse, HttpContext, RootContext } from '@meshscript/sdk'

export class Settings extends RootContext {
  cluster: string = ''
  path: string = ''
  timeout: u32 = 0

  onConfigure(configuration: Configuration): bool {
    const json = configuration.json()
    this.cluster = json.get('cluster').string()
    this.path = json.get('path').string('/check')
    this.timeout = <u32>json.get('timeout').integer(500, 1, 60_000)
    return json.refuseUnknown()
  }
}

export class AuthCallout extends HttpContext<Settings> {
  onRequestHeaders(): Action {
    // Only the service says who it is.
    this.requestHeaders.remove('x-user')
    const headers = new Headers()
      .add(':method', 'GET')
      .add(':path', this.root.path)
      .add(':authority', 'auth')
      .add('authorization', this.requestHeaders.getOrEmpty('authorization'))
      .add('x-original-method', this.requestHeaders.getOrEmpty(':method'))
      .add('x-original-path', this.requestHeaders.getOrEmpty(':path'))
    const sent = httpCall(
      this,
      this.root.cluster,
      headers,
      this.root.timeout,
      (self: AuthCallout, response: HttpCallResponse): void => self.decide(response),
    )
    if (!sent) this.sendLocalResponse(503, 'no one to ask\n')
    return Action.Pause
  }

  private decide(response: HttpCallResponse): void {
    const status = response.status
    if (status == 200) {
      const user = response.headers.get('x-user')
      if (user) this.requestHeaders.set('x-user', user)
      this.continueRequest()
    } else if (status == 401 || status == 403) this.sendLocalResponse(status, 'not allowed\n')
    else this.sendLocalResponse(503, 'no one to ask\n')
  }
}
