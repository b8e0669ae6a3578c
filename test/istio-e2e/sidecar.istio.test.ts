/**
 * The authorization filter in a sidecar of the real Istio, with workload certificates from istiod on both sides.
 * First istiod enforces the policy of the chapters with Envoy's own filter, then ours does: the decisions must be the same.
 */

import { createServer, type Server } from 'node:http'
import { request } from 'node:https'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { CliFolder, type CliResult } from '../../cli/src/testing.ts'
import { type DemoRequest, requests } from '../../examples/payments/requests.ts'
import { root } from '../../scripts/lib/steps.mjs'
import { Cluster } from './cluster.ts'
import { type Certificate, type Proxy, startProxy, workloadCertificate } from './istio.ts'
import { freePorts } from '../free-ports.ts'
import { eventually } from './program.ts'

const POLICY = join(root, 'examples/payments/policy.yaml')
/** Of the pod. Nothing is intercepted here: the sidecar listens on it by itself. */
const ADDRESS = '127.0.0.10'
const LABELS = { app: 'payments' }

const shared = inject('istio')
const cluster = new Cluster(shared.kubeconfig, shared.binaries)
const folder = new CliFolder()
const certificates = new Map<string, Certificate>()
let app: Server
let port: number
let sidecar: Proxy

const env = { PATH: process.env['PATH'] ?? '', KUBECONFIG: shared.kubeconfig }
async function cli(...args: string[]): Promise<CliResult> {
  const result = await folder.run(args, { env })
  expect(result.code, result.stdout + result.stderr).toBe(0)
  return result
}

beforeAll(async () => {
  ;[port] = (await freePorts(1)) as [number]
  app = createServer((_, response) => response.end('charged'))
  await new Promise<void>((resolve) => app.listen(0, '127.0.0.1', resolve))
  const { port: appPort } = app.address() as { port: number }
  const metadata = { name: 'payments', namespace: 'payments' }
  for (const name of ['payments', 'frontend', 'backend'])
    await cluster.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })
  const ingress = {
    port: { number: port, protocol: 'HTTP', name: 'http' },
    bind: ADDRESS,
    captureMode: 'NONE',
    defaultEndpoint: `127.0.0.1:${appPort}`,
  }
  await cluster.apply(
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata },
    { apiVersion: 'v1', kind: 'Service', metadata, spec: { selector: LABELS, ports: [{ name: 'http', port }] } },
    {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { ...metadata, labels: LABELS },
      spec: { serviceAccountName: 'payments', nodeName: 'none', containers: [{ name: 'app', image: 'none' }] },
    },
    {
      apiVersion: 'networking.istio.io/v1',
      kind: 'Sidecar',
      metadata,
      spec: { workloadSelector: { labels: LABELS }, ingress: [ingress] },
    },
    {
      apiVersion: 'security.istio.io/v1',
      kind: 'PeerAuthentication',
      metadata,
      spec: { mtls: { mode: 'STRICT' } },
    },
  )
  const running = { podIP: ADDRESS, podIPs: [{ ip: ADDRESS }], phase: 'Running' }
  await cluster.kubectl(
    ...['patch', 'pod', 'payments', '-n', 'payments', '--subresource=status', '--type=merge'],
    ...['-p', JSON.stringify({ status: running })],
  )
  sidecar = await startProxy(cluster, shared, {
    name: 'payments',
    namespace: 'payments',
    serviceAccount: 'payments',
    labels: LABELS,
    type: 'sidecar',
    address: ADDRESS,
    env: { ISTIO_META_INTERCEPTION_MODE: 'NONE' },
  })
  for (const peer of new Set(requests.map(({ peer }) => peer))) {
    const [, namespace, , serviceAccount] = peer.split('/') as [string, string, string, string]
    const name = `${namespace}-${serviceAccount}`
    certificates.set(peer, await workloadCertificate(cluster, shared, { name, namespace, serviceAccount }))
  }
  await eventually('listening', async () => (await decisions()).every((decision) => decision === ALLOWED))
}, 240_000)

afterAll(async () => {
  await sidecar?.stop()
  await new Promise((resolve) => app?.close(resolve))
  folder.remove()
}, 30_000)

const ALLOWED = '200 charged'
const DENIED = '403 RBAC: access denied'
const expected = requests.map(({ expected }) => (expected === 'allow' ? ALLOWED : DENIED))

/** What the sidecar answers to each request, sent with the certificate of its workload. */
const decisions = () => Promise.all(requests.map(ask))

function ask({ method, path, headers = {}, peer }: Omit<DemoRequest, 'expected' | 'policy'>): Promise<string> {
  const options = {
    host: ADDRESS,
    port,
    method,
    path,
    headers: { host: 'payments', ...headers },
    ...certificates.get(peer),
    // Workload certificates name a SPIFFE identity, not a host.
    checkServerIdentity: () => undefined,
    agent: false,
  }
  return new Promise((resolve, reject) => {
    request(options, (response) => {
      let body = ''
      response.setEncoding('utf8').on('data', (text: string) => (body += text))
      response.on('end', () => resolve(`${response.statusCode} ${body}`))
    })
      .once('error', reject)
      .end()
  })
}

test('without a policy all requests pass, but none without a certificate', async () => {
  expect(await decisions()).toEqual(requests.map(() => ALLOWED))
  await expect(ask({ ...requests[0]!, peer: 'none' })).rejects.toThrow()
})

test("Istio's own enforcement decides as recorded", async () => {
  await cluster.kubectl('apply', '-f', POLICY)
  await eventually('enforced', async () => (await decisions()).includes(DENIED))
  expect(await decisions()).toEqual(expected)
  await cluster.kubectl('delete', '-f', POLICY)
  await eventually('open', async () => !(await decisions()).includes(DENIED))
})

test('the filter as WasmPlugin decides the same', async () => {
  folder.copy(POLICY, 'policy.yaml')
  folder.copy(join(root, 'filters/dist/authorization.wasm'), 'authorization.wasm')
  const image = `oci://${shared.registry}/team/authorization:v1`
  await cli('push', 'authorization.wasm', image, '--insecure')
  await cli(
    ...['compile', 'policy.yaml', '--workload', 'payments/payments', '--labels', 'app=payments'],
    ...['--filter', 'authorization', '-o', 'authorization.json'],
  )
  await cli(
    ...['deploy', image, '--insecure', '--apply', '-n', 'payments', '--phase', 'AUTHZ', '--selector', 'app=payments'],
    ...['--config', 'authorization.json'],
  )
  await eventually('enforced', async () => (await decisions()).includes(DENIED))
  expect(await decisions()).toEqual(expected)
  await cli('status', 'authorization', '-n', 'payments', '--insecure', '--proxy', sidecar.admin)
})
