/** Many requests through real Envoy, and how much memory it takes meanwhile. */

import { filterMetrics } from '../../sdk/testing/envoy/metrics.ts'
import { residentMemory } from '../bench/cpu.ts'
import { generateLoad } from '../bench/load.ts'
import { FILTERS, type Setup, startSetup } from './setup.ts'

export interface SoakOptions {
  /** Requests from the client, over all filters. */
  requests: number
  /** Called after each of the `STEPS` parts. */
  onStep?: (sample: Sample) => void
}

/** What was seen after some requests. */
export interface Sample {
  /** Requests answered so far. */
  requests: number
  /** Milliseconds since the first. */
  time: number
  /** Resident memory of Envoy, bytes. */
  resident: number
  /** Bytes of the Wasm memory of each filter. */
  wasm: Record<string, number>
}

/** A quantity in the second fifth of the run, when all is warm, and in the last. */
export interface Trend {
  name: string
  /** Means, bytes. */
  second: number
  last: number
  /** `last` over `second`, less one. */
  growth: number
}

export interface SoakResult {
  requests: number
  /** Milliseconds. */
  time: number
  trends: Trend[]
  samples: Sample[]
}

/** Parts of the run, after each of which there is a sample. */
export const STEPS = 100
const CONNECTIONS = 12

/** Sends the requests, a third to each filter at the same time. Rejects on any answer that is not the right one. */
export async function soak({ requests, onStep }: SoakOptions): Promise<SoakResult> {
  const setup = await startSetup()
  try {
    const samples: Sample[] = []
    const share = Math.max(1, Math.round(requests / STEPS / FILTERS.length))
    const start = performance.now()
    for (let step = 1; step <= STEPS; step++) {
      await Promise.all(
        FILTERS.map(({ name, load }) =>
          generateLoad({ ...load, port: setup.envoy.ports[name]!, requests: share, connections: CONNECTIONS }),
        ),
      )
      const sample = await take(setup, step * share * FILTERS.length, performance.now() - start)
      samples.push(sample)
      onStep?.(sample)
    }
    return {
      requests: STEPS * share * FILTERS.length,
      time: performance.now() - start,
      trends: trends(samples),
      samples,
    }
  } finally {
    await setup.stop()
  }
}

/** True when nothing has grown, nor shrunk, by more than `limit` (0.01: one percent). */
export function isFlat({ trends }: Pick<SoakResult, 'trends'>, limit: number): boolean {
  return trends.every(({ growth }) => Math.abs(growth) <= limit)
}

async function take({ envoy }: Setup, requests: number, time: number): Promise<Sample> {
  const metrics = await filterMetrics(envoy.adminPort)
  const wasm = FILTERS.map(({ name }) => {
    const bytes = metrics[`soak_memory_bytes.plugin=.=${name};.;`]
    if (typeof bytes !== 'number') throw new Error(`filter ${name} has not told the size of its memory`)
    return [name, bytes] as const
  })
  return { requests, time, resident: residentMemory(envoy.pid), wasm: Object.fromEntries(wasm) }
}

function trends(samples: readonly Sample[]): Trend[] {
  const fifth = STEPS / 5
  const trend = (name: string, of: (sample: Sample) => number): Trend => {
    const mean = (from: number): number =>
      samples.slice(from, from + fifth).reduce((sum, sample) => sum + of(sample), 0) / fifth
    const second = mean(fifth)
    const last = mean(4 * fifth)
    return { name, second, last, growth: last / second - 1 }
  }
  return [
    trend('RSS of Envoy', ({ resident }) => resident),
    ...FILTERS.map(({ name }) => trend(`Wasm memory of ${name}`, ({ wasm }) => wasm[name]!)),
  ]
}
