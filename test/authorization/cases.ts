/**
 * Decisions of real Istio and Envoy (`test/fixtures/authorization.json`), and further ones of Envoy's native RBAC filter
 * (`further/`), each with what our compiler makes of the policies: a configuration that must give these decisions,
 * or a refusal.
 */
import { readFileSync } from 'node:fs'
import type { AuthorizationConfig } from '../../cli/src/compile/authorization-config.ts'
import { compileAuthorization } from '../../cli/src/compile/index.ts'
import type { Workload } from '../../cli/src/compile/workload.ts'
import { Diagnostics, type DiagnosticJson } from '../../cli/src/resources/diagnostics.ts'
import { defaultMeshConfig, parseMeshConfig, type MeshConfig } from '../../cli/src/resources/mesh-config.ts'
import { parseYaml } from '../../cli/src/resources/parse.ts'
import { Source } from '../../cli/src/resources/source.ts'
import { furtherCases } from './further/index.ts'
import { ADDRESS, type ListenerSettings, PORT } from './listener.ts'
import { type Claims, JWKS, type JwtRule } from './tokens.ts'

/** What a client sends. */
export interface SentRequest {
  method?: string
  path?: string
  host?: string
  headers?: Record<string, string | string[]>
  src?: string
  /** Identity in the client certificate; several separated by `|`. */
  peer?: string
  sni?: string
  jwt?: string | Claims
  raw?: string
  proto?: 'tcp'
}

/** What came of it. */
export interface Outcome {
  /** `allow`, `deny`, `status-N` or `connection-refused`. */
  decision: string
  status?: number
  policyId?: string
  shadow?: Record<string, string>
  audit?: boolean
  /** Of a refused gRPC request, whose HTTP status is 200. */
  grpcStatus?: number
  /** What HTTP filters saw, where it is not what was sent. */
  seen?: { path?: string; authority?: string; remote?: string }
}

export type RecordedRequest = SentRequest & Outcome

/** Policies and requests, without decisions. */
export interface CaseSource {
  name: string
  policies: string
  meshConfig?: string
  anyTrustDomain?: boolean
  metadata?: ListenerSettings['metadata']
}

interface RecordedCase extends CaseSource {
  rejected?: boolean
  refusedByWebhook?: boolean
  note?: string
  requests: RecordedRequest[]
}

export interface AuthorizationCase {
  name: string
  workload: Workload
  mesh: MeshConfig
  listener: ListenerSettings
  /** The documents of the policies, as they are. */
  documents: readonly Document[]
  /** Istio refuses the policies too. */
  invalid: boolean
  /** Undefined: the compiler refuses the policies; `diagnostics` says why. */
  configuration?: AuthorizationConfig
  diagnostics: readonly DiagnosticJson[]
  /** Those to the HTTP port. */
  requests: readonly RecordedRequest[]
  /** Those that an HTTP filter never sees. */
  tcp: readonly RecordedRequest[]
}

/** As much of a resource as a listener is made from. */
export interface Document {
  kind: string
  metadata: { name: string; namespace: string; annotations?: Record<string, string> }
  spec?: {
    selector?: { matchLabels?: Record<string, string> }
    jwtRules?: JwtRule[]
    mtls?: { mode: string }
    portLevelMtls?: Record<string, { mode: string }>
  }
}

const UNDECIDED: Outcome = { decision: 'not decided yet' }
const FIXTURE = new URL('../fixtures/authorization.json', import.meta.url)
const DECISIONS = new URL('fixtures/further.json', import.meta.url)

const recording = JSON.parse(readFileSync(FIXTURE, 'utf8')) as { workload: Workload; cases: RecordedCase[] }

/** The recorded cases, in the order of the file. */
export function authorizationCases(): AuthorizationCase[] {
  return recording.cases.map(toCase)
}

/** Cases of the same kinds that are not in the file, with the decisions of native RBAC. */
export function furtherAuthorizationCases(): AuthorizationCase[] {
  const decisions = JSON.parse(readFileSync(DECISIONS, 'utf8')) as Record<string, Outcome[]>
  return furtherCases.map((each) => {
    const requests = each.requests.map((request, index) => ({
      ...request,
      ...(decisions[each.name]?.[index] ?? UNDECIDED),
    }))
    return toCase({ ...each, requests })
  })
}

/** As the judge gets them: nothing is decided yet. */
export function undecidedCases(): AuthorizationCase[] {
  return furtherCases.map((each) =>
    toCase({ ...each, requests: each.requests.map((request) => ({ ...request, ...UNDECIDED })) }),
  )
}

function toCase(recorded: RecordedCase): AuthorizationCase {
  const { workload } = recording
  const diagnostics = new Diagnostics()
  const meshSource = new Source('mesh.yaml', recorded.meshConfig ?? '')
  const mesh = recorded.meshConfig ? parseMeshConfig(meshSource, diagnostics) : defaultMeshConfig
  const text = recorded.policies.replaceAll('${IP}', ADDRESS).replaceAll('${JWKS}', `'${JWKS}'`)
  const source = new Source(`${recorded.name}.yaml`, text)
  const { configuration } = compileAuthorization([source], { workload, mesh, diagnostics })
  const settings = parseYaml(meshSource, diagnostics)[0]?.toJS() as MeshSettings | null | undefined
  const documents = parseYaml(source, new Diagnostics()).map((document) => document.toJS() as Document)
  return {
    name: recorded.name,
    workload,
    mesh,
    documents,
    listener: {
      trustDomains: recorded.anyTrustDomain ? ['*'] : [mesh.trustDomain, ...mesh.trustDomainAliases],
      strict: isStrict(documents),
      pathNormalization: settings?.pathNormalization?.normalization ?? 'BASE',
      jwtRules: documents
        .filter(({ kind }) => kind === 'RequestAuthentication')
        .flatMap(({ spec }) => spec?.jwtRules ?? []),
      ...(recorded.metadata && { metadata: recorded.metadata }),
    },
    invalid: Boolean(recorded.rejected ?? recorded.refusedByWebhook),
    configuration,
    diagnostics: diagnostics.toJSON(),
    requests: recorded.requests.filter(({ proto }) => proto !== 'tcp'),
    tcp: recorded.requests.filter(({ proto }) => proto === 'tcp'),
  }
}

interface MeshSettings {
  pathNormalization?: { normalization?: ListenerSettings['pathNormalization'] }
}

/** The mode for the port goes before the one for all. */
function isStrict(documents: readonly Document[]): boolean {
  return documents.some(
    ({ kind, spec }) =>
      kind === 'PeerAuthentication' && (spec?.portLevelMtls?.[PORT]?.mode ?? spec?.mtls?.mode) === 'STRICT',
  )
}
