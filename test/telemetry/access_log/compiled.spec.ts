/** Telemetries, compiled, in the telemetry filter: metrics, spans, lines and flow records of the same requests. The same on both hosts. */
import { cluster, createHost, type Host } from '@meshscript/sdk/testing'
import { afterEach, expect, test } from 'vitest'
import { compileTelemetry } from '../../../cli/src/compile/telemetry/index.ts'
import { Diagnostics } from '../../../cli/src/resources/diagnostics.ts'
import { parseMeshConfig } from '../../../cli/src/resources/mesh-config.ts'
import { Source } from '../../../cli/src/resources/source.ts'
import filter from '../../../filters/telemetry-headers/assembly/index.ts?filter'

const TELEMETRIES = `
apiVersion: telemetry.istio.io/v1
kind: Telemetry
metadata: {name: mesh, namespace: istio-system}
spec:
  tracing: [{providers: [{name: zip}], randomSamplingPercentage: 1}]
  accessLogging: [{providers: [{name: envoy}]}]
---
apiVersion: telemetry.istio.io/v1
kind: Telemetry
metadata: {name: cart, namespace: shop}
spec:
  selector: {matchLabels: {app: cart}}
  tracing: [{randomSamplingPercentage: 100, customTags: {env: {literal: {value: test}}}}]
  accessLogging: [{providers: [{name: envoy}], filter: {expression: response.code >= 400}}]
`
const MESH = `
accessLogEncoding: JSON
extensionProviders: [{name: zip, zipkin: {service: ops/zipkin.ops.svc.cluster.local, port: 9411, path: /api/v2/spans}}]
`
const ZIPKIN = 'outbound|9411||zipkin.ops.svc.cluster.local'

interface ZipkinSpan {
  traceId: string
  localEndpoint: { serviceName: string }
  tags: Record<string, string>
}

let host: Host | undefined
afterEach(() => host?.close())

test('what the resources say comes to pass', async () => {
  const diagnostics = new Diagnostics()
  const mesh = parseMeshConfig(new Source('mesh.yaml', MESH), diagnostics)
  const { configuration } = compileTelemetry([new Source('telemetry.yaml', TELEMETRIES)], {
    workload: { namespace: 'shop', name: 'cart', labels: { app: 'cart' } },
    mesh,
    diagnostics,
    flows: { exporter: { cluster: 'observe' } },
  })
  expect(diagnostics.count('error')).toBe(0)
  // Not after seconds.
  const soon = { interval: '20ms' }
  const { traces, flows, ...rest } = configuration!
  host = await createHost({
    wasm: filter,
    configuration: { ...rest, traces: { ...traces, batch: soon }, flows: { ...flows, batch: soon } },
    clusters: { [ZIPKIN]: cluster.http(() => 202), observe: cluster.http(() => 200) },
    upstream: ({ path }) => Number(path.slice(1)),
  })
  const response = await host.request('/200')
  await host.request('/404')

  const bodies = (name: string) =>
    host!.callouts.filter((each) => each.cluster === name).map(({ body }) => body.toString())
  const spans = () => bodies(ZIPKIN).flatMap((body) => JSON.parse(body) as ZipkinSpan[])
  const records = () => bodies('observe').flatMap((body) => body.trimEnd().split('\n'))
  for (let i = 0; i < 100 && (spans().length < 2 || records().length < 2); i++) await host.advance('20ms')

  expect(spans()).toHaveLength(2)
  const [span] = spans()
  expect(span!.localEndpoint.serviceName).toBe('cart.shop')
  expect(span!.tags['env']).toBe('test')
  expect(response.upstream!.headers.get('x-b3-traceid')).toBe(span!.traceId)
  expect(host.callouts.find((each) => each.cluster === ZIPKIN)).toMatchObject({
    path: '/api/v2/spans',
    authority: 'zipkin.ops.svc.cluster.local',
  })

  const lines = host.logs.map(({ message }) => message).filter((line) => line.startsWith('{'))
  expect(lines.map((line) => (JSON.parse(line) as { path: string }).path)).toEqual(['/404'])
  expect(records().map((line) => (JSON.parse(line) as { flow: { l7: { http: { code: number } } } }).flow.l7.http.code)).toEqual([200, 404]) // prettier-ignore
  const counted = Object.entries(await host.metrics()).filter(([name]) => name.startsWith('istio_requests_total'))
  expect(counted.map(([, value]) => value)).toEqual([1, 1])
})
