import { Action, StreamContext } from '@meshscript/sdk'
import { Metrics } from '../../telemetry/assembly/metrics/index'
import { Usage } from '../../telemetry/assembly/metrics/usage'
import { TelemetryRoot } from '../../telemetry/assembly/telemetry_root'

/** The telemetry filter of TCP connections. */
export class TcpTelemetryRoot extends TelemetryRoot {
  private first: TelemetryConnection | null = null

  /** A connection to be reported from time to time. */
  enter(connection: TelemetryConnection, interval: u32): void {
    const first = this.first
    connection.next = first
    if (first) first.previous = connection
    else this.setTickPeriod(interval)
    this.first = connection
  }

  /** A connection that is over. */
  leave(connection: TelemetryConnection): void {
    const next = connection.next
    const previous = connection.previous
    if (next) next.previous = previous
    if (previous) previous.next = next
    else this.first = next
    connection.next = connection.previous = null
    if (!this.first) this.setTickPeriod(0)
  }

  onTick(): void {
    let connection = this.first
    while (connection) {
      const next = connection.next
      if (connection.becomeEffective()) connection.report(false)
      else this.leave(connection)
      connection = next
    }
    this.becomeEffective()
  }
}

/** Counts a connection and its bytes. */
export class TelemetryConnection extends StreamContext<TcpTelemetryRoot> {
  next: TelemetryConnection | null = null
  previous: TelemetryConnection | null = null
  private metrics: Metrics | null = null
  private usage: Usage = new Usage()

  onNewConnection(): Action {
    const telemetry = this.root.telemetry
    const metrics = telemetry ? telemetry.metrics : null
    if (metrics && metrics.hasTcp) {
      this.metrics = metrics
      this.root.enter(this, metrics.interval)
    }
    return Action.Continue
  }

  onDownstreamData(size: u32, endOfStream: bool): Action {
    this.usage.received += size
    return Action.Continue
  }

  onUpstreamData(size: u32, endOfStream: bool): Action {
    this.usage.sent += size
    return Action.Continue
  }

  onLog(): void {
    if (!this.metrics) return
    this.report(true)
    this.root.leave(this)
  }

  /** Counts what has come to pass since the last time. */
  report(isOver: bool): void {
    const metrics = this.metrics
    if (metrics) metrics.reportConnection(this.usage, isOver)
  }
}
