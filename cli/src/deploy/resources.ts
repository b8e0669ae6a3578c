/** The forms in which meshes take a filter. */

import { stringify } from 'yaml'
import { formatReference } from '../oci/reference.ts'
import type { Code, DeployRequest, FailStrategy, Form, Match } from './request.ts'

export interface Resource {
  apiVersion: string
  kind: string
  metadata: {
    name: string
    namespace?: string
    labels?: Record<string, string>
    annotations?: Record<string, string>
  }
  spec: Record<string, unknown>
}

export interface Emitted {
  /** Undefined for plain Envoy. */
  resource?: Resource
  /** The document as it is printed. */
  yaml: string
  warnings: string[]
}

export const MANAGED_BY = { 'app.kubernetes.io/managed-by': 'meshscript' }

/** The request has been checked. */
export function emit(request: DeployRequest, form: Form): Emitted {
  const warnings: string[] = []
  if (form === 'envoy') return { yaml: toYaml(envoyFilter(request)), warnings }
  const builders = {
    'wasm-plugin': wasmPlugin,
    'traffic-extension': trafficExtension,
    'envoy-extension-policy': envoyExtensionPolicy,
    'envoy-filter': istioEnvoyFilter,
  }
  const resource = builders[form](request, warnings)
  return { resource, yaml: toYaml(resource), warnings }
}

export function toYaml(value: unknown): string {
  // Folded lines are hard to compare. Kubernetes reads YAML 1.1, where a bare `yes` is no string.
  return stringify(value, { version: '1.1', lineWidth: 0, aliasDuplicateObjects: false })
}

function resourceOf(
  { name, namespace }: DeployRequest,
  apiVersion: string,
  kind: string,
  spec: Record<string, unknown>,
): Resource {
  return { apiVersion, kind, metadata: { name, ...(namespace && { namespace }), labels: { ...MANAGED_BY } }, spec }
}

/**
 * The tag tells people the version, and the digest keeps it: a tag that moves later changes nothing, and a proxy that starts then
 * still gets this image.
 */
export function imageUrl(code: Extract<Code, { kind: 'image' }>): string {
  return formatReference({ ...code.reference, digest: code.digest })
}

const hexOf = (digest: string) => digest.replace('sha256:', '')

function codeOf(code: Code): { url: string; sha256?: string } {
  if (code.kind === 'image') return { url: imageUrl(code), sha256: hexOf(code.digest) }
  if (code.kind === 'url') return { url: code.url, sha256: code.sha256 }
  return { url: `file://${code.path}` }
}

/** What both of Istio's resources have. */
function moduleSpec(request: DeployRequest): Record<string, unknown> {
  const { code, pluginName, imagePullSecret, failStrategy, type, env, configuration } = request
  return {
    ...codeOf(code),
    ...(imagePullSecret !== undefined && { imagePullSecret }),
    ...(pluginName !== undefined && { pluginName }),
    ...(type === 'NETWORK' && { type }),
    failStrategy,
    ...(env.length && {
      vmConfig: {
        env: env.map(({ name, value }) =>
          value === undefined ? { name, valueFrom: 'HOST' } : { name, valueFrom: 'INLINE', value },
        ),
      },
    }),
    ...(configuration && { pluginConfig: configuration }),
  }
}

function placement({ selector, targets, phase, priority, matches }: DeployRequest): Record<string, unknown> {
  return {
    ...(selector && { selector: { matchLabels: selector } }),
    ...(targets.length && { targetRefs: targets }),
    ...(phase && { phase }),
    ...(priority !== undefined && { priority }),
    ...(matches.length && { match: matches }),
  }
}

function wasmPlugin(request: DeployRequest): Resource {
  const spec = { ...placement(request), ...moduleSpec(request) }
  return resourceOf(request, 'extensions.istio.io/v1alpha1', 'WasmPlugin', spec)
}

function trafficExtension(request: DeployRequest): Resource {
  const spec = { ...placement(request), wasm: moduleSpec(request) }
  return resourceOf(request, 'extensions.istio.io/v1alpha1', 'TrafficExtension', spec)
}

function envoyExtensionPolicy(request: DeployRequest, warnings: string[]): Resource {
  const { name, code, targets, configuration, failStrategy, pluginName, imagePullSecret, env, priority } = request
  if (failStrategy === 'FAIL_RELOAD')
    warnings.push(
      'an EnvoyExtensionPolicy has no FAIL_RELOAD: after a trap requests are refused until the proxy restarts the filter',
    )
  if (priority !== undefined) warnings.push('the order within a policy is that of its list: --priority has no effect')
  const source =
    code.kind === 'image'
      ? {
          type: 'Image',
          image: {
            url: imageUrl(code).slice('oci://'.length),
            ...(imagePullSecret !== undefined && {
              pullSecretRef: { group: '', kind: 'Secret', name: imagePullSecret },
            }),
            sha256: hexOf(code.digest),
          },
        }
      : { type: 'HTTP', http: codeOf(code) }
  const wasm = {
    name,
    ...(pluginName !== undefined && { rootID: pluginName }),
    code: source,
    ...(configuration && { config: configuration }),
    failOpen: failStrategy === 'FAIL_OPEN',
    ...(env.length && { env: { hostKeys: env.map(({ name }) => name) } }),
  }
  const spec = { targetRefs: targets, wasm: [wasm] }
  return resourceOf(request, 'gateway.envoyproxy.io/v1alpha1', 'EnvoyExtensionPolicy', spec)
}

