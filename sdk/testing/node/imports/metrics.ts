/** Counters, gauges and histograms. */
import { Status } from '../abi.ts'
import { toText } from '../bytes.ts'
import { hostcall } from '../hostcall.ts'
import { Counter, Gauge, Histogram } from '../metrics.ts'

const KINDS = [Counter, Gauge, Histogram] as const
const HISTOGRAM = 2

export const metrics = {
  define_metric: hostcall(['u32', 'text'], ['u32'], (context, type, name) => {
    const kind = KINDS[type]
    if (!kind) return Status.BadArgument
    const id = context.vm.nextId(`metric ${type}`, type)
    context.host.metrics.define(context.vm, id, toText(name), kind)
    return [id]
  }),
  increment_metric: hostcall(['u32', 'i64'], [], (context, id, delta) => {
    if ((id & 3) >= HISTOGRAM) return Status.BadArgument
    const metric = context.host.metrics.find(context.vm, id)
    if (!metric) return Status.NotFound
    return metric.increment(delta) ? Status.Ok : Status.BadArgument
  }),
  record_metric: hostcall(['u32', 'u64'], [], (context, id, value) => {
    const metric = context.host.metrics.find(context.vm, id)
    if (!metric) return Status.NotFound
    metric.record(value)
    return Status.Ok
  }),
  get_metric: hostcall(['u32'], ['u64'], (context, id) => {
    if ((id & 3) >= HISTOGRAM) return Status.BadArgument
    const metric = context.host.metrics.find(context.vm, id)
    return metric ? [metric.value] : Status.NotFound
  }),
}
