/** The external services that CUSTOM policies ask. */
import type { AuthorizationPolicy } from '../../resources/authorization-policy.ts'
import type { Diagnostics } from '../../resources/diagnostics.ts'
import type { ExtAuthz, ExtAuthzHttp, ExtensionProvider } from '../../resources/extension-providers.ts'
import type { MeshConfig } from '../../resources/mesh-config.ts'
import { parseDuration } from '../../resources/targets.ts'
import type { ExtAuthzConfig, HttpExtAuthzConfig, Matcher, ProviderConfig } from '../authorization-config.ts'
import { toMatcher } from './values.ts'

/**
 * The providers of the policies, undefined where there are none. What can't be asked is left out: the filter refuses the requests
 * that match then, as Istio does.
 */
export function compileProviders(
  policies: readonly AuthorizationPolicy[],
  mesh: MeshConfig,
  diagnostics: Diagnostics,
): Record<string, ProviderConfig> | undefined {
  const custom = policies.filter(({ spec }) => spec.action === 'CUSTOM')
  const names = new Set(custom.map(({ spec }) => spec.provider!.name!))
  const compiled: Record<string, ProviderConfig> = {}
  for (const policy of custom) {
    const warn = (message: string, hint: string) =>
      policy.report(diagnostics, 'warning', 'MS1405', ['spec', 'provider', 'name'], message, hint)
    const name = policy.spec.provider!.name!
    const provider = mesh.extensionProviders?.find((each) => each.name === name)
    const config = provider && toConfig(provider)
    if (names.size > 1) {
      const message = `the policies of one workload name several providers, ${[...names].join(' and ')}: matching requests are refused`
      warn(message, 'name the same provider in all of them')
    } else if (!provider) {
      const message = `the mesh configuration has no provider ${name}: matching requests are refused`
      warn(message, 'give --mesh-config with it in extensionProviders')
    } else if (!config) {
      const message = `the provider ${name} is no external authorizer: matching requests are refused`
      warn(message, 'give it envoyExtAuthzHttp or envoyExtAuthzGrpc')
    } else compiled[name] = config
  }
  return Object.keys(compiled).length > 0 ? compiled : undefined
}

function toConfig({ envoyExtAuthzHttp, envoyExtAuthzGrpc }: ExtensionProvider): ProviderConfig | undefined {
  if (envoyExtAuthzHttp) return { http: toHttpConfig(envoyExtAuthzHttp) }
  if (!envoyExtAuthzGrpc) return undefined
  // By HTTP, the service gets the authority of the request that it is asked about.
  return { grpc: { ...toCommonConfig(envoyExtAuthzGrpc), authority: hostOf(envoyExtAuthzGrpc) } }
}

function toHttpConfig(provider: ExtAuthzHttp): HttpExtAuthzConfig {
  const { pathPrefix, includeAdditionalHeadersInCheck } = provider
  const headers = provider.includeRequestHeadersInCheck ?? provider.includeHeadersInCheck
  return withoutAbsent({
    ...toCommonConfig(provider),
    pathPrefix: pathPrefix || undefined,
    includeRequestHeadersInCheck: headers?.map(toHeaderMatcher),
    includeAdditionalHeadersInCheck,
    headersToUpstreamOnAllow: provider.headersToUpstreamOnAllow?.map(toHeaderMatcher),
    headersToDownstreamOnAllow: provider.headersToDownstreamOnAllow?.map(toHeaderMatcher),
    headersToDownstreamOnDeny: provider.headersToDownstreamOnDeny?.map(toHeaderMatcher),
  })
}

function toCommonConfig(provider: ExtAuthz): ExtAuthzConfig {
  const { port, timeout, failOpen, clearRouteCache, statusOnError } = provider
  return withoutAbsent({
    cluster: `outbound|${port}||${hostOf(provider)}`,
    timeoutMs: timeout === undefined ? undefined : Math.round(parseDuration(timeout)!),
    failOpen,
    clearRouteCache,
    statusOnError: statusOnError === undefined ? undefined : Number(statusOnError),
    includeRequestBodyInCheck: provider.includeRequestBodyInCheck,
  })
}

/** `NAMESPACE/HOST` says where the service is to be looked for; the cluster's name has the host alone. */
const hostOf = ({ service }: ExtAuthz) => service.slice(service.indexOf('/') + 1)

const toHeaderMatcher = (name: string): Matcher => toMatcher(name.toLowerCase())

function withoutAbsent<Fields extends object>(fields: { [Field in keyof Fields]: Fields[Field] | undefined }): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Fields
}
