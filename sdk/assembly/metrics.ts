import { MetricType, Status } from './abi/enums'
import * as host from './abi/hostcalls'
import { allocate } from './memory/arena'
import { Bytes, ByteString, encode, slot, view } from './memory/bytes'

// A metric with labels is one stat per set of values. The ABI has no labels, so they go into the stat's name,
//
//   NAME.LABEL1=.=VALUE1;.;.LABEL2=.=VALUE2;.;
//
// and `stats_tags` of the bootstrap take them out again, each by the regular expression (\.LABEL=\.=(.*?);\.;)

/** How many sets of label values a metric may have, unless it says otherwise: stats are never removed, and values may come from requests. */
export const MAX_SERIES: i32 = 1000

/** A series with all labels set to this takes what is beyond the limit. */
const OVERFLOW = 'overflow'

/** One set of label values. */
@final
class Series {
  constructor(
    public values: Bytes,
    public id: u32,
    public next: Series | null,
  ) {}
}

/**
 * A metric. Make it once, in a field of the root context (not at the top level of a file: the host allows no metrics while that loads).
 * Its stats are defined at first use; Envoy shows them as `wasmcustom.NAME`.
 */
export abstract class Metric {
  private unlabelled: u32 = 0
  private overflow: u32 = 0
  private buckets: StaticArray<Series | null> = new StaticArray<Series | null>(64)
  private count: i32 = 0

  constructor(
    private type: MetricType,
    readonly name: string,
    readonly labels: string[] = [],
    private maxSeries: i32 = MAX_SERIES,
  ) {}

  /** The host's number of the stat without labels; 0 when the host refuses the name. */
  protected id(): u32 {
    if (!this.unlabelled) this.unlabelled = this.define(encode(this.name))
    return this.unlabelled
  }

  /** The host's number of the series with these label values, joined by NUL in the order of the labels. */
  protected idOf(values: ByteString): u32 {
    const buckets = this.buckets
    const bucket = values.hash() & 63
    let series = unchecked(buckets[bucket])
    while (series) {
      if (series.values.equals(values)) return series.id
      series = series.next
    }
    if (this.count >= this.maxSeries) {
      if (!this.overflow) this.overflow = this.defineSeries(ByteString.empty, true)
      return this.overflow
    }
    this.count++
    const id = this.defineSeries(values, false)
    unchecked((buckets[bucket] = new Series(values.persist(), id, unchecked(buckets[bucket]))))
    return id
  }

  private defineSeries(values: ByteString, isOverflow: bool): u32 {
    let name = encode(this.name)
    let from = 0
    for (let i = 0; i < this.labels.length; i++) {
      let end = values.indexOfByte(0, from)
      if (end < 0) end = values.length
      const value = isOverflow ? encode(OVERFLOW) : clean(values.slice(from, end))
      from = end + 1
      name = name.concat('.').concat(this.labels[i]).concat('=.=').concat(value).concat(';.;')
    }
    return this.define(name)
  }

  private define(name: ByteString): u32 {
    const id = changetype<usize>(slot())
    return host.define_metric(this.type, name.ptr, name.length, id) == Status.Ok ? load<u32>(id) : 0
  }
}

/** A number that only grows. */
@final
export class Counter extends Metric {
  constructor(name: string, labels: string[] = [], maxSeries: i32 = MAX_SERIES) {
    super(MetricType.Counter, name, labels, maxSeries)
  }

  /** Adds to the counter without labels. The host takes no 0. */
  increment(by: u32 = 1): void {
    host.increment_metric(this.id(), by)
  }

  /** The series with this value of the one label. */
  with<A>(a: A): CounterSeries {
    return changetype<CounterSeries>(<usize>this.idOf(view(a)))
  }

  /** The series with these values of the two labels. */
  with2<A, B>(a: A, b: B): CounterSeries {
    return changetype<CounterSeries>(<usize>this.idOf(join(a, b)))
  }

  /** The series with these values of the three labels. */
  with3<A, B, C>(a: A, b: B, c: C): CounterSeries {
    return changetype<CounterSeries>(<usize>this.idOf(join(join(a, b), c)))
  }

  /** The series with these values, joined by `join`. */
  withAll(values: ByteString): CounterSeries {
    return changetype<CounterSeries>(<usize>this.idOf(values))
  }

  /** What the counter without labels counts, over all workers. */
  get value(): u64 {
    return read(this.id())
  }
}

/** A counter with its label values chosen. */
// The host's number of the stat, as an address that is never followed.
// @ts-ignore: decorator
@unmanaged
@final
export class CounterSeries {
  /** Adds to the series. The host takes no 0. */
  increment(by: u32 = 1): void {
    host.increment_metric(<u32>changetype<usize>(this), by)
  }

