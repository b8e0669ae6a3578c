/** A ready filter with made-up configurations and requests, on a test host: what comes of them is known, and none is lost. */

import { setTimeout as sleep } from 'node:timers/promises'
import { createEnvoyHost } from '../../sdk/testing/envoy/index.ts'
import { createNodeHost } from '../../sdk/testing/node/index.ts'
import type {
  ClientStream,
  Cluster,
  Host,
  HostOptions,
  RequestInit,
  Response,
  UpstreamRequest,
} from '../../sdk/testing/types.ts'
import { residentMemory } from '../bench/cpu.ts'
import { Random } from '../json/documents.ts'
import { ByteSource } from './bytes.ts'
import { FuzzFailure } from './requests.ts'
import type { Figures } from './run.ts'

/** What is made up for a filter. */
export interface Scene<C extends object> {
  /** Of its source. */
  path: string
  makeConfiguration(random: Random): C
  makeRequest(random: Random, bytes: ByteSource): RequestInit
  /** The statuses that may come of a request; undefined for any. */
  statusesOf(configuration: C, request: RequestInit): number[] | undefined
  /** What it asks. Default: nobody. */
  clusters?(random: Random): Record<string, Cluster>
  /** Throws where it has asked what it must not. */
  checkCallout?(request: UpstreamRequest): void
}

export interface TrafficFuzz<C extends object> {
  scene: Scene<C>
  wasm: string
  requests: number
  seed: number
  onProgress?: (requests: number) => void
}

/** Requests under way at the same time. */
const TOGETHER = 8
/** Requests between two configurations. */
const OF_ONE = 40

const options = (random: Random, bytes: ByteSource, clusters: HostOptions['clusters'] = {}): HostOptions => ({
  name: 'fuzz',
  clusters,
  logLevel: 'critical',
  upstream: () => ({ body: [bytes.noise(), bytes.noise()].slice(0, random.below(3)) }),
})

/** Rejects when the filter traps, or a request does not come to its end as it must. */
export async function fuzzTraffic<C extends object>(fuzz: TrafficFuzz<C>): Promise<Figures> {
  const { random, bytes } = sources(fuzz)
  const host = await createNodeHost({
    ...options(random, bytes, fuzz.scene.clusters?.(random)),
    wasm: fuzz.wasm,
    configuration: fuzz.scene.makeConfiguration(random),
    now: 1_800_000_000_000,
    trace: false,
  })
  const send = async (init: RequestInit): Promise<Response | undefined> => {
    const stream = await host.stream({ ...init, protocol: 'http2' })
    for (let i = random.below(3); i--;) await stream.write(bytes.noise())
    if (random.below(8) === 0) {
      await host.advance(random.below(20))
      await stream.abort()
      return undefined
    }
    await end(stream, random, bytes)
    if (random.below(8) === 0) await host.advance(random.below(30))
    return stream.response()
  }
  try {
    const check = () => {
      const [failure] = host.failures
      if (failure) throw new Error(failure.stack)
    }
    return await run(fuzz, { host, random, bytes, send, check, memory: () => host.memorySize, together: TOGETHER })
  } finally {
    await host.close()
  }
}

/** The same in real Envoy. */
export async function fuzzEnvoy<C extends object>(fuzz: TrafficFuzz<C>): Promise<Figures> {
  const { random, bytes } = sources(fuzz)
  const host = await createEnvoyHost({
    ...options(random, bytes, fuzz.scene.clusters?.(random)),
    wasm: fuzz.wasm,
    configuration: fuzz.scene.makeConfiguration(random),
  })
  const send = async (init: RequestInit): Promise<Response | undefined> => {
    const isGivenUp = random.below(50) === 0
    const wait = random.below(30)
    const body = Array.from({ length: random.below(3) }, () => bytes.noise(1 + random.below(5000)))
    // Over HTTP/1.1 an answer that comes before the end of the body may be lost with its connection.
    const protocol = body.length ? 'http2' : random.pick(['http1', 'http2'] as const)
    if (!isGivenUp) return host.request({ ...init, body, protocol })
    const stream = await host.stream(init)
    await sleep(wait)
    await stream.abort()
    return undefined
  }
  const check = () => {
    if (!host.envoy.running) throw new Error(host.envoy.failure())
  }
  try {
    const memory = () => residentMemory(host.envoy.pid)
    return await run(fuzz, { host, random, bytes, send, check, memory, together: 2 * TOGETHER })
  } finally {
    await host.close()
  }
}

function sources({ seed }: { seed: number }): { random: Random; bytes: ByteSource } {
  const random = new Random(seed)
  return { random, bytes: new ByteSource(random) }
}

interface Running {
  host: Host
  random: Random
  bytes: ByteSource
  /** Undefined for one that was given up. */
  send: (init: RequestInit) => Promise<Response | undefined>
  check: () => void
  memory: () => number
  together: number
}

async function run<C extends object>(
  { scene, requests, seed, onProgress }: TrafficFuzz<C>,
  { host, random, bytes, send, check, memory, together }: Running,
): Promise<Figures> {
  let sent = 0
  let configurations = 0
  let warm: number | undefined
  let shown = ''
  let callouts = 0
  try {
    while (sent < requests) {
      if (warm === undefined && sent >= requests / 2) {
        warm = memory()
        bytes.hasBodies = false
      }
      const configuration = scene.makeConfiguration(random)
      await host.reconfigure(configuration)
      configurations++
      for (let left = OF_ONE; left > 0; left -= together) {
        const inits = Array.from({ length: together }, () => scene.makeRequest(random, bytes))
        shown = JSON.stringify({ configuration, inits })
        const responses = await Promise.all(inits.map(send))
        for (const [i, response] of responses.entries()) {
          const expected = scene.statusesOf(configuration, inits[i]!)
          if (!response || !expected || (expected.includes(response.status) && !response.reset)) continue
          throw new Error(`${JSON.stringify(inits[i])}: ${response.status} ${response.details}, not ${expected.join()}`)
        }
        check()
        for (; callouts < host.callouts.length; callouts++) scene.checkCallout?.(host.callouts[callouts]!)
        sent += together
      }
      onProgress?.(sent)
    }
    return { requests: sent, configurations, memory: [warm!, memory()] }
  } catch (error) {
    const message = error instanceof Error ? (error.stack ?? error.message) : String(error)
    throw new FuzzFailure(`seed ${seed}, request ${sent}: ${message}\n${shown}`, { cause: error })
  }
}

async function end(stream: ClientStream, random: Random, bytes: ByteSource): Promise<void> {
  const last = random.below(3)
  if (last === 0) await stream.end()
  else if (last === 1) await stream.end({ body: bytes.noise() })
  else await stream.end({ trailers: { 'x-trailer': 't' } })
}
