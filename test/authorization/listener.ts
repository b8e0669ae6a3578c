/** The listener under which the decisions were recorded (`shared/cases/README.md`), as options of a test host. */
import { extension, type Json } from '@meshscript/sdk/testing/envoy/index'
import type { HostOptions } from '@meshscript/sdk/testing/types'
import { jwtFilter, type JwtRule } from './tokens.ts'

/** Of this process alone, so that suites run side by side on the port that policies mean. */
export const ADDRESS = `127.${64 + (process.pid >> 16)}.${(process.pid >> 8) & 255}.${process.pid & 255}`
export const PORT = 8080

/** Where the filter finds the direct peer's address, whatever X-Forwarded-For says. */
export const DIRECT_ADDRESS = 'meshscript.direct_remote_address'

export interface ListenerSettings {
  /** Trust domains of clients; `*`: any. */
  trustDomains: readonly string[]
  /** PeerAuthentication STRICT. */
  strict: boolean
  pathNormalization: 'NONE' | 'BASE' | 'MERGE_SLASHES' | 'DECODE_AND_MERGE_SLASHES'
  jwtRules: readonly JwtRule[]
  /** Dynamic metadata by namespace, as other filters leave it. */
  metadata?: Record<string, Record<string, unknown>>
}

export function listenerOptions(settings: ListenerSettings): HostOptions {
  const { trustDomains, strict, jwtRules, metadata } = settings
  return {
    listen: { address: ADDRESS, port: PORT },
    tls: { trustDomain: trustDomains, permissive: !strict },
    connectionManager: {
      ...normalization(settings),
      server_name: 'istio-envoy',
      proxy_100_continue: true,
      stream_idle_timeout: '0s',
      upgrade_configs: [{ upgrade_type: 'websocket' }],
      http_filters: [...(jwtRules.length > 0 ? [jwtFilter(jwtRules)] : []), DIRECT_ADDRESS_FILTER],
    },
    ...(metadata && { metadata }),
    bootstrap: RUNTIME,
  }
}

const DIRECT_ADDRESS_FILTER = extension(
  'envoy.filters.http.set_filter_state',
  'envoy.extensions.filters.http.set_filter_state.v3.Config',
  {
    on_request_headers: [
      {
        object_key: DIRECT_ADDRESS,
        factory_key: 'envoy.string',
        format_string: { text_format_source: { inline_string: '%DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT%' } },
      },
    ],
  },
)

function normalization({ pathNormalization }: ListenerSettings): Json {
  return {
    normalize_path: pathNormalization !== 'NONE',
    merge_slashes: pathNormalization === 'MERGE_SLASHES' || pathNormalization === 'DECODE_AND_MERGE_SLASHES',
    path_with_escaped_slashes_action:
      pathNormalization === 'DECODE_AND_MERGE_SLASHES' ? 'UNESCAPE_AND_FORWARD' : 'KEEP_UNCHANGED',
  }
}

/** Istio's; without it a path with a fragment is refused. */
const RUNTIME = {
  layered_runtime: {
    layers: [
      {
        name: 'istio',
        static_layer: {
          're2.max_program_size.error_level': 32768,
          'envoy.reloadable_features.http_reject_path_with_fragment': false,
          'envoy.reloadable_features.fixed_heap_use_allocated': true,
          'envoy.reloadable_features.coalesce_lb_rebuilds_on_batch_update': false,
        },
      },
    ],
  },
}
