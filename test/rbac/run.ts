/** Random policies and requests, decided by Envoy's native RBAC filter and by ours in the same Envoy. */

import { compileAuthorization } from '../../cli/src/compile/index.ts'
import { Diagnostics } from '../../cli/src/resources/diagnostics.ts'
import { defaultMeshConfig } from '../../cli/src/resources/mesh-config.ts'
import { Source } from '../../cli/src/resources/source.ts'
import { Random } from '../json/documents.ts'
import { Arena, type ArenaListener, NORMALIZATIONS, type Normalization } from './arena.ts'
import { Client, NoAnswer } from './client.ts'
import { differences, type Outcome, readOutcome } from './outcome.ts'
import { makeScene, type Scene, WORKLOAD } from './policies.ts'
import { type Connection, hintsOf, makeConnection, makeRequest, type WireRequest } from './requests.ts'
import { translate } from './translate/index.ts'

export interface RbacFuzzOptions {
  /** Of our filter. */
  wasm: string
  seed: number
  scenes: number
  /** Of each scene. */
  requests: number
  /** Scenes in one Envoy. */
  batch?: number
  /** Only this scene, by its number. */
  only?: number
  /** Spoils our filter's configuration, to see that this is found. */
  disarm?: (configuration: object) => object
  onProgress?: (done: number) => void
}

export interface Difference {
  scene: number
  what: string[]
  outcome: Outcome
  policies: Scene['policies']
  trustDomains: Scene['trustDomains']
  normalization: Normalization
  connection: Connection
  request: WireRequest
  /** The path as filters saw it. */
  seenPath?: string
}

export interface RbacFuzzResult {
  /** Policy sets × requests that both filters decided. */
  pairs: number
  policies: number
  rules: number
  denied: number
  /** Decided by a rule, not by there being none. */
  byRule: number
  dryRuns: number
  audits: number
  /** Requests that Envoy answered before any filter, or not at all. */
  unseen: number
  differences: Difference[]
  /** Policies that are valid in Istio and that our compiler refuses. */
  refused: { scene: number; message: string; policies: Scene['policies'] }[]
}

interface Prepared {
  number: number
  seed: number
  scene: Scene
  listener: ArenaListener
}

/** Connections of each scene. */
const CONNECTIONS = 4

export async function fuzzRbac(options: RbacFuzzOptions): Promise<RbacFuzzResult> {
  const { seed, scenes, batch = 100, only } = options
  const result: RbacFuzzResult = {
    ...{ pairs: 0, policies: 0, rules: 0, denied: 0, byRule: 0, dryRuns: 0, audits: 0, unseen: 0 },
    ...{ differences: [], refused: [] },
  }
  let waiting: Prepared[] = []
  for (let number = 0; number < scenes; number++) {
    if (only !== undefined && only !== number) continue
    const prepared = prepare(number, seed * 1_000_003 + number, result, options)
    if (prepared) waiting.push(prepared)
    if (waiting.length < batch) continue
    await runBatch(waiting, options, result)
    waiting = []
  }
  if (waiting.length > 0) await runBatch(waiting, options, result)
  return result
}

function prepare(
  number: number,
  seed: number,
  result: RbacFuzzResult,
  { disarm = (same) => same }: RbacFuzzOptions,
): Prepared | undefined {
  const random = new Random(seed)
  const scene = makeScene(random)
  const normalization = random.pick([...NORMALIZATIONS, 'BASE'] as const)
  const compiled = compile(scene)
  if ('message' in compiled) {
    result.refused.push({ scene: number, message: compiled.message, policies: scene.policies })
    return undefined
  }
  result.policies += scene.policies.length
  result.rules += scene.policies.reduce((sum, { spec }) => sum + (spec.rules?.length ?? 0), 0)
  const native = translate(scene.policies, scene.trustDomains)
  return { number, seed, scene, listener: { native, configuration: disarm(compiled.configuration), normalization } }
}

/** Our filter's configuration; every decision is recorded, to be compared. */
export function compile({ policies, trustDomains }: Scene): { configuration: object } | { message: string } {
  const diagnostics = new Diagnostics()
  const [trustDomain, ...trustDomainAliases] = trustDomains
  const text = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: policies })
  const { configuration } = compileAuthorization([new Source('policies.json', text)], {
    workload: WORKLOAD,
    mesh: { ...defaultMeshConfig, trustDomain, trustDomainAliases },
    diagnostics,
  })
  if (configuration) return { configuration: { ...configuration, record: 'all' } }
  const errors = diagnostics.toJSON().filter(({ severity }) => severity === 'error')
  return { message: errors.map(({ code, field, message }) => `${code} ${field}: ${message}`).join('; ') }
}

async function runBatch(batch: readonly Prepared[], options: RbacFuzzOptions, result: RbacFuzzResult): Promise<void> {
  const arena = await Arena.start(
    options.wasm,
    batch.map(({ listener }) => listener),
  )
  try {
    let next = 0
    const work = async () => {
      for (let index = next++; index < batch.length; index = next++) {
        await runScene(batch[index]!, arena.port(index), options.requests, result)
        if (!arena.running) throw new Error(`Envoy has ended: ${arena.failure()}`)
        options.onProgress?.(result.pairs)
      }
    }
    await Promise.all([work(), work()])
  } finally {
    await arena.stop()
  }
}

async function runScene(
  { number, seed, scene, listener }: Prepared,
  port: number,
  requests: number,
  result: RbacFuzzResult,
) {
  const random = new Random(seed ^ 0x5eed)
  const hints = hintsOf(scene.policies)
  const connections = Array.from({ length: CONNECTIONS }, () => makeConnection(random, hints))
  const clients = connections.map((connection) => new Client(port, connection))
  for (let i = 0; i < requests; i++) {
    const request = makeRequest(random, hints)
    const at = random.below(CONNECTIONS)
    const response = await clients[at]!.request(request).catch((error: unknown) => {
      if (error instanceof NoAnswer || isUnsendable(error)) return undefined
      throw error
    })
    const outcome = response && readOutcome(response)
    if (!outcome) {
      result.unseen++
      continue
    }
    count(outcome, result)
    const what = differences(outcome)
    if (what.length === 0) continue
    const { policies, trustDomains } = scene
    const where = { normalization: listener.normalization, connection: connections[at]!, request }
    const seenPath = response.headers['x-seen-path']
    result.differences.push({ scene: number, what, outcome, policies, trustDomains, ...where, seenPath })
  }
  for (const client of clients) client.close()
}

/** Node's HTTP/2 client refuses some headers. */
const isUnsendable = (error: unknown) =>
  error instanceof TypeError && /^ERR_(HTTP2|INVALID)/.test((error as { code?: string }).code ?? '')

function count({ native }: Outcome, result: RbacFuzzResult): void {
  result.pairs++
  if (native.verdict === 'denied') result.denied++
  if (native.policy !== 'none') result.byRule++
  if (native.dryRunDeny !== undefined || native.dryRunAllow !== undefined) result.dryRuns++
  if (native.audit) result.audits++
}
