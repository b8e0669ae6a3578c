import { Counter, CounterSeries } from '@meshscript/sdk'

/** What has become of what was to be sent: `telemetry_items_total` by signal and result. */
@final
export class ExportCounters {
  private counter: Counter = new Counter('telemetry_items_total', ['signal', 'result'])
  private droppedSeries: CounterSeries | null = null

  constructor(private signal: string) {}

  /** The receiver has taken them. */
  sent(count: u32): void {
    this.counter.with2(this.signal, 'sent').increment(count)
  }

  /** There was no room for them. */
  dropped(count: u32): void {
    let series = this.droppedSeries
    if (!series) this.droppedSeries = series = this.counter.with2(this.signal, 'dropped')
    series.increment(count)
  }

  /** The receiver does not want them. */
  rejected(count: u32): void {
    this.counter.with2(this.signal, 'rejected').increment(count)
  }
}
