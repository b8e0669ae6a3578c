/**
 * Test hosts for proxy-wasm filters: the same specs run in this process and in real Envoy.
 *
 *     const host = await createHost({ wasm, clusters: { auth: cluster.http(() => 200) } })
 *     expect(await host.request('/x')).toBeDenied(403)
 *
 * @module
 */
import { createNodeHost } from './node/index.ts'
import type { Host, HostName, HostOptions } from './types.ts'

export { cluster } from './cluster.ts'
export { headerList, headerPairs } from './headers.ts'
export { type ExpectedRequest, type FilterMatchers, matchers } from './matchers.ts'
export type { MetricLabels } from './metric_matcher.ts'
export type { ExpectedSpan } from './span_matcher.ts'
export { type Span, spansOf } from './spans.ts'
export type {} from './vitest.ts'
export { createNodeHost, type LeakReport, NodeHost, type NodeHostOptions, type NodeRequestInit } from './node/index.ts'
export * from './types.ts'

// Whoever runs specs has vitest; who only starts proxies need not.
if (process.env['VITEST']) await import('./vitest.ts')

/** The host that the environment variable `HOST` names: `node` (default), `envoy` or `docker`. */
export function hostName(): HostName {
  const name = process.env['HOST'] ?? 'node'
  if (name === 'node' || name === 'envoy' || name === 'docker') return name
  throw new Error(`HOST is '${name}'; it has to be node, envoy or docker`)
}

/** Starts a host of the kind that `HOST` names. Rejects with a `HostStartError` where the proxy refuses to start. */
export async function createHost(options: HostOptions): Promise<Host> {
  const name = hostName()
  if (name === 'node') return createNodeHost(options)
  // Only who asks for it pays for the harness of the real proxy.
  const { createEnvoyHost } = await import('./envoy/index.ts')
  return createEnvoyHost(options, name)
}
