/** The filters' metrics, as one store for all VMs. */
import type { MetricValue } from '../types.ts'

const wrap = (value: bigint) => BigInt.asUintN(64, value)

export abstract class Metric {
  value = 0n
  abstract record(value: bigint): void
  /** False where it cannot be done. */
  abstract increment(delta: bigint): boolean
  read(): MetricValue {
    return Number(this.value)
  }
}

export class Counter extends Metric {
  override record(value: bigint): void {
    this.value = wrap(this.value + value)
  }
  override increment(delta: bigint): boolean {
    if (delta <= 0n) return false
    this.value = wrap(this.value + delta)
    return true
  }
}

export class Gauge extends Metric {
  override record(value: bigint): void {
    this.value = value
  }
  override increment(delta: bigint): boolean {
    this.value = wrap(this.value + delta)
    return true
  }
}

export class Histogram extends Metric {
  count = 0
  sum = 0
  override record(value: bigint): void {
    this.count++
    this.sum += Number(value)
  }
  override increment(): boolean {
    return false
  }
  override read(): MetricValue {
    return { count: this.count, sum: this.sum }
  }
}

export class Metrics {
  readonly #byKey = new Map<string, { name: string; metric: Metric }>()
  readonly #ids = new WeakMap<object, Map<number, Metric>>()

  /** Gives a metric an id in a VM. Names are shared by all. */
  define(vm: object, id: number, name: string, kind: new () => Metric): void {
    const key = `${kind.name} ${name}`
    let entry = this.#byKey.get(key)
    if (!entry) this.#byKey.set(key, (entry = { name, metric: new kind() }))
    let ids = this.#ids.get(vm)
    if (!ids) this.#ids.set(vm, (ids = new Map<number, Metric>()))
    ids.set(id, entry.metric)
  }

  find(vm: object, id: number): Metric | undefined {
    return this.#ids.get(vm)?.get(id)
  }

  read(): Record<string, MetricValue> {
    return Object.fromEntries([...this.#byKey.values()].map(({ name, metric }) => [name, metric.read()]))
  }
}
