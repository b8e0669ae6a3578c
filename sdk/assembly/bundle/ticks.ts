import { Status } from '../abi/enums'
import * as host from '../abi/hostcalls'
import { currentTimeMillis } from '../time'

/**
 * The tick periods of several filters on the one timer that the host has for a plugin. The timer runs to the next tick that is due,
 * and not at all where nobody wants one. A filter's period begins anew when it is set and after each of its ticks, as the host's own does.
 */
@final
export class Ticks {
  /** In milliseconds; 0 for a filter that wants none. */
  private periods: StaticArray<u32>
  private due: StaticArray<u64>
  /** How many want ticks. */
  private wanted: i32 = 0
  /** What the host's timer is set to. */
  private period: u32 = 0
  /** Ticks are being delivered: the timer is set afterwards. */
  private isBusy: bool = false

  constructor(count: i32) {
    this.periods = new StaticArray<u32>(count)
    this.due = new StaticArray<u64>(count)
  }

  set(index: i32, period: u32): Status {
    this.wanted += i32(period != 0) - i32(this.periods[index] != 0)
    this.periods[index] = period
    const now = currentTimeMillis()
    this.due[index] = now + period
    // The host begins anew even with the same period.
    if (period) this.period = 0
    return this.isBusy ? Status.Ok : this.schedule(now)
  }

  /** The host's timer has run out. */
  begin(): u64 {
    this.isBusy = true
    return currentTimeMillis()
  }

  /** True when the filter's tick is due; its next one is a period later. */
  take(index: i32, now: u64): bool {
    const period = this.periods[index]
    if (!period) return false
    const due = this.due[index]
    // More than a period ahead: somebody has set the clock back.
    if (this.wanted > 1 && due > now && due <= now + period) return false
    this.due[index] = now + period
    return true
  }

  end(now: u64): void {
    this.isBusy = false
    this.schedule(now)
  }

  private schedule(now: u64): Status {
    let next: u64 = 0
    for (let i = 0; i < this.periods.length; i++) {
      const period = this.periods[i]
      if (!period) continue
      const due = this.due[i]
      const rest = due > now ? min<u64>(due - now, period) : 1
      if (!next || rest < next) next = rest
    }
    const wanted = <u32>next
    if (wanted == this.period) return Status.Ok
    this.period = wanted
    return host.set_tick_period_milliseconds(wanted)
  }
}
