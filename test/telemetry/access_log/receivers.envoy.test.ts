/** The clusters that `--bootstrap --target envoy` prints lead real Envoy to the receivers. */
import { createEnvoyHost, type Json } from '@meshscript/sdk/testing/envoy/index'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { parse } from 'yaml'
import { CliFolder } from '../../../cli/src/testing.ts'
import filter from '../../../filters/telemetry/assembly/index.ts?filter'

const TELEMETRY = `
apiVersion: telemetry.istio.io/v1
kind: Telemetry
metadata: {name: cart, namespace: shop}
spec:
  tracing: [{providers: [{name: otlp}], randomSamplingPercentage: 100}]
`
const MESH = `
extensionProviders:
- name: otlp
  opentelemetry: {service: collector.ops.svc.cluster.local, port: 4318, http: {path: /v1/traces, headers: [{name: X-Key, value: k}]}}
`
const COMPILE =
  'compile telemetry.yaml --filter telemetry --workload shop/cart --mesh-config mesh.yaml --flows cluster=observe'

const folder = new CliFolder({ 'telemetry.yaml': TELEMETRY, 'mesh.yaml': MESH })
const servers: Server[] = []
let close: (() => Promise<void>) | undefined
afterEach(async () => {
  await close?.()
  for (const server of servers) server.close()
  folder.remove()
})

interface Seen {
  url: string | undefined
  host: string | undefined
  key: string | undefined
}

async function receiver(): Promise<{ address: string; seen: Seen[] }> {
  const seen: Seen[] = []
  const server = createServer((request, response) => {
    const { host, 'x-key': key } = request.headers
    seen.push({ url: request.url, host, key: key as string | undefined })
    request.resume().on('end', () => response.end('{}'))
  })
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { address: `127.0.0.1:${(server.address() as AddressInfo).port}`, seen }
}

test('receivers of spans and of flow records get theirs', { timeout: 60_000 }, async () => {
  const [collector, observe] = [await receiver(), await receiver()]
  const endpoints = `--endpoint collector.ops.svc.cluster.local=${collector.address} --endpoint observe=${observe.address}`
  const configuration = await folder.run(COMPILE)
  const bootstrap = await folder.run(`${COMPILE} --bootstrap --target envoy ${endpoints}`)
  expect([configuration.code, bootstrap.code]).toEqual([0, 0])
  const host = await createEnvoyHost({
    wasm: filter,
    configuration: configuration.stdout,
    bootstrap: parse(bootstrap.stdout) as Json,
  })
  close = () => host.close()
  await host.request('/')
  const wait = { timeout: 20_000 }
  const ofSpans = { url: '/v1/traces', host: 'collector.ops.svc.cluster.local', key: 'k' }
  await expect.poll(() => collector.seen, wait).toEqual([ofSpans])
  await expect.poll(() => observe.seen, wait).toEqual([{ url: '/flows', host: 'observe', key: undefined }])
  const counted = async () => (await host.envoy.admin('/stats/prometheus?filter=telemetry_items_total')).text
  await expect.poll(counted, wait).toContain('telemetry_items_total{signal="spans",result="sent"} 1')
  await expect.poll(counted, wait).toContain('telemetry_items_total{signal="flows",result="sent"} 1')
})