  /** What the series counts, over all workers. */
  get value(): u64 {
    return read(<u32>changetype<usize>(this))
  }
}

/** A number that goes up and down. */
@final
export class Gauge extends Metric {
  constructor(name: string, labels: string[] = [], maxSeries: i32 = MAX_SERIES) {
    super(MetricType.Gauge, name, labels, maxSeries)
  }

  /** Sets the gauge without labels. */
  set(value: u64): void {
    host.record_metric(this.id(), value)
  }

  /** Adds to the gauge without labels, or takes from it. */
  add(delta: i64): void {
    host.increment_metric(this.id(), delta)
  }

  /** The series with this value of the one label. */
  with<A>(a: A): GaugeSeries {
    return changetype<GaugeSeries>(<usize>this.idOf(view(a)))
  }

  /** The series with these values of the two labels. */
  with2<A, B>(a: A, b: B): GaugeSeries {
    return changetype<GaugeSeries>(<usize>this.idOf(join(a, b)))
  }

  /** The series with these values, joined by `join`. */
  withAll(values: ByteString): GaugeSeries {
    return changetype<GaugeSeries>(<usize>this.idOf(values))
  }

  /** Where the gauge without labels stands. */
  get value(): u64 {
    return read(this.id())
  }
}

/** A gauge with its label values chosen. */
// @ts-ignore: decorator
@unmanaged
@final
export class GaugeSeries {
  /** Sets the series. */
  set(value: u64): void {
    host.record_metric(<u32>changetype<usize>(this), value)
  }

  /** Adds to the series, or takes from it. */
  add(delta: i64): void {
    host.increment_metric(<u32>changetype<usize>(this), delta)
  }

  /** Where the series stands. */
  get value(): u64 {
    return read(<u32>changetype<usize>(this))
  }
}

/** A distribution of values. Its buckets are the proxy's configuration. */
@final
export class Histogram extends Metric {
  constructor(name: string, labels: string[] = [], maxSeries: i32 = MAX_SERIES) {
    super(MetricType.Histogram, name, labels, maxSeries)
  }

  /** Adds a sample to the histogram without labels. */
  record(value: u64): void {
    host.record_metric(this.id(), value)
  }

  /** The series with this value of the one label. */
  with<A>(a: A): HistogramSeries {
    return changetype<HistogramSeries>(<usize>this.idOf(view(a)))
  }

  /** The series with these values of the two labels. */
  with2<A, B>(a: A, b: B): HistogramSeries {
    return changetype<HistogramSeries>(<usize>this.idOf(join(a, b)))
  }

  /** The series with these values of the three labels. */
  with3<A, B, C>(a: A, b: B, c: C): HistogramSeries {
    return changetype<HistogramSeries>(<usize>this.idOf(join(join(a, b), c)))
  }

  /** The series with these values, joined by `join`. */
  withAll(values: ByteString): HistogramSeries {
    return changetype<HistogramSeries>(<usize>this.idOf(values))
  }
}

/** A histogram with its label values chosen. */
// @ts-ignore: decorator
@unmanaged
@final
export class HistogramSeries {
  /** Adds a sample to the series. */
  record(value: u64): void {
    host.record_metric(<u32>changetype<usize>(this), value)
  }
}

/** Joins label values for `withAll`. */
export function join<A, B>(first: A, second: B): ByteString {
  const a = view(first)
  const b = view(second)
  const joined = allocate(a.length + 1 + b.length)
  if (!joined) return ByteString.empty
  memory.copy(joined, a.ptr, a.length)
  store<u8>(joined + a.length, 0)
  memory.copy(joined + a.length + 1, b.ptr, b.length)
  return ByteString.at(joined, a.length + 1 + b.length)
}

function read(id: u32): u64 {
  const out = changetype<usize>(slot())
  return host.get_metric(id, out) == Status.Ok ? load<u64>(out) : 0
}

/** Bytes of a label value that are kept: values may come from requests. */
const MAX_VALUE: i32 = 256

/** A label value that can't end early, nor begin another label: `;` and control characters become `_`. */
function clean(value: ByteString): ByteString {
  const length = min(value.length, MAX_VALUE)
  const copy = allocate(length)
  if (!copy) return ByteString.empty
  for (let i = 0; i < length; i++) {
    const byte = load<u8>(value.ptr + i)
    store<u8>(copy + i, byte < 0x20 || byte == 0x3b || byte == 0x7f ? 0x5f : byte)
  }
  return ByteString.at(copy, length)
}
