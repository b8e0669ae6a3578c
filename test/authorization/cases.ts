/**
 * Decisions of real Istio and Envoy (`test/fixtures/authorization.json`), each case with what our compiler makes of its policies:
 * a configuration that must give the recorded decisions, or a refusal.
 */
import type { RequestInit } from '@meshscript/sdk/testing/types'
import { readFileSync } from 'node:fs'
import type { AuthorizationConfig } from '../../cli/src/compile/authorization-config.ts'
import { compileAuthorization } from '../../cli/src/compile/index.ts'
import type { Workload } from '../../cli/src/compile/workload.ts'
import { Diagnostics, type DiagnosticJson } from '../../cli/src/resources/diagnostics.ts'
import { defaultMeshConfig, parseMeshConfig, type MeshConfig } from '../../cli/src/resources/mesh-config.ts'
import { parseYaml } from '../../cli/src/resources/parse.ts'
import { Source } from '../../cli/src/resources/source.ts'

/** What was sent, and what came of it. */
export interface RecordedRequest {
  method?: string
  path?: string
  host?: string
  headers?: Record<string, string | string[]>
  src?: string
  /** Identity in the client certificate; several separated by `|`. */
  peer?: string
  sni?: string
  jwt?: string | Record<string, unknown>
  raw?: string
  proto?: 'tcp'
  decision: string
  status?: number
  policyId?: string
  shadow?: Record<string, string>
  audit?: boolean
  seen?: { path?: string; authority?: string; remote?: string }
}

interface RecordedCase {
  name: string
  policies: string
  meshConfig?: string
  anyTrustDomain?: boolean
  rejected?: boolean
  refusedByWebhook?: boolean
  note?: string
  requests: RecordedRequest[]
}

interface Recording {
  workload: Workload & { ports: Record<string, number> }
  cases: RecordedCase[]
}

export interface AuthorizationCase {
  name: string
  workload: Workload
  mesh: MeshConfig
  /** How the connection manager normalizes paths; Istio's default is `BASE`. */
  pathNormalization: 'NONE' | 'BASE' | 'MERGE_SLASHES' | 'DECODE_AND_MERGE_SLASHES'
  /** TLS accepts clients of every trust domain. */
  anyTrustDomain: boolean
  /** Istio refuses the policies too. */
  invalid: boolean
  /** Undefined: the compiler refuses the policies; `diagnostics` says why. */
  configuration?: AuthorizationConfig
  diagnostics: readonly DiagnosticJson[]
  /** The requests that an HTTP filter decides. */
  requests: readonly RecordedRequest[]
  /** Those that it never sees: TCP, and what the connection manager, jwt_authn or TLS refuses before. */
  others: readonly RecordedRequest[]
}

interface MeshSettings {
  pathNormalization?: { normalization?: AuthorizationCase['pathNormalization'] }
}

/** All cases, in the order of the file. `address` is the one that the listener is on. */
export function authorizationCases(address = '127.0.0.1'): AuthorizationCase[] {
  const file = new URL('../fixtures/authorization.json', import.meta.url)
  const { workload, cases } = JSON.parse(readFileSync(file, 'utf8')) as Recording
  return cases.map((recorded) => {
    const diagnostics = new Diagnostics()
    const { meshConfig = '' } = recorded
    const meshSource = new Source('mesh.yaml', meshConfig)
    const mesh = meshConfig ? parseMeshConfig(meshSource, diagnostics) : defaultMeshConfig
    const text = recorded.policies.replaceAll('${IP}', address).replaceAll('${JWKS}', `'{"keys":[]}'`)
    const { configuration } = compileAuthorization([new Source(`${recorded.name}.yaml`, text)], {
      workload,
      mesh,
      diagnostics,
    })
    const settings = parseYaml(meshSource, diagnostics)[0]?.toJS() as MeshSettings | null | undefined
    return {
      name: recorded.name,
      workload,
      mesh,
      pathNormalization: settings?.pathNormalization?.normalization ?? 'BASE',
      anyTrustDomain: recorded.anyTrustDomain ?? false,
      invalid: Boolean(recorded.rejected ?? recorded.refusedByWebhook),
      configuration,
      diagnostics: diagnostics.toJSON(),
      requests: recorded.requests.filter(isDecidedByFilter),
      others: recorded.requests.filter((request) => !isDecidedByFilter(request)),
    }
  })
}

const isDecidedByFilter = ({ proto, decision }: RecordedRequest) =>
  proto !== 'tcp' && (decision === 'allow' || decision === 'deny')

/** A recorded request for a test host. Undefined where it needs bytes of its own on the wire (`raw`) or a token (`jwt`). */
export function toRequestInit(request: RecordedRequest): RequestInit | undefined {
  const { method = 'GET', path = '/', host = 'httpbin.foo', headers, src, peer, sni, raw, jwt } = request
  if (raw !== undefined || jwt !== undefined) return undefined
  return {
    method,
    path,
    authority: host,
    ...(headers && { headers }),
    ...(src && { source: src }),
    ...(peer && { peer: peer.split('|') }),
    ...(sni && { sni }),
  }
}

/** What a test host's answer must be. */
export function expectedOutcome({ decision, policyId }: RecordedRequest): {
  status: number
  text?: string
  details?: string
} {
  if (decision === 'allow') return { status: 200 }
  return {
    status: 403,
    text: 'RBAC: access denied',
    details: `rbac_access_denied_matched_policy[${policyId ?? 'none'}]`,
  }
}
