/** What all parts of a host share. */
import type { Cluster, LogLevel, LogLine, UpstreamRequest } from '../types.ts'
import type { CelValue } from './cel.ts'
import type { Clock } from './clock.ts'
import type { Metrics } from './metrics.ts'
import type { SharedData, SharedQueues } from './shared.ts'
import type { Trace } from './trace.ts'

export interface HostServices {
  readonly clock: Clock
  readonly metrics: Metrics
  readonly sharedData: SharedData
  readonly queues: SharedQueues
  readonly clusters: ReadonlyMap<string, Cluster>
  readonly trace: Trace
  /** Lowest level that is kept. */
  readonly logLevel: number
  /** Attributes that a spec gives, by dotted path. */
  readonly properties: ReadonlyMap<string, CelValue>
  log(level: LogLevel, plugin: string, message: string): void
  /** A filter did what real Envoy does not survive: ends this host, too. */
  fault(message: string): never
  /** What Envoy itself would log. */
  note(message: string): void
  /** A request that reached a cluster. */
  record(request: UpstreamRequest): void
  /** Waits for what a handler promised. */
  pending(promise: Promise<void>): void
}

export type { LogLine }
