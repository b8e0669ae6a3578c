/** The real control plane, and the proxies that it configures: pilot-agent with Envoy, as in a gateway or beside a workload. */

import { createPrivateKey, X509Certificate } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Cluster } from './cluster.ts'
import { freePorts } from '../free-ports.ts'
import { Program } from './program.ts'
import type { Shared } from './setup.ts'

/** Where the agent keeps fetched modules; fixed in its code. Without it every plugin becomes a deny-all filter. */
export const AGENT_DATA = '/var/lib/istio/data'

export interface Istiod {
  /** Of its XDS and certificate service, by the name in its certificate. */
  address: string
  stop(): Promise<void>
}

export async function startIstiod(cluster: Cluster, binaries: string, folder: string): Promise<Istiod> {
  await cluster.kubectl('apply', '--server-side', '-f', join(binaries, 'crds.yaml'))
  await cluster.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'istio-system' } })
  const meshConfig = join(folder, 'mesh.json')
  writeFileSync(
    meshConfig,
    JSON.stringify({ enablePrometheusMerge: false, defaultProviders: {}, rootNamespace: 'istio-system' }),
  )
  const [http, grpc, secure, monitoring] = await freePorts(4)
  const program = new Program(
    'istiod',
    folder,
    join(binaries, 'pilot-discovery'),
    [
      'discovery',
      ...['--kubeconfig', cluster.kubeconfig, '--meshConfig', meshConfig],
      ...['--httpAddr', `127.0.0.1:${http}`, '--httpsAddr', '', '--grpcAddr', `127.0.0.1:${grpc}`],
      ...[
        '--secureGRPCAddr',
        `127.0.0.1:${secure}`,
        '--monitoringAddr',
        `127.0.0.1:${monitoring}`,
        '--ctrlz_port',
        '0',
      ],
    ],
    {
      cwd: folder,
      env: {
        POD_NAMESPACE: 'istio-system',
        POD_NAME: 'istiod',
        CLUSTER_ID: 'Kubernetes',
        REVISION: 'default',
        PILOT_CERT_PROVIDER: 'istiod',
        ISTIOD_CUSTOM_HOST: 'localhost',
        // Envoy from PyPI has none of Istio's own filters.
        PILOT_ENABLE_ALPN_FILTER: 'false',
        PILOT_ENABLE_METADATA_EXCHANGE: 'false',
        PILOT_ENABLE_TELEMETRY_LABEL: 'false',
      },
    },
  )
  try {
    await program.until('ready', async () => (await fetch(`http://127.0.0.1:${http}/ready`)).ok, 90)
    await program.until('root certificate published', async () => (await rootCertificate(cluster)) !== '', 60)
  } catch (error) {
    await program.stop()
    throw error
  }
  return { address: `localhost:${secure}`, stop: () => program.stop() }
}

export function rootCertificate(cluster: Cluster): Promise<string> {
  const path = 'jsonpath={.data.root-cert\\.pem}'
  return cluster.kubectl('get', 'configmap', 'istio-ca-root-cert', '-n', 'istio-system', '-o', path)
}

/** Who an agent is: a pod, of a service account. */
export interface Workload {
  name: string
  namespace: string
  serviceAccount: string
  labels: Record<string, string>
  type: 'router' | 'sidecar'
  /** Its own address; loopback has many. Default 127.0.0.1. */
  address?: string
  env?: Record<string, string>
}

export interface Proxy {
  /** `127.0.0.1:PORT` of Envoy's admin interface. */
  admin: string
  stop(): Promise<void>
}

/** The agent with its Envoy, once that has its configuration from istiod. */
export async function startProxy(cluster: Cluster, shared: Shared, workload: Workload): Promise<Proxy> {
  const [admin] = (await freePorts(1)) as [number]
  const program = await startAgent(cluster, shared, workload, { binaryPath: shared.envoy, proxyAdminPort: admin })
  try {
    await program.until('live', async () => (await fetch(`http://127.0.0.1:${admin}/ready`)).ok, 90)
  } catch (error) {
    await program.stop()
    throw error
  }
  return { admin: `127.0.0.1:${admin}`, stop: () => program.stop() }
}

export interface Certificate {
  cert: string
  key: string
  ca: string
}

/** The workload certificate that the agent of a workload gets from istiod. */
export async function workloadCertificate(
  cluster: Cluster,
  shared: Shared,
  workload: Omit<Workload, 'type' | 'labels'>,
): Promise<Certificate> {
  const folder = join(shared.folder, workload.name, 'certificates')
  mkdirSync(folder, { recursive: true })
  const env = { ...workload.env, DISABLE_ENVOY: 'true', OUTPUT_CERTS: folder }
  const program = await startAgent(cluster, shared, { labels: {}, type: 'router', ...workload, env }, {})
  const read = (name: string) => readFileSync(join(folder, name), 'utf8')
  const pair = () => ({ cert: read('cert-chain.pem'), key: read('key.pem'), ca: read('root-cert.pem') })
  try {
    await program.until('certified', () =>
      new X509Certificate(pair().cert).checkPrivateKey(createPrivateKey(pair().key)),
    )
    return pair()
  } finally {
    await program.stop()
  }
}

async function startAgent(
  cluster: Cluster,
  { folder, binaries, istiod }: Shared,
  workload: Workload,
  proxyConfig: Record<string, unknown>,
): Promise<Program> {
  const { name, namespace, serviceAccount, labels, type, address = '127.0.0.1', env } = workload
  const home = join(folder, name)
  for (const needed of ['var/run/secrets/tokens', 'etc/istio/proxy']) mkdirSync(join(home, needed), { recursive: true })
  await cluster.apply({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: serviceAccount, namespace } })
  const token = await cluster.kubectl('create', 'token', serviceAccount, '-n', namespace, '--audience', 'istio-ca')
  writeFileSync(join(home, 'var/run/secrets/tokens/istio-token'), token.trim())
  const root = join(home, 'root-cert.pem')
  writeFileSync(root, await rootCertificate(cluster))
  const [status, health, prometheus] = await freePorts(3)
  const args = ['--domain', `${namespace}.svc.cluster.local`, '--templateFile', join(binaries, 'envoy_bootstrap.json')]
  return new Program(name, folder, join(binaries, 'pilot-agent'), ['proxy', type, ...args], {
    cwd: home,
    env: {
      POD_NAME: name,
      POD_NAMESPACE: namespace,
      SERVICE_ACCOUNT: serviceAccount,
      INSTANCE_IP: address,
      ISTIO_META_CLUSTER_ID: 'Kubernetes',
      ISTIO_METAJSON_LABELS: JSON.stringify(labels),
      CA_ADDR: istiod,
      PILOT_CERT_PROVIDER: 'istiod',
      TRUST_DOMAIN: 'cluster.local',
      XDS_ROOT_CA: root,
      CA_ROOT_CA: root,
      WASM_INSECURE_REGISTRIES: '*',
      ENVOY_STATUS_PORT: String(health),
      ENVOY_PROMETHEUS_PORT: String(prometheus),
      PROXY_CONFIG: JSON.stringify({
        discoveryAddress: istiod,
        configPath: './etc/istio/proxy',
        statusPort: status,
        concurrency: 2,
        terminationDrainDuration: '0.1s',
        ...proxyConfig,
      }),
      ...env,
    },
  })
}
