/**
 * One Envoy in which Envoy's native RBAC filter and ours see the same request: a listener for each scene. The native filters
 * stand first and only say what they would do (shadow rules, which the same engine evaluates); ours enforces.
 */

import {
  authorityCertificate,
  buildBootstrap,
  type EnvoyProcess,
  extension,
  issueCertificate,
  type Json,
  listenerConfig,
  merge,
  placeModule,
  startEnvoy,
  staticFilter,
  temporaryDirectory,
} from '@meshscript/sdk/testing/envoy/index'
import { JWKS, METADATA, METADATA_FILTER } from './pools.ts'
import type { NativeRbac, RuleSets } from './translate/index.ts'

/** How the connection manager normalizes paths: Istio's settings. */
export const NORMALIZATIONS = ['NONE', 'BASE', 'MERGE_SLASHES', 'DECODE_AND_MERGE_SLASHES'] as const
export type Normalization = (typeof NORMALIZATIONS)[number]

export interface ArenaListener {
  native: NativeRbac
  /** Of our filter. Undefined: it is not there, and the native filters enforce. */
  configuration?: object
  normalization: Normalization
  /** Merged into the connection manager. */
  connectionManager?: Json
}

export const SHADOW = { custom: 'real_custom_', deny: 'real_deny_', allow: 'real_allow_' } as const
export const DRY_RUN = { deny: 'istio_dry_run_deny_', allow: 'istio_dry_run_allow_' } as const

export class Arena {
  readonly #envoy: EnvoyProcess

  private constructor(envoy: EnvoyProcess) {
    this.#envoy = envoy
  }

  /** `wasm`: path of our filter. */
  static async start(wasm: string, listeners: readonly ArenaListener[]): Promise<Arena> {
    const directory = temporaryDirectory()
    const module = await placeModule(directory, 'authorization', wasm)
    const [server, authority] = [
      await issueCertificate('spiffe://cluster.local/ns/foo/sa/httpbin'),
      await authorityCertificate(),
    ]
    const listener = (each: ArenaListener, index: number): Json => {
      const http = {
        filters: filters(each, module, wasm),
        routes: ROUTES,
        connectionManager: connectionManager(each),
      }
      const extra = { per_connection_buffer_limit_bytes: 1 << 20 }
      const config = listenerConfig({
        name: listenerName(index),
        http,
        tls: { server, authority, permissive: true },
        extra,
      })
      // The PROXY protocol's header comes before TLS.
      return { ...config, listener_filters: [PROXY_PROTOCOL, ...(config.listener_filters as Json[])] }
    }
    const bootstrap = merge(buildBootstrap({ extra: RUNTIME }), {
      static_resources: { listeners: listeners.map(listener) },
    })
    return new Arena(await startEnvoy({ bootstrap, directory, startTimeout: 120_000, logLevel: 'critical' }))
  }

  port(index: number): number {
    return this.#envoy.ports[listenerName(index)]!
  }

  get running(): boolean {
    return this.#envoy.running
  }

  /** What Envoy said before it ended. */
  failure(): string {
    return this.#envoy.failure()
  }

  stop(): Promise<void> {
    return this.#envoy.stop()
  }
}

const listenerName = (index: number) => `scene-${index}`

const PROXY_PROTOCOL = extension(
  'proxy_protocol',
  'envoy.extensions.filters.listener.proxy_protocol.v3.ProxyProtocol',
  { allow_requests_without_proxy_protocol: true },
)

/** Istio's: a path with a fragment is cut instead of refused. */
const RUNTIME: Json = {
  layered_runtime: {
    layers: [{ name: 'istio', static_layer: { 'envoy.reloadable_features.http_reject_path_with_fragment': false } }],
  },
}

const OK: Json = { direct_response: { status: 200, body: { inline_string: 'ok' } } }
const ROUTES: Json = {
  virtual_hosts: [
    {
      name: 'all',
      domains: ['*'],
      routes: [
        { match: { connect_matcher: {} }, ...OK },
        { match: { safe_regex: { regex: '(?s).*' } }, ...OK },
      ],
    },
  ],
}

const filterState = (name: string) => `%FILTER_STATE(wasm.authorization.${name}:PLAIN)%`

/** Response headers in which both filters' decisions come back, on every answer that Envoy makes for a request with filters. */
const REPORT = {
  'x-details': '%RESPONSE_CODE_DETAILS%',
  'x-native': '%DYNAMIC_METADATA(envoy.filters.http.rbac)%',
  'x-native-audit': '%DYNAMIC_METADATA(envoy.common:access_log_hint)%',
  'x-policy': filterState('policy'),
  'x-verdict': filterState('verdict'),
  'x-audit': filterState('audit'),
  'x-dry-run-deny': filterState('dry_run.deny'),
  'x-dry-run-allow': filterState('dry_run.allow'),
  'x-seen-path': '%REQ(:PATH)%',
}

