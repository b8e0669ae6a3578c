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
import { type RouteSpec } from '../../sdk/testing/index.ts'
import { cpuTime, residentMemory } from './cpu.ts'
import { generateLoad, type Load } from './load.ts'

export interface Variant {
  name: string
  /** HTTP filters before the router, given a folder for their files. */
  filters: (directory: string) => Promise<Json[]>
  /** The routes of its Envoy, all of which answer `ok` by themselves. Default: one for everything. */
  routes?: readonly RouteSpec[]
  /** What its connection manager has besides. */
  connectionManager?: Json
  /** Clusters beside it, by name, each on a port of this machine. */
  clusters?: Record<string, number>
  /** Its cost is in its routes or its connection manager, so that copies of its filters don't multiply it. */
  isSingle?: boolean
  /** What this one is sent, where it differs from the run's. */
  load?: Partial<Load>
  /** Part of the run's requests that this one gets, for those that would take too long. Default 1. */
  share?: number
  /** True: its added time is over that of no filter with the same load, where that load is dear by itself. Default: over that with the run's load. */
  ownBaseline?: boolean
}

export interface Options {
  rounds: number
  /** Requests of one variant in one round. */
  requests: number
  /** How often each chain stands one after the other; the added time is that of one. More of them stand out better from a machine's noise. Default 1. */
  copies?: number
  load?: Partial<Load>
  onRound?: (round: number) => void
}

export interface Result {
  name: string
  /** CPU µs per request, of each round, with all copies. */
  total: number[]
  /** The same less that of the chain without filter, in the same round, for one copy. */
  added: number[]
  /** Bytes above the chain without filter, at the end. */
  memory: number
}

const BASELINE = 'no filter'

export async function compare(variants: readonly Variant[], options: Options): Promise<Result[]> {
  const running: { variant: Variant; envoy: EnvoyProcess; total: number[]; baseline: number }[] = []
  const processes: EnvoyProcess[] = []
  const run = async (filters: Variant['filters'], around: Around = {}): Promise<EnvoyProcess> => {
    const directory = temporaryDirectory()
    const envoy = await start(directory, await filters(directory), around)
    processes.push(envoy)
    return envoy
  }
  const copies = options.copies ?? 1
  try {
    const plain = await run(async () => [])
    const none = (name: string, variant?: Variant): Variant => ({ ...variant, name, filters: async () => [] })
    running.push({ variant: none(BASELINE), envoy: plain, total: [], baseline: 0 })
    // Baselines of their own first, one for each load.
    const baselines = new Map<string | undefined, number>()
    for (const variant of variants.filter(({ ownBaseline }) => ownBaseline)) {
      if (baselines.has(variant.load?.request)) continue
      baselines.set(variant.load?.request, running.length)
      running.push({ variant: none(`${BASELINE}: ${variant.name}`, variant), envoy: plain, total: [], baseline: 0 })
    }
    const first = running.length
    for (const variant of variants) {
      const baseline = variant.ownBaseline ? baselines.get(variant.load?.request)! : 0
      running.push({
        variant,
        envoy: await run(repeated(variant.filters, copies), variant),
        total: [],
        baseline,
      })
    }
    // The first round warms up: V8 optimises, allocators settle.
    for (let round = 0; round <= options.rounds; round++) {
      options.onRound?.(round)
      // Each round begins with another one, so that none is always the one after a pause.
      for (let i = 0; i < running.length; i++) {
        const { variant, envoy, total } = running[(i + round) % running.length]!
        const requests = Math.ceil(options.requests * (variant.share ?? 1))
        const before = cpuTime(envoy.pid)
        await generateLoad({ requests, ...options.load, ...variant.load, port: envoy.ports.main! })
        if (round) total.push((cpuTime(envoy.pid) - before) / requests / 1000)
      }
    }
    return [running[0]!, ...running.slice(first)].map(({ variant: { name, isSingle }, envoy, total, baseline }) => ({
      name,
      total,
      added: total.map((value, round) => (value - running[baseline]!.total[round]!) / (isSingle ? 1 : copies)),
      memory: residentMemory(envoy.pid) - residentMemory(plain.pid),
    }))
  } finally {
    await Promise.all(processes.map((envoy) => envoy.stop()))
  }
}

function repeated(filters: Variant['filters'], copies: number): Variant['filters'] {
  return async (directory) => {
    const chain = await filters(directory)
    return Array.from({ length: copies }, () => chain).flat()
  }
}

const ANSWER = { directResponse: { status: 200, body: 'ok' } }

type Around = Pick<Variant, 'routes' | 'connectionManager' | 'clusters'>

function start(
  directory: string,
  filters: Json[],
  { routes: specs = [{}], connectionManager: more, clusters = {} }: Around,
): Promise<EnvoyProcess> {
  const routes = routeConfig(specs.map((spec) => ({ ...spec, ...ANSWER })))
  const connectionManager = { max_request_headers_kb: 96, ...more }
  const bootstrap = buildBootstrap({
    listeners: [{ name: 'main', http: { filters, routes, connectionManager } }],
    clusters: Object.fromEntries(
      Object.entries(clusters).map(([name, port]) => [name, { endpoints: [{ host: '127.0.0.1', port }] }]),
    ),
  })
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
