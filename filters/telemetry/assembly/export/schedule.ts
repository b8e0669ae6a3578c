import { currentTimeMillis, RootContext } from '@meshscript/sdk'
import { Exporter } from './exporter'

/** The exporters of a plugin, on its one timer. It runs only while something waits. */
@final
export class ExportSchedule {
  private exporters: Exporter[] = []
  private period: u32 = 0
  private dueAt: f64 = 0
  /** The timer is another schedule's. */
  private isRetired: bool = false
  /** The plugin ends as soon as everything is sent. */
  private isEnding: bool = false

  constructor(private root: RootContext) {}

  /** The plugin's number at the host. */
  get id(): u32 {
    return this.root.id
  }

  /** Called by each exporter. */
  add(exporter: Exporter): void {
    this.exporters.push(exporter)
  }

  /** Another configuration holds: these send what they have. */
  retire(): void {
    this.isRetired = true
    const exporters = this.exporters
    for (let i = 0; i < exporters.length; i++) exporters[i].retire()
  }

  /** In milliseconds from now, at the latest, the exporters are to be called. */
  wake(wait: f64): void {
    if (this.isRetired) return
    const now = <f64>currentTimeMillis()
    if (this.period && this.dueAt <= now + wait && this.dueAt > now - MAX_LATE) return
    this.set(max<f64>(1, wait), now)
  }

  private set(wait: f64, now: f64): void {
    this.period = wait ? <u32>max<f64>(1, Math.ceil(wait)) : 0
    this.dueAt = now + wait
    this.root.setTickPeriod(this.period)
  }

  /** Call it in the root context's `onTick`. */
  onTick(): void {
    const now = <f64>currentTimeMillis()
    // Nobody below is to set the timer, which is set at the end.
    this.period = 1
    this.dueAt = now
    let next: f64 = 0
    const exporters = this.exporters
    for (let i = 0; i < exporters.length; i++) {
      const wait = exporters[i].tick(now)
      if (wait && (!next || wait < next)) next = wait
    }
    this.set(next, now)
  }

  /** Call it in the root context's `onDone`: false where something is still to be sent. */
  end(): bool {
    this.isEnding = true
    this.retire()
    return !this.isBusy
  }

  /** An exporter has sent its last. */
  onRetired(): void {
    if (this.isEnding && !this.isBusy) this.root.done()
  }

  private get isBusy(): bool {
    for (let i = 0; i < this.exporters.length; i++) if (this.exporters[i].isBusy) return true
    return false
  }
}

/** Milliseconds after which a tick that has not come is not waited for any more. */
const MAX_LATE: f64 = 10_000
