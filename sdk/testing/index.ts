/**
 * Test hosts for filters.
 *
 * @module
 */
import type { Host, HostOptions } from './types.ts'

export { cluster } from './cluster.ts'
export * from './types.ts'

/** Starts the host that the environment variable HOST names: `node` (default), `envoy` or `docker`. */
export async function createHost(options: HostOptions): Promise<Host> {
  const name = process.env['HOST'] ?? 'node'
  if (name === 'envoy' || name === 'docker') {
    const { createEnvoyHost } = await import('./envoy/index.ts')
    return createEnvoyHost(options, name)
  }
  const { createNodeHost } = await import('./node/index.ts')
  return createNodeHost(options)
}
