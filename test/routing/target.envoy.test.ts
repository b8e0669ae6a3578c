/** What `meshscript compile --target envoy` prints, run as a user runs it: `envoy -c`. */
import { installEnvoy } from '@meshscript/sdk/testing/envoy/index'
import { spawn } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { CliFolder } from '../../cli/src/testing.ts'
import { startStandalone, type Standalone } from './standalone.ts'

const shared = fileURLToPath(new URL('../../../shared/yaml/istio', import.meta.url))
const ROUTES = `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: reviews, namespace: default}
spec:
  hosts: [reviews]
  http:
  - match: [{headers: {end-user: {exact: jason}}}]
    route: [{destination: {host: reviews, subset: v2}}]
  - match: [{uri: {prefix: /copied}}]
    route: [{destination: {host: reviews, subset: v1}}]
    mirror: {host: ratings}
  - match: [{uri: {prefix: /aborted}}]
    fault: {abort: {percentage: {value: 100}, httpStatus: 418}}
    route: [{destination: {host: reviews, subset: v1}}]
  - route: [{destination: {host: reviews, subset: v1}}]
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: reviews, namespace: default}
spec:
  host: reviews
  trafficPolicy: {connectionPool: {tcp: {maxConnections: 10}}, outlierDetection: {consecutive5xxErrors: 50}}
  subsets: [{name: v1, labels: {version: v1}}, {name: v2, labels: {version: v2}}]
`
const COMPILE = 'compile routes.yaml --filter routing --workload default/productpage --port 9080'

let envoy: string
const folder = new CliFolder({ 'routes.yaml': ROUTES })
beforeAll(async () => {
  const binary = await installEnvoy()
  if (binary.kind === 'docker') throw new Error('this test needs an Envoy that is a program')
  envoy = binary.path
})
afterAll(() => folder.remove())

/** Whether Envoy takes a configuration; what it says. */
function validate(file: string): Promise<{ code: number | null; text: string }> {
  const child = spawn(envoy, ['--mode', 'validate', '-c', file, '-l', 'error'], { stdio: ['ignore', 'pipe', 'pipe'] })
  let text = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (text += chunk.toString()))
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, text })))
}

describe('a standalone Envoy', () => {
  const flags = '--filter routing --workload default/productpage --port 9080'
  let proxy: Standalone
  beforeAll(async () => {
    proxy = await startStandalone({ 'routes.yaml': ROUTES }, flags, ['reviews/v1', 'reviews/v2', 'ratings'])
  }, 60_000)
  afterAll(() => proxy.stop())

  const ask = (path: string, headers: Record<string, string> = {}) => proxy.ask('reviews:9080', path, headers)

  test('leads requests where the VirtualService says', async () => {
    expect(await ask('/', { 'end-user': 'jason' })).toMatchObject({ status: 200, text: 'reviews/v2' })
    expect(await ask('/', { 'end-user': 'other' })).toMatchObject({ status: 200, text: 'reviews/v1' })
    expect(proxy.seen('reviews/v2')).toEqual(['reviews:9080 / -'])
  })

  test('takes no cluster from clients', async () => {
    const headers = { 'x-meshscript-cluster': 'outbound|9080|v2|reviews.default.svc.cluster.local' }
    expect((await ask('/', headers)).text).toBe('reviews/v1')
    expect((await ask('/', { 'x-meshscript-native': 'm1' })).text).toBe('reviews/v1')
    expect(proxy.seen('ratings')).toEqual([])
  })

  test('copies', async () => {
    expect((await ask('/copied')).text).toBe('reviews/v1')
    await expect.poll(() => proxy.seen('ratings'), { timeout: 10_000 }).toEqual(['reviews:9080 /copied -'])
  })

  test('injects faults', async () => {
    expect(await ask('/aborted')).toMatchObject({ status: 418, text: 'fault filter abort' })
  })

  test('knows no other hosts', async () => {
    expect((await proxy.ask('other', '/')).status).toBe(404)
  })
})

