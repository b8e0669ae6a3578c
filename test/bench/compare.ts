/**
 * Added CPU time per request of several filter chains, measured side by side: one Envoy each, all of them up, and rounds in which each gets
 * the same load in turn. From each figure that of the chain without filter, in the same round, is subtracted.
 */

import {
  buildBootstrap,
  type EnvoyProcess,
  type Json,
  startEnvoy,
  temporaryDirectory,
} from '../../sdk/testing/envoy/index.ts'
import { routeConfig } from '../../sdk/testing/envoy/clusters.ts'
import { cpuTime, residentMemory } from './cpu.ts'
import { generateLoad, type Load } from './load.ts'

export interface Variant {
  name: string
  /** HTTP filters before the router, given a folder for their files. */
  filters: (directory: string) => Promise<Json[]>
}

export interface Options {
  rounds: number
  /** Requests of one variant in one round. */
  requests: number
  load?: Partial<Load>
  onRound?: (round: number) => void
}

export interface Result {
  name: string
  /** CPU µs per request, of each round. */
  total: number[]
  /** The same less that of the chain without filter, in the same round. */
  added: number[]
  /** Bytes above the chain without filter, at the end. */
  memory: number
}

const BASELINE = 'no filter'

export async function compare(variants: readonly Variant[], options: Options): Promise<Result[]> {
  const running: { name: string; envoy: EnvoyProcess; total: number[] }[] = []
  try {
    for (const { name, filters } of [{ name: BASELINE, filters: async () => [] }, ...variants]) {
      const directory = temporaryDirectory()
      running.push({ name, envoy: await start(directory, await filters(directory)), total: [] })
    }
    // The first round warms up: V8 optimises, allocators settle.
    for (let round = 0; round <= options.rounds; round++) {
      options.onRound?.(round)
      // Each round begins with another one, so that none is always the one after a pause.
      for (let i = 0; i < running.length; i++) {
        const { envoy, total } = running[(i + round) % running.length]!
        const before = cpuTime(envoy.pid)
        await generateLoad({ requests: options.requests, ...options.load, port: envoy.ports.main! })
        if (round) total.push((cpuTime(envoy.pid) - before) / options.requests / 1000)
      }
    }
    const [baseline] = running
    return running.map(({ name, envoy, total }) => ({
      name,
      total,
      added: total.map((value, round) => value - baseline!.total[round]!),
      memory: residentMemory(envoy.pid) - residentMemory(baseline!.envoy.pid),
    }))
  } finally {
    await Promise.all(running.map(({ envoy }) => envoy.stop()))
  }
}

function start(directory: string, filters: Json[]): Promise<EnvoyProcess> {
  const routes = routeConfig([{ directResponse: { status: 200, body: 'ok' } }])
  const bootstrap = buildBootstrap({ listeners: [{ name: 'main', http: { filters, routes } }] })
  return startEnvoy({ bootstrap, directory })
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/** Middle half of the values. */
export function quartiles(values: readonly number[]): [number, number] {
  const sorted = [...values].sort((a, b) => a - b)
  const at = (part: number): number => sorted[Math.round(part * (sorted.length - 1))]!
  return [at(0.25), at(0.75)]
}
