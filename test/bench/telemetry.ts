/** A counter and a histogram, beside the Rust SDK's filter with the same: by own code, and by the telemetry filter; and Istio's metrics with all of their labels. */

import { existsSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { buildFilter } from '../../cli/src/build/index.ts'
import { LABELS } from '../../cli/src/compile/telemetry/definitions.ts'
import { type Json, staticFilter } from '../../sdk/testing/envoy/index.ts'
import { type Variant } from './compare.ts'
import { peers, root, workFolder } from './paths.ts'
import { type Limit } from './report.ts'

/** What the issue asks for. */
export const limits: Limit[] = [
  { name: 'own counter and histogram', other: 'Rust SDK', limit: 0.9 },
  { name: 'requests and duration by status', other: 'Rust SDK', limit: 0.9 },
  { name: "Istio's metrics", other: 'Rust SDK', limit: 2 },
]

export async function variants(): Promise<{ variants: Variant[]; notes: string[] }> {
  const notes: string[] = []
  const own = await build('telemetry/fixtures/own', notes)
  const plain = await build('telemetry', notes)
  const withHeaders = await build('telemetry-headers', notes)
  const metrics = (name: string, metrics: Json, file = plain, more: object = {}): Variant => ({
    name,
    filters: async () => [plugin(file, configuration({ metrics, ...more }))],
  })
  const list: Variant[] = [
    { name: 'own counter and histogram', filters: async () => [plugin(own)] },
    metrics('requests and duration by status', two({})),
    metrics('requests and duration by method and status', two({ request_method: 'request.method' })),
    metrics("Istio's metrics", all),
    metrics("Istio's metrics, and peers are told", all, withHeaders, { metadataExchange: true }),
  ]
  const rust = join(peers, 'rust_tele.wasm')
  if (existsSync(rust)) list.push({ name: 'Rust SDK', filters: async () => [plugin(rust)] })
  else notes.push('left out, since its module is not there: Rust SDK')
  return { variants: list, notes }
}

async function build(name: string, notes: string[]): Promise<string> {
  const { output } = await buildFilter({
    path: join(root, 'filters', name),
    output: join(workFolder(), `${basename(name)}.wasm`),
  })
  notes.push(`size of ${name}: ${statSync(output).size} bytes`)
  return output
}

function plugin(file: string, configuration?: unknown): Json {
  return staticFilter('http', 'wasm', { wasm: file, name: 'bench', rootId: 'telemetry', configuration }, file)
}

function configuration(more: object): Json {
  const workload = { name: 'orders-v1', namespace: 'shop', app: 'orders', version: 'v1', canonicalService: 'orders' }
  return { version: 1, reporter: 'destination', workload, ...more }
}

/** With the status for a label, and these. */
function two(tags: Json): Json {
  const metric = { remove: LABELS.filter((label) => label !== 'response_code'), tags }
  return { REQUEST_COUNT: metric, REQUEST_DURATION: metric }
}

const all = { REQUEST_COUNT: {}, REQUEST_DURATION: {}, REQUEST_SIZE: {}, RESPONSE_SIZE: {} }
