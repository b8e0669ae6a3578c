import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import type { TelemetryConfig } from '../compile/telemetry/model.ts'
import { CliFolder } from '../testing.ts'

const TELEMETRY = `
apiVersion: telemetry.istio.io/v1
kind: Telemetry
metadata: {name: cart, namespace: shop}
spec:
  tracing: [{providers: [{name: otlp}], randomSamplingPercentage: 100}]
  accessLogging: [{providers: [{name: envoy}], filter: {expression: response.code >= 400}}]
`
const MESH =
  'accessLogEncoding: JSON\n' +
  'extensionProviders:\n' +
  '- {name: otlp, opentelemetry: {service: collector.ops.svc.cluster.local, port: 4318, http: {path: /v1/traces}}}\n'
const COLLECTOR = 'outbound|4318||collector.ops.svc.cluster.local'
const COMPILE =
  'compile telemetry.yaml --filter telemetry --workload shop/cart --labels app=cart --mesh-config mesh.yaml'

let folder: CliFolder
beforeEach(() => {
  folder = new CliFolder({ 'telemetry.yaml': TELEMETRY, 'mesh.yaml': MESH })
})
afterEach(() => folder.remove())

const compile = async (flags = '') => {
  const result = await folder.run(`${COMPILE} ${flags}`)
  return { ...result, config: result.stdout ? (parse(result.stdout) as TelemetryConfig) : undefined }
}
interface Cluster {
  name: string
  type: string
  load_assignment: { endpoints: { lb_endpoints: { endpoint: { address: { socket_address: object } } }[] }[] }
}
const clustersOf = (stdout: string) =>
  (parse(stdout) as { static_resources?: { clusters: Cluster[] } }).static_resources?.clusters ?? []
const endpointOf = ({ load_assignment }: Cluster) =>
  load_assignment.endpoints[0]!.lb_endpoints[0]!.endpoint.address.socket_address

test('all parts, and that istiod has Envoy do two of them', async () => {
  const { code, stderr, config } = await compile()
  expect(code).toBe(0)
  expect(stderr).toContain('info MS1415')
  expect(stderr).toContain('--parts metrics')
  expect(config?.traces?.exporter?.cluster).toBe(COLLECTOR)
  expect(config?.accessLog).toEqual([{ format: 'json', filter: 'response.code >= 400' }])
  expect(config?.metrics?.REQUEST_COUNT).toEqual({})
  expect(config?.flows).toBeUndefined()
})

test('some parts', async () => {
  const { stderr, config } = await compile('--parts metrics')
  expect(stderr).toBe('')
  expect(Object.keys(config!)).toEqual(['version', 'reporter', 'workload', 'metadataExchange', 'metrics'])
  const two = await compile('--parts accessLog,traces')
  expect(Object.keys(two.config!)).toEqual(expect.arrayContaining(['traces', 'accessLog']))
  expect(two.config!.metrics).toBeUndefined()
})

test.each([
  ['log', { log: true }],
  ['cluster=observe', { exporter: { cluster: 'observe' } }],
  ['log,cluster=observe,path=/in,authority=a.b', { exporter: { cluster: 'observe', authority: 'a.b', path: '/in' }, log: true }], // prettier-ignore
])('flow records: %s', async (text, flows) => {
  expect((await compile(`--flows ${text}`)).config?.flows).toEqual(flows)
})

describe('clusters of receivers', () => {
  test('are those of Services, by their names, pods or as given', async () => {
    const names = await folder.run(`${COMPILE} --bootstrap --target envoy`)
    expect(names.code).toBe(0)
    expect(clustersOf(names.stdout)).toMatchObject([{ name: COLLECTOR, type: 'STRICT_DNS' }])
    folder.write(
      'pods.yaml',
      'apiVersion: v1\nkind: Service\nmetadata: {name: collector, namespace: ops}\n' +
        'spec: {selector: {app: c}, ports: [{name: http, port: 4318, targetPort: 14318}]}\n---\n' +
        'apiVersion: v1\nkind: Pod\nmetadata: {name: c-1, namespace: ops, labels: {app: c}}\n' +
        'spec: {containers: [{name: c, image: c}]}\nstatus: {podIP: 10.0.0.7}\n',
    )
    const pods = await folder.run(`${COMPILE.replace('telemetry.yaml', 'telemetry.yaml pods.yaml')} --bootstrap --target envoy`) // prettier-ignore
    const [cluster] = clustersOf(pods.stdout)
    expect(cluster).toMatchObject({ name: COLLECTOR, type: 'STATIC' })
    expect(endpointOf(cluster!)).toEqual({ address: '10.0.0.7', port_value: 14318 })
    const given = await folder.run(
      `${COMPILE} --bootstrap --target envoy --endpoint collector.ops.svc.cluster.local=127.0.0.1:1 ` +
        `--flows cluster=observe --endpoint observe=localhost:2`,
    )
    expect(clustersOf(given.stdout).map((each) => [each.name, each.type, endpointOf(each)])).toEqual([
      [COLLECTOR, 'STATIC', { address: '127.0.0.1', port_value: 1 }],
      ['observe', 'STRICT_DNS', { address: 'localhost', port_value: 2 }],
    ])
  })

  test('are asked for where they are not known', async () => {
    const { code, stdout, stderr } = await folder.run(`${COMPILE} --bootstrap --target envoy --flows cluster=observe`)
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toContain('error MS1221')
    expect(stderr).toContain('--endpoint observe=HOST:PORT')
  })

  test('are not there without a target: a mesh has its own', async () => {
    const { stdout } = await folder.run(`${COMPILE} --bootstrap`)
    expect(clustersOf(stdout)).toEqual([])
    expect(stdout).toContain('stats_tags')
  })
})

test.each([
  ['--filter telemetry --parts metrics,spans', '"spans" is none of metrics, traces, accessLog'],
  ['--filter telemetry --flows here', 'expected log or cluster=NAME'],
  ['--filter telemetry --flows path=/a', 'expected cluster=NAME beside'],
  ['--filter telemetry --flows cluster=a,path=b', 'begins with /'],
  ['--filter routing --parts metrics', "option '--parts' is for --filter telemetry only"],
  ['--filter fault --flows log', "option '--flows' is for --filter telemetry only"],
  ['--filter routing --bootstrap', "option '--bootstrap' is for --filter telemetry only"],
  ['--filter telemetry --target envoy', 'only --bootstrap has a target'],
  ['--filter telemetry --bootstrap --target istio --image oci://a/b:c', 'only --bootstrap has a target'],
  ['--filter telemetry --bootstrap --target envoy --listen a:1', "option '--listen' is for --filter routing only"],
])('%s is a mistake', async (flags, message) => {
  const { code, stderr } = await folder.run(`compile telemetry.yaml --workload shop/cart ${flags}`)
  expect(code).toBe(2)
  expect(stderr).toContain(message)
})