describe('clusters', () => {
  const POD = (name: string, version: string, ip: string) => `
apiVersion: v1
kind: Pod
metadata: {name: ${name}, namespace: default, labels: {app: reviews, version: ${version}}}
spec: {serviceAccountName: reviews, containers: [{name: a, image: a, ports: [{name: web, containerPort: 8080}]}]}
status: {podIP: ${ip}}
---`
  const SERVICE = (port: string) => `
apiVersion: v1
kind: Service
metadata: {name: reviews, namespace: default}
spec: {clusterIP: 10.0.0.9, selector: {app: reviews}, ports: [${port}]}
---`
  const rule = (policy: string) => ROUTES.replace(/trafficPolicy: .*/, `trafficPolicy: ${policy}`)
  const compile = async (text: string, flags = '') => {
    folder.write('routes.yaml', text)
    return folder.run(`${COMPILE} --target envoy ${flags}`)
  }

  test('have the pods of their subset, and the port that they listen on', async () => {
    const pods = POD('a', 'v1', '10.1.0.1') + POD('b', 'v1', '10.1.0.2') + POD('c', 'v2', '10.1.0.3')
    const { code, stdout, stderr } = await compile(pods + SERVICE('{name: grpc-web, port: 9080, targetPort: web}') + ROUTES)
    expect([code, stderr]).toEqual([0, ''])
    expect([...stdout.matchAll(/address: (10\.\S+)\n\s+port_value: (\d+)/g)].map(([, ...found]) => found)).toEqual([
      ['10.1.0.3', '8080'],
      ['10.1.0.1', '8080'],
      ['10.1.0.2', '8080'],
    ])
    expect(stdout).toContain('max_connections: 10')
    expect(stdout).toContain('consecutive_5xx: 50')
  }) // prettier-ignore

  test('of names are looked up; of a subset that is said', async () => {
    const { code, stdout, stderr } = await compile(SERVICE('{name: http2, port: 9080}') + ROUTES)
    expect(code).toBe(0)
    expect(stdout).toContain('type: STRICT_DNS')
    expect(stdout).toContain('http2_protocol_options')
    expect(stderr).toContain('warning MS1221: the endpoints of the subset v1 of reviews.default.svc.cluster.local')
  })

  test('check the certificates of whom they ask', async () => {
    const pods = POD('a', 'v1', '10.1.0.1') + SERVICE('{port: 9080}')
    const { stdout } = await compile(pods + rule('{tls: {mode: ISTIO_MUTUAL}}'), '--certificates /etc/certs')
    expect(stdout).toContain('filename: /etc/certs/root-cert.pem')
    expect(stdout).toContain('exact: spiffe://cluster.local/ns/default/sa/reviews')
  })

  test.each([
    ['{tls: {mode: ISTIO_MUTUAL}}', 'trafficPolicy.tls.mode', 'give --certificates FOLDER'],
    ['{tls: {mode: SIMPLE}}', 'trafficPolicy.tls.mode', 'write caCertificates'],
    ['{loadBalancer: {consistentHash: {httpHeaderName: a}}}', 'trafficPolicy.loadBalancer', 'sticky'],
    ['{tunnel: {targetHost: a, targetPort: 1}}', 'trafficPolicy.tunnel', 'remove it'],
    [
      '{portLevelSettings: [{port: {number: 9080}, tls: {mode: SIMPLE}}]}',
      'trafficPolicy.portLevelSettings[0].tls.mode',
      'write caCertificates',
    ],
  ])('%s is refused', async (policy, field, hint) => {
    const { code, stdout, stderr } = await compile(rule(policy))
    expect([code, stdout]).toEqual([1, ''])
    expect(stderr).toContain('error MS1301')
    expect(stderr).toContain(`spec.${field}`)
    expect(stderr).toContain(hint)
  })

  test.each([
    ['--filter fault --target envoy', "option '--target' is for --filter routing and telemetry only"],
    ['--filter routing --listen 127.0.0.1:1', "option '--listen' is for --target envoy only"],
    ['--filter routing --target istio', "--target istio needs '--image <IMAGE>'"],
    ['--filter routing --target envoy --image oci://a/b:c', "option '--image' is for --target istio only"],
    ['--filter routing --target envoy --endpoint a', 'expected HOST=HOST:PORT or HOST/SUBSET=HOST:PORT'],
  ])('%s is a mistake', async (flags, message) => {
    const { code, stderr } = await folder.run(`compile routes.yaml --workload a/b ${flags}`)
    expect(code).toBe(2)
    expect(stderr).toContain(message)
  })
})

// A published copy has no examples of other projects.
if (existsSync(shared))
  test('Envoy takes what is made of all examples', { timeout: 60_000 }, async () => {
    const files = readdirSync(shared).filter((name) => /^(virtual-service|fault|destination-rule|egress)/.test(name))
    const examples = new CliFolder()
    try {
      const results = []
      for (const name of files) {
        examples.copy(join(shared, name), name)
        const port = name.startsWith('egress') ? 80 : 9080
        const flags = `--filter routing --workload default/productpage --port ${port} --target envoy -n default`
        const compiled = await examples.run(`compile ${name} ${flags} -o ${name}.envoy.yaml`)
        const { code, text } = compiled.code ? { code: -1, text: compiled.stderr } : await validate(join(examples.path, `${name}.envoy.yaml`)) // prettier-ignore
        results.push([name, code, code ? text : ''])
      }
      // Google's certificate is checked against no authority there.
      const refused = expect.stringContaining('write caCertificates') as string
      expect(results).toEqual(files.map((name) => (name.startsWith('egress') ? [name, -1, refused] : [name, 0, ''])))
    } finally {
      examples.remove()
    }
  })
