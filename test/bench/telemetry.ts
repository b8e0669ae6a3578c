/**
 * A counter and a histogram, beside the Rust SDK's filter with the same: by own code, and by the telemetry filter; Istio's metrics with all of
 * their labels; traces, flow records and access log, beside Envoy's own tracer and access log.
 */

import { existsSync, statSync } from 'node:fs'
import { createServer } from 'node:http'
import { type AddressInfo } from 'node:net'
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
  list.push(...(await toReceivers(plain, withHeaders)))
  const rust = join(peers, 'rust_tele.wasm')
  if (existsSync(rust)) list.push({ name: 'Rust SDK', filters: async () => [plugin(rust)] })
  else notes.push('left out, since its module is not there: Rust SDK')
  return { variants: list, notes }
}

/** What goes to receivers, beside Envoy's own. */
async function toReceivers(plain: string, withHeaders: string): Promise<Variant[]> {
  const clusters = { collector: await receiver() }
  const exporter = { cluster: 'collector' }
  const by = (name: string, more: object, file = plain): Variant => ({
    name,
    filters: async () => [plugin(file, configuration(more))],
    clusters,
  })
  const native = (name: string, connectionManager: Json): Variant => ({
    name,
    filters: async () => [],
    connectionManager,
    clusters,
    isSingle: true,
  })
  const traces = (sampling: number) => ({ traces: { sampling, exporter: { type: 'otlp', ...exporter } } })
  return [
    by('traces, 1 % sampled', traces(1), withHeaders),
    by('traces, 100 % sampled', traces(100), withHeaders),
    native("Envoy's tracer, 1 % sampled", tracing(1)),
    native("Envoy's tracer, 100 % sampled", tracing(100)),
    by('flow records', { flows: { exporter } }),
    by('access log to a receiver', { accessLog: [{ format: 'json', exporter }] }),
    by('access log to the log', { accessLog: [{ format: 'text' }] }),
    native("Envoy's access log", { access_log: [fileAccessLog] }),
  ]
}

/** Takes whatever comes. */
function receiver(): Promise<number> {
  const server = createServer((request, response) => request.resume().on('end', () => response.end('{}')))
  server.unref()
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port)))
}

function tracing(value: number): Json {
  return {
    tracing: {
      random_sampling: { value },
      provider: {
        name: 'envoy.tracers.opentelemetry',
        typed_config: {
          '@type': 'type.googleapis.com/envoy.config.trace.v3.OpenTelemetryConfig',
          service_name: 'orders.shop',
          http_service: { http_uri: { uri: 'http://collector/v1/traces', cluster: 'collector', timeout: '5s' } },
        },
      },
    },
  }
}

/** Envoy's own format has about what Istio's has. */
const fileAccessLog: Json = {
  name: 'envoy.access_loggers.file',
  typed_config: {
    '@type': 'type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog',
    path: '/dev/null',
  },
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
