/** Whether a guest's memory grows with use. */
import type { NodeHost } from './host.ts'

/** What a guest held before and after many runs. */
export interface LeakReport {
  /** Bytes of linear memory after the warm-up and at the end. */
  before: number
  after: number
  /** The same of the guests' managed heaps, where the modules export a function `heap_used`; else undefined. */
  heapBefore?: number
  heapAfter?: number
  /** Contexts that were there at the end and not before. */
  contexts: number
  times: number
}

/** At least this many runs before the measurement, so that caches and pools are full. */
const WARM_UP = 100

export async function measureLeak(host: NodeHost, run: () => unknown, times: number): Promise<LeakReport> {
  for (let i = 0; i < Math.max(WARM_UP, times / 10); i++) await run()
  const contexts = contextCount(host)
  const before = host.memorySize
  const heapBefore = heapSize(host)
  for (let i = 0; i < times; i++) await run()
  const report = { before, after: host.memorySize, contexts: contextCount(host) - contexts, times }
  return heapBefore === undefined ? report : { ...report, heapBefore, heapAfter: heapSize(host) }
}

/** True if linear memory grew, streams stayed, or more than a page of live heap was added. */
export function leaks({ before, after, heapBefore, heapAfter, contexts }: LeakReport): boolean {
  const heapGrew = heapBefore !== undefined && heapAfter !== undefined && heapAfter - heapBefore > 65_536
  return after > before || contexts > 0 || heapGrew
}

function contextCount({ vms }: NodeHost): number {
  return vms.reduce((sum, vm) => sum + vm.contexts.size, 0)
}

function heapSize({ vms }: NodeHost): number | undefined {
  let sum: number | undefined
  for (const { exports } of vms) {
    const measure = exports['heap_used']
    if (typeof measure === 'function') sum = (sum ?? 0) + Number((measure as () => number)())
  }
  return sum
}
