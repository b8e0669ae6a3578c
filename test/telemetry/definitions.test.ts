/** What the filters count is what `meshscript compile` says they do: bootstrap, dashboard and rules are made from its list. */
import type { Host, HostOptions, MetricValue } from '@meshscript/sdk/testing'
import { createNodeHost } from '@meshscript/sdk/testing/node/index'
import { afterEach, expect, test, vi } from 'vitest'
import { type MetricDefinition, STANDARD } from '../../cli/src/compile/telemetry/definitions.ts'
import { STANDARD_METRICS, type StandardMetric } from '../../cli/src/compile/telemetry/metrics.ts'
import requests from '../../filters/telemetry-grpc/assembly/index.ts?filter'
import connections from '../../filters/telemetry-tcp/assembly/index.ts?filter'

let host: Host | undefined
afterEach(() => host?.close())

const ofConnections = (key: string) => key.startsWith('TCP_')
const KEYS = Object.keys(STANDARD_METRICS) as StandardMetric[]

/** The filter, with all metrics of these keys. */
async function start(keys: readonly string[], options: HostOptions): Promise<Host> {
  const metrics = Object.fromEntries(keys.map((key) => [key, {}]))
  const configuration = { version: 1, reporter: 'destination', workload: { name: 'a', namespace: 'b' }, metrics }
  host = await createNodeHost({ configuration, ...options })
  return host
}

/** A metric as its name in Envoy shows it, which has the labels in it. */
function definitionOf([stat, value]: [string, MetricValue]): Omit<MetricDefinition, 'help'> {
  const labels = [...stat.matchAll(/\.(\w+)=\.=.*?;\.;/g)].map(([, label]) => label!)
  return { name: /^\w+/.exec(stat)![0], type: typeof value === 'number' ? 'counter' : 'histogram', labels }
}

/** Of the metrics of Istio, by name. */
async function counted(): Promise<Omit<MetricDefinition, 'help'>[]> {
  const found = Object.entries(await host!.metrics()).filter(([stat]) => stat.startsWith('istio_'))
  return sorted(found.map(definitionOf))
}

const sorted = <T extends { name: string }>(all: readonly T[]): T[] =>
  all.toSorted((a, b) => (a.name < b.name ? -1 : 1))

const defined = (keys: readonly StandardMetric[]) =>
  sorted(STANDARD.filter(({ name }) => keys.some((key) => STANDARD_METRICS[key] === name))).map(
    ({ name, type, labels }) => ({ name, type, labels: [...labels] }),
  )

test('of requests', async () => {
  const keys = KEYS.filter((key) => !ofConnections(key))
  const headers = { 'content-type': 'application/grpc' }
  const message = Buffer.from([0, 0, 0, 0, 1, 7])
  const started = await start(keys, { wasm: requests, upstream: () => ({ headers, body: message }) })
  await started.request('/a.B/C', { method: 'POST', headers, body: message })
  expect(await counted()).toEqual(defined(keys))
})

test('of connections', async () => {
  const keys = KEYS.filter(ofConnections)
  const started = await start(keys, { wasm: connections, type: 'network' })
  const connection = await started.connect()
  await connection.write('hello')
  await connection.read(5)
  await connection.end()
  await connection.whenClosed()
  await vi.waitFor(async () => expect(await counted()).toEqual(defined(keys)), 10_000)
})
