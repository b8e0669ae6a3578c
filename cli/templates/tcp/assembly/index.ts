import { Action, Configuration, Counter, log, RootContext, StreamContext } from '@meshscript/sdk'

export class Settings extends RootContext {
  token: string = ''
  refused: Counter = new Counter('refused_connections')

  onConfigure(configuration: Configuration): bool {
    const json = configuration.json()
    this.token = json.get('token').string()
    return json.refuseUnknown()
  }
}

/** There is one for each connection. */
export class TokenFilter extends StreamContext<Settings> {
  private greeted: bool = false

  onDownstreamData(size: u32, endOfStream: bool): Action {
    if (this.greeted) return Action.Continue
    const line = `${this.root.token}\n`
    const length = String.UTF8.byteLength(line)
    // What has come so far is kept until there is enough.
    if (<i32>size < length && !endOfStream) return Action.Pause
    if (this.downstreamData.read(0, length).equals(line)) {
      this.greeted = true
      this.downstreamData.replaceStart(length, '')
      return Action.Continue
    }
    log.warn('refused a connection without the token')
    this.root.refused.increment()
    this.closeDownstream()
    return Action.Pause
  }
}
