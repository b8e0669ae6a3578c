// The telemetry filter with callbacks for headers: each costs every request some tenths of a microsecond, which only those should pay who want
// headers changed.

import { Action } from '@meshscript/sdk'
import { TelemetryRoot, TelemetryStream } from '../../telemetry/assembly/index'

export class HeaderTelemetryRoot extends TelemetryRoot {
  get changesHeaders(): bool {
    return true
  }

  // Here, since the host would call a module that has it at the end of each request, too.
  onDone(): bool {
    const telemetry = this.telemetry
    return !telemetry || telemetry.schedule.end()
  }
}

export class HeaderTelemetryStream extends TelemetryStream {
  /** Whether a peer that has told who it is waits to be told the same. */
  private isAsked: bool = false

  onRequestHeaders(endOfStream: bool): Action {
    const telemetry = this.root.telemetry
    if (!telemetry) return Action.Continue
    const traces = telemetry.traces
    if (traces) this.span = traces.begin(this.requestHeaders, true)
    const peers = telemetry.peers
    if (!peers) return Action.Continue
    if (telemetry.exchange.isSource) {
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
}
