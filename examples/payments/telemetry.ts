// Metrics and traces, in containers: `checkout` asks `payments`, each through its sidecar, whose part one Envoy plays for both; Prometheus and
// the OpenTelemetry Collector of the profile `telemetry` of envoy/docker-compose.yml. `npm run demo:telemetry` runs this file.
//
//   --once      ends after what it shows
//   --prepare   only makes the files that the containers read

import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { BootstrapOptions, Json, ListenerSpec } from '@meshscript/sdk/testing/envoy/index'
import { parse } from 'yaml'
import { type Demo, demoFolder, listener, runDemo, type Running, service } from './containers.ts'
import { here, paint, printTable, say } from './demo.ts'
import { readSpans, type Span } from './spans.ts'

const folder = demoFolder('docker-telemetry')
const SPANS = join(folder, 'log', 'spans.json')
const REQUESTS = 5
/** Milliseconds until all must be seen. */
const PATIENCE = 60_000

const demo: Demo = {
  folder,
  module: here('../../filters/dist/telemetry-headers.wasm'),
  profile: 'telemetry',
  services: ['envoy', 'checkout', 'collector', 'prometheus'],
  configure,
  show: async ({ compose, port }) =>
    (await showTrace(port)) && (await showMetrics(await compose.port('prometheus', 9090))),
  suggest,
}

/** What `meshscript compile` makes of the resources for a workload of the demo. */
function compile(workload: string, ...args: string[]): string {
  const command = ['compile', 'examples/payments/telemetry.yaml', '--filter', 'telemetry']
  const flags = ['--mesh-config', 'examples/payments/mesh.yaml', '--workload', `shop/${workload}`]
  const labels = ['--labels', `app=${workload},version=v1`]
  const meshscript = here('../../cli/bin/meshscript.js')
  return execFileSync(process.execPath, [meshscript, ...command, ...flags, ...labels, ...args], {
    cwd: here('../..'),
    encoding: 'utf8',
    // What it advises is for meshes with istiod; of an error Node.js tells what it says.
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

/** The listener of a sidecar for one direction. */
function sidecar(workload: string, direction: 'inbound' | 'outbound', port: number, cluster: string): ListenerSpec {
  const compiled = JSON.parse(compile(workload, '--direction', direction)) as { traces: object }
  const configuration = { ...compiled, traces: { ...compiled.traces, batch: { interval: '200ms' } } }
  return listener(demo, { name: `${workload}-${direction}`, port, cluster, configuration })
}

function configure(): BootstrapOptions {
  const { traces } = JSON.parse(compile('checkout')) as { traces: { exporter: { cluster: string } } }
  return {
    listeners: [
      sidecar('checkout', 'inbound', 10_000, 'checkout'),
      sidecar('checkout', 'outbound', 10_001, 'payments-sidecar'),
      sidecar('payments', 'inbound', 10_002, 'payments'),
    ],
    clusters: {
      checkout: service('checkout', 8080),
      payments: service('payments', 8080),
      'payments-sidecar': service('127.0.0.1', 10_002),
      [traces.exporter.cluster]: service('collector', 4318, { dns_refresh_rate: '1s' }),
    },
    extra: parse(compile('checkout', '--bootstrap')) as Json,
  }
}

/** Asks `action` until it answers something. */
async function eventually<T>(what: string, action: () => T | undefined | Promise<T | undefined>): Promise<T> {
  const end = Date.now() + PATIENCE
  for (;;) {
    const answer = await action()
    if (answer !== undefined) return answer
    if (Date.now() > end) throw new Error(`${what} after ${PATIENCE / 1000} s`)
    await sleep(100)
  }
}

/** Sends requests, and shows the spans of the last one as the Collector has got them. Answers whether they are as expected. */
async function showTrace(port: number): Promise<boolean> {
  for (let i = 0; i < REQUESTS; i++) {
    const response = await fetch(`http://127.0.0.1:${port}/charge`)
    const text = await response.text()
    if (response.status !== 200) throw new Error(`checkout answers ${response.status}: ${text}`)
  }
  const spans = await eventually('the Collector has not got all spans', () => {
    const found = readSpans(SPANS)
    return found.length >= 3 * REQUESTS ? found : undefined
  })
  const last = spans.reduce((latest, span) => (span.start > latest.start ? span : latest))
  const trace = spans.filter(({ traceId }) => traceId === last.traceId).sort((a, b) => Number(a.start - b.start))
  say(paint(1, `trace ${last.traceId}\n`))
  const milliseconds = (nanoseconds: bigint) => `${(Number(nanoseconds) / 1e6).toFixed(2)} ms`
  const rows = trace.map((span, depth) => ({
    span: `${'  '.repeat(depth)}${span.kind} ${span.name}`,
    service: span.service,
    start: milliseconds(span.start - trace[0]!.start),
    duration: milliseconds(span.end - span.start),
    status: span.status,
  }))
  const titles = { span: 'span', service: 'service', start: 'begins', duration: 'takes', status: 'status' }
  printTable(titles, rows, (_, line) => line)
  const right = isNested(trace)
  say(right ? '\nEach is the parent of the next one.\n' : paint(31, '\nThe spans are not as expected.\n'))
  return right
}

function isNested(trace: readonly Span[]): boolean {
  const hops = trace.map(({ service, kind }) => `${kind} ${service}`).join()
  const parents = trace.every(({ parentSpanId }, i) => parentSpanId === (trace[i - 1]?.spanId ?? ''))
  return parents && hops === 'server checkout.shop,client checkout.shop,server payments.shop'
}

interface Series {
  metric: Record<string, string>
  value: [number, string]
}

/** Shows what Prometheus has counted. */
async function showMetrics(port: number): Promise<boolean> {
  const query =
    'sum by (reporter, source_workload, destination_workload, response_code) (istio_requests_total{destination_workload="payments"})'
  const url = `http://127.0.0.1:${port}/api/v1/query?query=${encodeURIComponent(query)}`
  // The other side of the same requests knows who payments is by what it says of itself.
  const isComplete = (result: readonly Series[]) =>
    result.length === 2 && result.every(({ value }) => Number(value[1]) === REQUESTS)
  const result = await eventually('Prometheus does not know all requests', async () => {
    const response = await fetch(url).catch(() => undefined)
    const answer = (await response?.json().catch(() => undefined)) as { data?: { result: Series[] } } | undefined
    return answer?.data && isComplete(answer.data.result) ? answer.data.result : undefined
  })
  const titles = {
    reporter: 'reporter',
    source: 'source',
    destination: 'destination',
    code: 'code',
    requests: 'requests',
  }
  const rows = result.map(({ metric, value }) => ({
    reporter: metric['reporter'] ?? '',
    source: metric['source_workload'] ?? '',
    destination: metric['destination_workload'] ?? '',
    code: metric['response_code'] ?? '',
    requests: value[1],
  }))
  say(paint(1, 'istio_requests_total\n'))
  printTable(
    titles,
    rows.sort((a, b) => (a.reporter < b.reporter ? -1 : 1)),
    (_, line) => line,
  )
  return rows.every(({ source, code }) => source === 'checkout' && code === '200')
}

async function suggest({ compose, port, adminPort }: Running): Promise<string> {
  const prometheus = await compose.port('prometheus', 9090)
  return `Try it:

  curl http://127.0.0.1:${port}/charge
  tail -n 1 ${SPANS}

  http://127.0.0.1:${prometheus}/graph?g0.expr=istio_requests_total    Prometheus
  http://127.0.0.1:${adminPort}/stats?filter=telemetry_items_total         spans sent`
}

await runDemo(demo)
