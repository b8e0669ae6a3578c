import { Configuration, Gauge, property, RootContext } from '@meshscript/sdk'

/** Milliseconds between two looks at the memory. */
const PERIOD: u32 = 100

/**
 * A plugin that shows the size of its VM's memory as the gauge `soak_memory_bytes` with label `plugin`: Envoy 1.40 has no such stat.
 * The memory of a VM never shrinks, so the gauge keeps the largest of all threads' VMs, which is that of the worker.
 */
export abstract class MeasuredRoot extends RootContext {
  private memoryBytes: Gauge = new Gauge('soak_memory_bytes', ['plugin'])

  onConfigure(configuration: Configuration): bool {
    this.setTickPeriod(PERIOD)
    this.onTick()
    return true
  }

  onTick(): void {
    const gauge = this.memoryBytes.with(property.pluginName()!)
    const bytes = (<u64>memory.size()) << 16
    if (bytes > gauge.value) gauge.set(bytes)
  }
}