/** What Istio sets of the connection manager for it. */
export function normalizationSettings(normalization: Normalization): Json {
  return {
    normalize_path: normalization !== 'NONE',
    merge_slashes: normalization === 'MERGE_SLASHES' || normalization === 'DECODE_AND_MERGE_SLASHES',
    path_with_escaped_slashes_action:
      normalization === 'DECODE_AND_MERGE_SLASHES' ? 'UNESCAPE_AND_FORWARD' : 'KEEP_UNCHANGED',
  }
}

function connectionManager({ normalization, connectionManager = {} }: ArenaListener): Json {
  return {
    ...normalizationSettings(normalization),
    max_request_headers_kb: 96,
    http_protocol_options: { accept_http_10: true, allow_custom_methods: true },
    upgrade_configs: [{ upgrade_type: 'CONNECT' }],
    http2_protocol_options: { allow_connect: true },
    local_reply_config: {
      mappers: [
        {
          filter: {
            status_code_filter: {
              comparison: { op: 'GE', value: { default_value: 0, runtime_key: 'arena.status' } },
            },
          },
          headers_to_add: Object.entries(REPORT).map(([key, value]) => ({
            header: { key, value },
            append_action: 'OVERWRITE_IF_EXISTS_OR_ADD',
          })),
        },
      ],
    },
    ...connectionManager,
  }
}

const PLUGIN = { name: 'authorization', rootId: 'authorization', vmId: 'arena' }

function filters({ native, configuration }: ArenaListener, module: string, wasm: string): Json[] {
  return [
    extension('direct-address', 'envoy.extensions.filters.http.set_filter_state.v3.Config', {
      on_request_headers: [
        {
          object_key: 'meshscript.direct_remote_address',
          factory_key: 'envoy.string',
          format_string: { text_format_source: { inline_string: '%DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT%' } },
        },
      ],
    }),
    JWT,
    ...METADATA_FILTERS,
    ...(configuration ? shadowFilters(native) : enforcingFilters(native)),
    ...(configuration ? [staticFilter('http', 'authorization', { ...PLUGIN, wasm, configuration }, module)] : []),
  ]
}

/** As Istio sets it up for a RequestAuthentication, but for tokens that are not valid, which go on as if there were none. */
const JWT = extension('envoy.filters.http.jwt_authn', 'envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication', {
  providers: {
    test: {
      forward: true,
      payload_in_metadata: 'payload',
      normalize_payload_in_metadata: { space_delimited_claims: ['permission', 'scope'] },
      local_jwks: { inline_string: JSON.stringify(JWKS) },
    },
  },
  rules: [
    {
      match: { safe_regex: { regex: '(?s).*' } },
      requires: { requires_any: { requirements: [{ provider_name: 'test' }, { allow_missing_or_failed: {} }] } },
    },
    { match: { connect_matcher: {} }, requires: { allow_missing_or_failed: {} } },
  ],
})

const METADATA_FILTERS: Json[] = [
  extension('set-metadata', 'envoy.extensions.filters.http.set_metadata.v3.Config', {
    metadata: [{ metadata_namespace: METADATA_FILTER, value: METADATA }],
  }),
  extension('header-to-metadata', 'envoy.extensions.filters.http.header_to_metadata.v3.Config', {
    request_rules: [
      {
        header: 'x-meta',
        on_header_present: { metadata_namespace: METADATA_FILTER, key: 'header', type: 'STRING' },
      },
    ],
  }),
]

/** The sets that Istio enforces as shadow rules, each under its own name, and dry runs as Istio has them. */
function shadowFilters({ custom, audit, deny, allow }: NativeRbac): Json[] {
  const shadow = (rules: Json, prefix: string) => rbacFilter({ shadowRules: rules, shadowRulesStatPrefix: prefix })
  const maybe = (rules: Json | undefined, prefix: string) => (rules ? [shadow(rules, prefix)] : [])
  return [
    ...custom.map((rules, index) => shadow(rules, `${SHADOW.custom}${index}_`)),
    ...(audit.rules ? [rbacFilter({ rules: audit.rules })] : []),
    ...maybe(deny.rules, SHADOW.deny),
    ...maybe(deny.shadowRules, DRY_RUN.deny),
    ...maybe(allow.rules, SHADOW.allow),
    ...maybe(allow.shadowRules, DRY_RUN.allow),
  ]
}

/** As Istio has them. */
function enforcingFilters({ custom, audit, deny, allow }: NativeRbac): Json[] {
  const stage = (sets: RuleSets, prefix?: string) =>
    Object.keys(sets).length > 0 ? [rbacFilter({ ...sets, ...(prefix && { shadowRulesStatPrefix: prefix }) })] : []
  return [
    ...custom.map((rules) => rbacFilter({ rules })),
    ...stage(audit),
    ...stage(deny, DRY_RUN.deny),
    ...stage(allow, DRY_RUN.allow),
  ]
}

const rbacFilter = (config: Json): Json =>
  extension('envoy.filters.http.rbac', 'envoy.extensions.filters.http.rbac.v3.RBAC', config)
