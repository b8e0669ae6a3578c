import { Action, Configuration, HttpContext, JsonValue, RootContext } from '@meshscript/sdk'
import { Telemetry } from './configuration'
import { Workload } from './workload'

export class TelemetryRoot extends RootContext {
  /** Null until a configuration was accepted; then nothing is told. */
  telemetry: Telemetry | null = null

  onConfigure(configuration: Configuration): bool {
    return this.configure(configuration.json())
  }

  /** Reads a configuration: a document, or a part of one. */
  configure(json: JsonValue): bool {
    const telemetry = new Telemetry(json)
    if (!json.refuseUnknown()) return false
    this.telemetry = telemetry
    return true
  }
}

/** Tells what comes of requests. They pass, whatever happens here. */
export class TelemetryStream extends HttpContext<TelemetryRoot> {
  /** Who the peer says that it is. */
  private told: Workload | null = null
  /** Whether a peer that has told who it is waits to be told the same. */
  private isAsked: bool = false

  onRequestHeaders(endOfStream: bool): Action {
    const telemetry = this.root.telemetry
    const peers = telemetry ? telemetry.peers : null
    if (!peers) return Action.Continue
    if (telemetry!.exchange.isSource) {
      peers.tell(this.requestHeaders)
    } else {
      this.told = peers.listen(this.requestHeaders)
      this.isAsked = this.told !== null
    }
    return Action.Continue
  }

  onResponseHeaders(endOfStream: bool): Action {
    const telemetry = this.root.telemetry
    const peers = telemetry ? telemetry.peers : null
    if (!peers) return Action.Continue
    if (telemetry!.exchange.isSource) this.told = peers.listen(this.responseHeaders)
    else if (this.isAsked) peers.tell(this.responseHeaders)
    return Action.Continue
  }

  onLog(): void {
    const telemetry = this.root.telemetry
    if (!telemetry) return
    telemetry.exchange.begin(this.requestHeaders, this.told)
    const metrics = telemetry.metrics
    if (metrics) metrics.report()
  }
}
