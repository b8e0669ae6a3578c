/** A complete bootstrap for Envoy. */
import { clusterConfig, type ClusterSpec } from './clusters.ts'
import { type Json, merge } from './json.ts'
import { listenerConfig, type ListenerSpec } from './listeners.ts'

export interface BootstrapOptions {
  listeners?: readonly ListenerSpec[]
  clusters?: Record<string, ClusterSpec>
  /** Default: a free one on 127.0.0.1. */
  admin?: { address?: string; port?: number }
  /** Merged into the result: objects into objects, lists appended to lists. */
  extra?: Json
}

/** Builds the bootstrap. Port 0 lets the system choose: `startEnvoy` reports what it chose. */
export function buildBootstrap({ listeners = [], clusters = {}, admin, extra }: BootstrapOptions): Json {
  const base: Json = {
    // Discovery (ECDS), from files too, wants Envoy to have a name.
    node: { id: 'meshscript', cluster: 'meshscript' },
    admin: {
      address: { socket_address: { address: admin?.address ?? '127.0.0.1', port_value: admin?.port ?? 0 } },
    },
    // Histograms are merged whenever the admin interface is asked, rather than every five seconds.
    stats_flush_on_admin: true,
    static_resources: {
      listeners: listeners.map(listenerConfig),
      clusters: Object.entries(clusters).map(([name, spec]) => clusterConfig(name, spec)),
    },
  }
  return merge(base, extra)
}
