/** The judge: Envoy's own ext_authz filter, with what istiod makes of a provider. */
import { extension, type Json } from '@meshscript/sdk/testing/envoy/index'
import type { HttpExtAuthzConfig, Matcher, ProviderConfig } from '../../../cli/src/compile/authorization-config.ts'

export function nativeFilter(provider: ProviderConfig): Json {
  const config = 'http' in provider ? provider.http : provider.grpc
  const { failOpen, statusOnError, includeRequestBodyInCheck: body } = config
  return extension('envoy.filters.http.ext_authz', 'envoy.extensions.filters.http.ext_authz.v3.ExtAuthz', {
    transport_api_version: 'V3',
    ...(failOpen && { failure_mode_allow: true }),
    ...(statusOnError && { status_on_error: { code: statusOnError } }),
    ...(body && {
      with_request_body: {
        max_request_bytes: body.maxRequestBytes,
        allow_partial_message: body.allowPartialMessage,
        pack_as_bytes: body.packAsBytes,
      },
    }),
    ...('http' in provider ? httpService(provider.http) : grpcService(config)),
  })
}

function grpcService({ cluster, authority, timeoutMs = 600_000 }: HttpExtAuthzConfig): Json {
  return { grpc_service: { envoy_grpc: { cluster_name: cluster, authority }, timeout: seconds(timeoutMs) } }
}

function httpService(config: HttpExtAuthzConfig): Json {
  const { cluster, timeoutMs = 600_000, pathPrefix, includeAdditionalHeadersInCheck: additional = {} } = config
  return {
    ...(config.includeRequestHeadersInCheck && { allowed_headers: names(config.includeRequestHeadersInCheck) }),
    http_service: {
      path_prefix: pathPrefix,
      server_uri: { uri: 'http://unused', cluster, timeout: seconds(timeoutMs) },
      authorization_request: { headers_to_add: Object.entries(additional).map(([key, value]) => ({ key, value })) },
      authorization_response: {
        allowed_upstream_headers: names(config.headersToUpstreamOnAllow),
        allowed_client_headers: names(config.headersToDownstreamOnDeny),
        allowed_client_headers_on_success: names(config.headersToDownstreamOnAllow),
      },
    },
  }
}

const names = (matchers: readonly Matcher[] | undefined) =>
  matchers && { patterns: matchers.map((matcher) => ({ ...matcher, ignore_case: true })) }
const seconds = (milliseconds: number) => `${milliseconds / 1000}s`