const failurePolicies: Record<FailStrategy, string> = {
  FAIL_RELOAD: 'FAIL_RELOAD',
  FAIL_CLOSE: 'FAIL_CLOSED',
  FAIL_OPEN: 'FAIL_OPEN',
}

const HTTP_WASM = 'type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm'
const HTTP_RBAC = 'type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC'
const NETWORK_WASM = 'type.googleapis.com/envoy.extensions.filters.network.wasm.v3.Wasm'

/** Envoy's own configuration of the filter. `remote`: who fetches a module that is not in a file. */
function wasmConfig(request: DeployRequest): Record<string, unknown> {
  const { name, code, configuration, failStrategy, pluginName, env, type } = request
  const own = env.filter(({ value }) => value !== undefined)
  const hosts = env.filter(({ value }) => value === undefined)
  return {
    '@type': type === 'NETWORK' ? NETWORK_WASM : HTTP_WASM,
    config: {
      name,
      ...(pluginName !== undefined && { root_id: pluginName }),
      failure_policy: failurePolicies[failStrategy],
      ...(request.allowOnHeadersStopIteration && { allow_on_headers_stop_iteration: true }),
      ...(configuration && {
        configuration: {
          '@type': 'type.googleapis.com/google.protobuf.StringValue',
          value: JSON.stringify(configuration),
        },
      }),
      vm_config: {
        runtime: 'envoy.wasm.runtime.v8',
        code: dataSource(code, 'wasm_module'),
        ...(env.length && {
          environment_variables: {
            ...(hosts.length && { host_env_keys: hosts.map(({ name }) => name) }),
            ...(own.length && { key_values: Object.fromEntries(own.map(({ name, value }) => [name, value])) }),
          },
        }),
      },
    },
  }
}

function dataSource(code: Code, cluster: string) {
  if (code.kind === 'file') return { local: { filename: code.path } }
  const { url, sha256 } = codeOf(code)
  return { remote: { http_uri: { uri: url, cluster, timeout: '30s' }, sha256 } }
}

/** A filter for a listener of one's own. Its configuration may name a cluster, which is for the reader to write. */
function envoyFilter(request: DeployRequest): unknown[] {
  const name = request.type === 'NETWORK' ? 'envoy.filters.network.wasm' : 'envoy.filters.http.wasm'
  return [{ name, typed_config: wasmConfig(request) }]
}

/** In the order of the chain: which side of a proxy a match is about. */
function contexts({ mode }: Match): string[] {
  if (mode === 'SERVER') return ['SIDECAR_INBOUND']
  if (mode === 'CLIENT') return ['SIDECAR_OUTBOUND', 'GATEWAY']
  return ['ANY']
}

/** By ECDS, so that Istio's agent fetches the module, images too; and a changed configuration drains no listener. */
function istioEnvoyFilter(request: DeployRequest): Resource {
  const { name, namespace, selector, targets, matches, phase } = request
  const extension = ['meshscript', namespace, name].filter(Boolean).join('.')
  const insert = phase === 'AUTHN' ? 'INSERT_FIRST' : 'INSERT_BEFORE'
  const places = (matches.length ? matches : [{ mode: 'CLIENT_AND_SERVER' as const }]).flatMap((match: Match) =>
    contexts(match).flatMap((context) => (match.ports ?? [undefined]).map((port) => ({ context, port }))),
  )
  const subFilter = insert === 'INSERT_BEFORE' ? { subFilter: { name: 'envoy.filters.http.router' } } : {}
  const patches = places.map(({ context, port }) => ({
    applyTo: 'HTTP_FILTER',
    match: {
      context,
      listener: {
        ...(port && { portNumber: port.number }),
        filterChain: { filter: { name: 'envoy.filters.network.http_connection_manager', ...subFilter } },
      },
    },
    patch: {
      operation: insert,
      value: {
        name: extension,
        config_discovery: {
          config_source: { ads: {}, initial_fetch_timeout: '0s', resource_api_version: 'V3' },
          // In place of a module that it can't fetch, Istio's agent gives an RBAC filter.
          type_urls: [HTTP_WASM, HTTP_RBAC],
        },
      },
    },
  }))
  const definition = {
    applyTo: 'EXTENSION_CONFIG',
    match: { context: 'ANY' },
    patch: { operation: 'ADD', value: { name: extension, typed_config: wasmConfig(request) } },
  }
  const spec = {
    ...(selector && { workloadSelector: { labels: selector } }),
    ...(targets.length && { targetRefs: targets }),
    configPatches: [...patches, definition],
  }
  return resourceOf(request, 'networking.istio.io/v1alpha3', 'EnvoyFilter', spec)
}
