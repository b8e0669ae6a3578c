import { HttpContext } from '@meshscript/sdk'
import { Telemetry } from './configuration'
import { TelemetryRoot } from './telemetry_root'
import { Traces } from './traces/index'
import { Span } from './traces/span'
import { Workload } from './workload'

export { TelemetryRoot }

/** Tells what has come of requests. They pass, whatever happens here. */
export class TelemetryStream extends HttpContext<TelemetryRoot> {
  /** Who the peer says that it is. */
  protected told: Workload | null = null
  /** Of the request, from its headers on; null where nothing is traced. */
  protected span: Span | null = null

  onLog(): void {
    const telemetry = this.root.telemetry
    if (!telemetry) return
    telemetry.exchange.begin(this.requestHeaders, this.told)
    const metrics = telemetry.metrics
    if (metrics) metrics.report()
    const traces = telemetry.traces
    if (traces) this.endSpan(traces, telemetry)
    const flows = telemetry.flows
    if (flows) flows.report(this.span, this.requestHeaders)
    const accessLog = telemetry.accessLog
    if (accessLog) accessLog.report(this.requestHeaders, this.responseHeaders)
  }

  private endSpan(traces: Traces, telemetry: Telemetry): void {
    const headers = this.requestHeaders
    let span = this.span
    // Where nobody was told of it, there is time for it until now.
    if (!span) this.span = span = traces.begin(headers, false)
    traces.end(span, telemetry.exchange, headers)
  }
}
