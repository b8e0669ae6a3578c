/** Real servers for the clusters of a test. */
import type { Cluster } from '../../types.ts'
import { CLOSED_PORT, type ClusterSpec } from '../clusters.ts'
import { startGrpc } from './grpc.ts'
import { startHttp1 } from './http1.ts'
import { startHttp2 } from './http2.ts'
import type { ClusterServer, Recorder } from './record.ts'
import { startTcp } from './tcp.ts'

export interface RunningCluster {
  /** How Envoy reaches it. */
  spec: ClusterSpec
  close(): Promise<void>
}

/** Starts what `cluster` describes; nothing listens for a refused one. */
export async function startCluster(name: string, cluster: Cluster, record: Recorder): Promise<RunningCluster> {
  if (cluster.kind === 'refused') {
    return { spec: { endpoints: [{ host: '127.0.0.1', port: CLOSED_PORT }] }, close: async () => {} }
  }
  const server = await startServer(name, cluster, record)
  const { port, protocol } = server
  return { spec: { endpoints: [{ host: '127.0.0.1', port }], protocol }, close: () => server.close() }
}

function startServer(
  name: string,
  cluster: Exclude<Cluster, { kind: 'refused' }>,
  record: Recorder,
): Promise<ClusterServer> {
  switch (cluster.kind) {
    case 'http':
      return (cluster.protocol === 'http2' ? startHttp2 : startHttp1)(name, cluster.handler, record)
    case 'grpc':
      return startGrpc(name, cluster.methods, record)
    case 'tcp':
      return startTcp(cluster.handler)
  }
}
