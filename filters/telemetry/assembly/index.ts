import { HttpContext } from '@meshscript/sdk'
import { TelemetryRoot } from './root'
import { Workload } from './workload'

export { TelemetryRoot }

/** Tells what has come of requests. They pass, whatever happens here. */
export class TelemetryStream extends HttpContext<TelemetryRoot> {
  /** Who the peer says that it is. */
  protected told: Workload | null = null

  onLog(): void {
    const telemetry = this.root.telemetry
    if (!telemetry) return
    telemetry.exchange.begin(this.requestHeaders, this.told)
    const metrics = telemetry.metrics
    if (metrics) metrics.report()
  }
}
