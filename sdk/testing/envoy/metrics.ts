/** Filters' metrics, from the admin interface. */
import type { MetricValue } from '../types.ts'
import { admin } from './admin.ts'
import { afterRounds, DROPPED } from './threads.ts'

/** What Envoy puts in front of the name of every metric that a filter defines. */
const PREFIX = 'wasmcustom.'

interface Bucket {
  lower_bound: number
  width: number
  count: number
}

interface StatsAnswer {
  stats: {
    name?: string
    value?: number
    histograms?: { details?: { name: string; totals: Bucket[] }[] }
  }[]
}

/**
 * All metrics of all filters.
 *
 * Envoy keeps histograms in buckets of two significant digits. So the sum is exact for samples below 100, and otherwise
 * within five percent.
 */
export async function filterMetrics(port: number): Promise<Record<string, MetricValue>> {
  const first = await read(port, `^${PREFIX}`)
  if (!hasHistograms(first)) return collect(first)
  // The question itself makes Envoy merge the workers' histograms; an answer after that has them.
  const pattern = `^(${PREFIX}|${DROPPED}$)`.replaceAll('.', '\\.')
  const droppedOf = (answer: StatsAnswer) => answer.stats.find(({ name }) => name === DROPPED)?.value ?? 0
  return collect(await afterRounds(1, () => read(port, pattern), droppedOf))
}

async function read(port: number, pattern: string): Promise<StatsAnswer> {
  const query = `/stats?filter=${encodeURIComponent(pattern)}&format=json&histogram_buckets=detailed`
  return JSON.parse((await admin(port, query)).text) as StatsAnswer
}

const hasHistograms = ({ stats }: StatsAnswer) => stats.some((entry) => entry.histograms?.details?.length)

function collect({ stats }: StatsAnswer): Record<string, MetricValue> {
  const metrics: Record<string, MetricValue> = {}
  for (const { name, value, histograms } of stats) {
    if (name?.startsWith(PREFIX) && value !== undefined) metrics[name.slice(PREFIX.length)] = value
    for (const { name: histogram, totals } of histograms?.details ?? []) {
      metrics[histogram.slice(PREFIX.length)] = {
        count: sum(totals, ({ count }) => count),
        sum: sum(totals, sampleSum),
      }
    }
  }
  return metrics
}

/** Samples are whole numbers: a bucket no wider than 1 holds its lower bound only. */
function sampleSum({ lower_bound: lower, width, count }: Bucket): number {
  const middle = width <= 1 ? lower : lower + (width - 1) / 2
  return count * middle
}

function sum(buckets: readonly Bucket[], of: (bucket: Bucket) => number): number {
  return buckets.reduce((total, bucket) => total + of(bucket), 0)
}
