/**
 * The built authorization filter in the Node host: all that decides here. Loaded only when a request is to be decided, since the
 * host is not needed to print a help text.
 */
import { createRequire } from 'node:module'
import type { NodeHost } from '@meshscript/sdk/testing/node/index'
import type { HostStartError, LogLine } from '@meshscript/sdk/testing/types'
import type { AuthorizationConfig } from '../compile/authorization-config.ts'
import { UserError } from '../errors.ts'
import { jwtPayload, type PolicyRequest } from '../requests/request.ts'
import type { MeshConfig, PathNormalization } from '../resources/mesh-config.ts'

export interface Decision {
  status: number
  /** Refused gRPC calls have status 200. */
  grpcStatus?: number
  /** The request reached the upstream. */
  allowed: boolean
  /** Id of the rule that decided; undefined: none did. */
  rule?: string
  /** An AUDIT rule matched. */
  audit: boolean
  /** What policies on trial would have done: the id of a rule, or `none`; undefined: there is none of that kind. */
  dryRun: { deny?: string; allow?: string }
  /** Envoy's response code details. */
  details: string
}

/** How Istio sets up the connection manager. */
function connectionManager(normalization: PathNormalization = 'DEFAULT') {
  const decodes = normalization === 'DECODE_AND_MERGE_SLASHES'
  return {
    normalize_path: normalization !== 'NONE',
    path_with_escaped_slashes_action: decodes ? 'UNESCAPE_AND_FORWARD' : 'KEEP_UNCHANGED',
    merge_slashes: decodes || normalization === 'MERGE_SLASHES',
  }
}

const istioRuntime = {
  layered_runtime: {
    layers: [{ name: 'istio', static_layer: { 'envoy.reloadable_features.http_reject_path_with_fragment': false } }],
  },
}

const states = {
  policy: 'authorization.policy',
  audit: 'authorization.audit',
  deny: 'authorization.dry_run.deny',
  allow: 'authorization.dry_run.allow',
} as const

export const DEFAULT_SOURCE_IP = '127.0.0.1'
export const DEFAULT_DESTINATION_IP = '127.0.0.1'
/** A request that names no port comes to this one. */
export const DEFAULT_PORT = 8080

/** What of the mesh's configuration decides what a filter sees. */
export type FilterMesh = Pick<MeshConfig, 'pathNormalization'>

/** One filter that decides by one configuration at a time. */
export class Filter {
  /** By the address of the listener, which a host has only one of. */
  readonly #hosts = new Map<string, Configured>()
  readonly #mesh: FilterMesh

  constructor(mesh: FilterMesh) {
    this.#mesh = mesh
  }

  async decide(configuration: AuthorizationConfig, request: PolicyRequest): Promise<Decision> {
    const host = await this.#hostFor(configuration, request)
    const response = await host.request(toInit(request))
    const [failure] = host.failures
    if (failure) throw new Error(`the authorization filter has failed: ${failure.stack}`)
    const { filterState } = response
    const rule = filterState[states.policy]
    return {
      status: response.status,
      grpcStatus: response.grpcStatus,
      allowed: response.upstream !== undefined,
      rule: rule === 'none' ? undefined : rule,
      audit: filterState[states.audit] === 'true',
      dryRun: { deny: filterState[states.deny], allow: filterState[states.allow] },
      details: response.details,
    }
  }

  async close(): Promise<void> {
    for (const { host } of this.#hosts.values()) await host.close()
    this.#hosts.clear()
  }

  async #hostFor(configuration: AuthorizationConfig, request: PolicyRequest): Promise<NodeHost> {
    const { port = DEFAULT_PORT, destinationIp: address = DEFAULT_DESTINATION_IP } = request
    const key = `${address} ${port}`
    const known = this.#hosts.get(key)
    if (known?.configuration === configuration) return known.host
    const text = recordAll(configuration)
    if (known) await known.host.reconfigure(text).catch((error: Error) => refused(error, known.host.logs))
    const host = known?.host ?? (await startHost(text, { address, port }, this.#mesh))
    this.#hosts.set(key, { host, configuration })
    return host
  }
}

interface Configured {
  host: NodeHost
  configuration: AuthorizationConfig
}

async function startHost(
  configuration: string,
  listen: { address: string; port: number },
  mesh: FilterMesh,
): Promise<NodeHost> {
  const { createNodeHost } = await import('@meshscript/sdk/testing/node/index')
  const wasm = modulePath()
  return createNodeHost({
    wasm,
    configuration,
    listen,
    tls: { trustDomain: '*', permissive: true },
    filterState: Object.values(states),
    connectionManager: connectionManager(mesh.pathNormalization?.normalization),
    bootstrap: istioRuntime,
    trace: false,
  }).catch((error: HostStartError) => refused(error, error.logs))
}

/** The filter's own words on a configuration that it does not take. */
function refused(error: Error, logs: readonly LogLine[] = []): never {
  const said = logs.filter(({ level }) => level === 'error' || level === 'critical').at(-1)
  throw new UserError(`the authorization filter refuses its configuration: ${said?.message ?? error.message}`)
}

/** What the connection manager makes of a path before any filter sees it. */
export async function normalizedPath(path: string, mesh: FilterMesh): Promise<string> {
  const { normalizePath } = await import('@meshscript/sdk/testing/node/path_normalization')
  return normalizePath(path, connectionManager(mesh.pathNormalization?.normalization)) ?? path
}

/** Who decided is to be known of allowed requests, too. */
function recordAll(configuration: AuthorizationConfig): string {
  return JSON.stringify({ ...configuration, record: 'all' })
}

function modulePath(): string {
  try {
    return createRequire(import.meta.url).resolve('@meshscript/filters/dist/authorization.wasm')
  } catch {
    throw new UserError('the authorization filter is not built: run `npm run build` in the checkout first')
  }
}

type Init = NonNullable<Exclude<Parameters<NodeHost['request']>[0], string>>

/** Written by Envoy's native filter in front, where X-Forwarded-For hides the address from a Wasm filter. */
const DIRECT_ADDRESS = 'meshscript.direct_remote_address'

/** The request as the Node host takes it. */
export function toInit(request: PolicyRequest): Init {
  const { method, path, host, headers, peer, sourceIp = DEFAULT_SOURCE_IP, sni, metadata } = request
  const payload = jwtPayload(request)
  const jwt = payload && { 'envoy.filters.http.jwt_authn': { payload } }
  return {
    method,
    path,
    authority: host,
    headers,
    source: sourceIp,
    filterState: { [DIRECT_ADDRESS]: sourceIp },
    ...(peer.length > 0 && { peer }),
    ...(sni !== undefined && { sni }),
    ...((jwt ?? metadata) && { metadata: { ...metadata, ...jwt } }),
  }
}
