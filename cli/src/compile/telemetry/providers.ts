/** The providers of a mesh: what metrics, access logs and traces are for. */
import type { ExtensionProvider, HttpHeader } from '../../resources/extension-providers.ts'
import type { MeshConfig } from '../../resources/mesh-config.ts'
import type { TracesConfig } from './model.ts'

/** Those that every mesh has (pkg/config/mesh of Istio). */
const BUILT_IN: readonly ExtensionProvider[] = [
  { name: 'prometheus', prometheus: {} },
  { name: 'envoy', envoyFileAccessLog: { path: '/dev/stdout' } },
]

/** By name in any case, as Istio finds them. */
export function findProvider({ extensionProviders = [] }: MeshConfig, name: string): ExtensionProvider | undefined {
  const wanted = name.toLowerCase()
  return [...extensionProviders, ...BUILT_IN].find((provider) => provider.name.toLowerCase() === wanted)
}

export interface Tracer {
  exporter: NonNullable<TracesConfig['exporter']>
  propagation: TracesConfig['propagation']
  timeout?: string
}

/** Where spans go, or why they can't. Undefined where there is no such provider. */
export function tracerOf(mesh: MeshConfig, name: string): Tracer | { why: string } | undefined {
  const provider = findProvider(mesh, name)
  if (!provider) return undefined
  const { zipkin, opentelemetry, datadog } = provider
  const headers = [...(zipkin?.headers ?? []), ...(opentelemetry?.http?.headers ?? [])]
  const unknown = headers.find(({ envName }) => envName !== undefined)
  if (unknown) return { why: `the value of the header ${unknown.name} is in a variable of Envoy's: write value` }
  const target = ({ service, port }: { service: string; port: number }) => {
    // `NAMESPACE/HOST` says whose view of the host it is.
    const host = service.slice(service.indexOf('/') + 1)
    return { cluster: `outbound|${port}||${host}`, authority: host }
  }
  if (zipkin) {
    const { path, traceContextOption, timeout } = zipkin
    return {
      exporter: { type: 'zipkin', ...target(zipkin), ...(path && { path }), ...headersOf(headers) },
      propagation: traceContextOption === 'USE_B3_WITH_W3C_PROPAGATION' ? ['b3multi', 'w3c'] : ['b3multi'],
      ...(timeout && { timeout }),
    }
  }
  if (opentelemetry) {
    const { http } = opentelemetry
    if (!http) return { why: 'the filter sends OTLP by HTTP only: give the provider http: {path: /v1/traces}' }
    return {
      exporter: {
        type: 'otlp',
        ...target(opentelemetry),
        ...(http.path && { path: http.path }),
        ...headersOf(headers),
      },
      propagation: ['w3c'],
      ...(http.timeout && { timeout: http.timeout }),
    }
  }
  if (datadog) return { exporter: { type: 'datadog', ...target(datadog) }, propagation: ['datadog'] }
  return { why: 'the filter sends to Zipkin, OpenTelemetry and Datadog only' }
}

function headersOf(headers: readonly HttpHeader[]) {
  const entries = headers.map(({ name, value = '' }) => [name.toLowerCase(), value] as const)
  return entries.length ? { headers: Object.fromEntries(entries) } : {}
}
