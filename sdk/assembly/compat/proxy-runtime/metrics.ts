import { LogLevel, Status } from '../../abi/enums'
import * as host from '../../abi/hostcalls'
import { encode } from '../../memory/bytes'
import { MetricTypeValues, WasmResultValues } from './enums'
import { OUT } from './results'

class MetricResult {
  result: WasmResultValues = WasmResultValues.Ok
  metric_id: u32 = 0
}

export function define_metric(typ: MetricTypeValues, name: string): MetricResult {
  const n = encode(name)
  const result = new MetricResult()
  result.result = host.define_metric(typ, n.ptr, n.length, OUT)
  if (result.result == Status.Ok) result.metric_id = load<u32>(OUT)
  return result
}

export function increment_metric(metric_id: u32, offset: i64): WasmResultValues {
  return host.increment_metric(metric_id, offset)
}

export function record_metric(metric_id: u32, value: u64): WasmResultValues {
  return host.record_metric(metric_id, value)
}

class MetricData {
  result: WasmResultValues = WasmResultValues.Ok
  data: u64 = 0
}

export function get_metric(metric_id: u32): MetricData {
  const result = new MetricData()
  result.result = host.get_metric(metric_id, OUT)
  if (result.result == Status.Ok) result.data = load<u64>(OUT)
  return result
}

/** Where the host refuses the metric, its id is 0, which the host doesn't know: what is done with it answers a status. */
class Metric {
  metric_id: u32

  constructor(typ: MetricTypeValues, name: string) {
    const defined = define_metric(typ, name)
    this.metric_id = defined.metric_id
    if (defined.result != WasmResultValues.Ok) {
      const text = encode(`can't define metric ${name}: status ${defined.result}`)
      host.log(LogLevel.Error, text.ptr, text.length)
    }
  }
}

export class Gauge extends Metric {
  constructor(name: string) {
    super(MetricTypeValues.Gauge, name)
  }

  increment(offset: i64): WasmResultValues {
    return increment_metric(this.metric_id, offset)
  }

  record(metric_id: u32, value: u64): WasmResultValues {
    return record_metric(metric_id, value)
  }
}

export class Histogram extends Metric {
  constructor(name: string) {
    super(MetricTypeValues.Histogram, name)
  }

  increment(offset: i64): WasmResultValues {
    return increment_metric(this.metric_id, offset)
  }

  record(metric_id: u32, value: u64): WasmResultValues {
    return record_metric(metric_id, value)
  }
}

export class Counter extends Metric {
  constructor(name: string) {
    super(MetricTypeValues.Counter, name)
  }

  increment(offset: u32): WasmResultValues {
    return increment_metric(this.metric_id, offset)
  }
}
