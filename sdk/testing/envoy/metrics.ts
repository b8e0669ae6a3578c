/** Filters' metrics, from the admin interface. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { MetricValue } from '../types.ts'
import { admin } from './admin.ts'

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
  const first = await read(port)
  if (!hasHistograms(first)) return collect(first)
  // The question itself makes Envoy merge the workers' histograms; the answer to the next one has them.
  await sleep(10)
  return collect(await read(port))
}

async function read(port: number): Promise<StatsAnswer> {
  const query = `/stats?filter=${encodeURIComponent(`^${PREFIX}`)}&format=json&histogram_buckets=detailed`
  return JSON.parse((await admin(port, query)).text) as StatsAnswer
}

const hasHistograms = ({ stats }: StatsAnswer) => stats.some((entry) => entry.histograms?.details?.length)

function collect({ stats }: StatsAnswer): Record<string, MetricValue> {
  const metrics: Record<string, MetricValue> = {}
  for (const { name, value, histograms } of stats) {
    if (name !== undefined && value !== undefined) metrics[name.slice(PREFIX.length)] = value
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
