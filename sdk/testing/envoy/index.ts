/**
 * Real Envoy as a test host, and the pieces of which it is made.
 *
 * @module
 */
import { rmSync } from 'node:fs'
import type { Cluster, Host, HostOptions, LogLine, PluginOptions, UpstreamRequest } from '../types.ts'
import { HostStartError } from '../types.ts'
import { accessLogConfig } from './accesslog.ts'
import { buildBootstrap } from './bootstrap.ts'
import { authorityCertificate, issueCertificate } from './certificates.ts'
import { FilterChain } from './chain.ts'
import { routeConfig } from './clusters.ts'
import { Correlator } from './correlate.ts'
import { temporaryDirectory } from './files.ts'
import { metadataFilter } from './filters.ts'
import { dockerEnvoy } from './find.ts'
import { accessLogPath, EnvoyHost, LISTENER } from './host.ts'
import type { Json } from './json.ts'
import type { ListenerTls } from './listeners.ts'
import { EnvoyLog } from './logs.ts'
import { failureMessage, startEnvoy } from './process.ts'
import type { RecordedRequest } from './server/record.ts'
import { type RunningCluster, startCluster } from './server/index.ts'

export { type AdminAnswer } from './admin.ts'
export { accessLogConfig } from './accesslog.ts'
export { type BootstrapOptions, buildBootstrap } from './bootstrap.ts'
export { authorityCertificate, type Certificate, issueCertificate } from './certificates.ts'
export { type ClusterSpec, routeConfig } from './clusters.ts'
export { temporaryDirectory } from './files.ts'
export {
  discoveredFilter,
  type FilterKind,
  metadataFilter,
  placeModule,
  staticFilter,
  wasmFilter,
  writeFilterResource,
} from './filters.ts'
export {
  dockerEnvoy,
  type EnvoyBinary,
  findEnvoy,
  type FindOptions,
  installEnvoy,
  type InstallOptions,
  versionOf,
} from './find.ts'
export { extension, type Json, merge, typed } from './json.ts'
export { listenerConfig, type ListenerSpec, type ListenerTls } from './listeners.ts'
export { EnvoyLog, type EnvoyLogEntry, type WasmLogEntry } from './logs.ts'
export { EnvoyProcess, failureMessage, startEnvoy, type StartOptions } from './process.ts'
export { grpcFrame, grpcMessages } from '../grpc_frames.ts'
export { type RunningCluster, startCluster } from './server/index.ts'
export { compareVersions, ENVOY_VERSION, ENVOY_VERSIONS, envoyVersion } from './versions.ts'
export { cacheDirectory } from './wheel.ts'
export { EnvoyHost, LISTENER }

const DEFAULT_TRUST_DOMAIN = 'cluster.local'

/**
 * Starts Envoy with the filters, clusters and TLS that `options` ask for, and the servers behind it. Rejects with a
 * `HostStartError` when Envoy refuses a module or a configuration.
 */
export async function createEnvoyHost(
  options: HostOptions,
  name: 'envoy' | 'docker' = 'envoy',
): Promise<Host & EnvoyHost> {
  const directory = temporaryDirectory()
  const logs: LogLine[] = []
  const callouts: UpstreamRequest[] = []
  const correlator = new Correlator()
  const kind = options.type ?? 'http'
  const record = (recorded: RecordedRequest) => {
    if (recorded.request.cluster === 'upstream') correlator.record(recorded)
    else callouts.push(recorded.request)
  }
  const clusters = new Map<string, RunningCluster>()
  const log = new EnvoyLog()
  try {
    await startClusters(options, record, clusters)
    const chain = await FilterChain.create(directory, kind, plugins(options))
    log.onWasm = (entry) => logs.push({ level: entry.level, message: entry.message, plugin: chain.pluginOf(entry) })
    const envoy = await startEnvoy({
      bootstrap: await hostBootstrap(options, directory, chain, clusters),
      directory,
      log,
      workers: options.workers,
      logLevel: options.logLevel,
      ...(name === 'docker' && { binary: dockerEnvoy() }),
    })
    if ((await chain.refused(envoy)) > 0) {
      await envoy.settle()
      const message = failureMessage(log)
      await envoy.stop()
      throw new HostStartError(message)
    }
    return new EnvoyHost({ name, options, envoy, chain, correlator, logs, callouts, clusters: [...clusters.values()] })
  } catch (error) {
    await Promise.all([...clusters.values()].map((cluster) => cluster.close()))
    rmSync(directory, { recursive: true, force: true })
    throw error instanceof HostStartError ? new HostStartError(error.message, logs) : error
  }
}

function plugins(options: HostOptions): readonly PluginOptions[] {
  if (options.filters) return options.filters
  return options.wasm === undefined ? [] : [options as PluginOptions]
}

async function startClusters(
  options: HostOptions,
  record: (recorded: RecordedRequest) => void,
  running: Map<string, RunningCluster>,
): Promise<void> {
  const clusters: Record<string, Cluster> = { upstream: upstreamCluster(options), ...options.clusters }
  for (const [name, cluster] of Object.entries(clusters)) running.set(name, await startCluster(name, cluster, record))
}

function upstreamCluster({ type, upstream }: HostOptions): Cluster {
  if (typeof upstream === 'function') return { kind: 'http', handler: upstream }
  if (upstream) return upstream
  return type === 'network' ? { kind: 'tcp', handler: (data) => data } : { kind: 'http', handler: () => 'ok' }
}

async function hostBootstrap(
  options: HostOptions,
  directory: string,
  chain: FilterChain,
  clusters: ReadonlyMap<string, RunningCluster>,
): Promise<Json> {
  const filters = [...(options.metadata ? [metadataFilter(options.metadata)] : []), ...chain.config]
  const routes = routeConfig(options.routes ?? [{ cluster: 'upstream' }])
  const traffic =
    options.type === 'network'
      ? { tcp: { filters, cluster: 'upstream' } }
      : { http: { filters, routes, connectionManager: options.connectionManager } }
  const accessLog = accessLogConfig(accessLogPath(directory), options.filterState)
  const tls = options.tls && (await listenerTls(options.tls))
  return buildBootstrap({
    listeners: [{ name: LISTENER, ...options.listen, ...traffic, accessLog, tls }],
    clusters: Object.fromEntries([...clusters].map(([name, { spec }]) => [name, spec])),
    extra: options.bootstrap,
  })
}

async function listenerTls({
  trustDomain,
  permissive,
  identity,
}: NonNullable<HostOptions['tls']>): Promise<ListenerTls> {
  const domains = typeof trustDomain === 'string' ? [trustDomain] : (trustDomain ?? [DEFAULT_TRUST_DOMAIN])
  const own = domains.find((domain) => domain !== '*') ?? DEFAULT_TRUST_DOMAIN
  return {
    server: await issueCertificate(identity ?? `spiffe://${own}/ns/default/sa/default`),
    authority: await authorityCertificate(),
    ...(!domains.includes('*') && { trustDomains: domains }),
    permissive,
  }
}
