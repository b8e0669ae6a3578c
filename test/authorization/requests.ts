/** Requests of the cases for test hosts, and what hosts must answer. */
import type { HostName, NodeRequestInit, RequestInit, Response } from '@meshscript/sdk/testing'
import type { AuthorizationCase, Outcome, RecordedRequest, SentRequest } from './cases.ts'
import { DIRECT_ADDRESS } from './listener.ts'
import { payload, signToken } from './tokens.ts'

/** Filter state that the filter leaves, as `HostOptions.filterState`. */
export const FILTER_STATE = ['policy', 'audit', 'dry_run.deny', 'dry_run.allow'].map((name) => `authorization.${name}`)

/** A request for a host. Undefined: only real Envoy has the filter that refuses it. */
export function toRequestInit(request: RecordedRequest, host: HostName): NodeRequestInit | undefined {
  if (host !== 'node') return wire(request)
  if (request.jwt !== undefined && !isByFilter(request)) return undefined
  const { jwt, ...rest } = request
  return {
    ...wire(rest),
    filterState: { [DIRECT_ADDRESS]: request.src ?? '127.0.0.1' },
    // What jwt_authn does: the token is verified and taken away, its claims are left.
    ...(typeof jwt === 'object' && { metadata: { 'envoy.filters.http.jwt_authn': { payload: payload(jwt) } } }),
  }
}

function wire(request: SentRequest): RequestInit {
  const { method = 'GET', path = '/', host = 'httpbin.foo', src, peer, sni, raw, jwt } = request
  const connection = { ...(src && { source: src }), ...(peer && { peer: peer.split('|') }), ...(sni && { sni }) }
  const token: Record<string, string> =
    jwt === undefined ? {} : { authorization: `Bearer ${typeof jwt === 'string' ? jwt : signToken(jwt)}` }
  const headers = { ...request.headers, ...token }
  if (raw !== undefined) return { ...connection, raw: Buffer.from(raw, 'latin1') }
  if (!isAscii(JSON.stringify([path, host, headers]))) {
    // Hosts send text as UTF-8, recorded clients did as Latin-1.
    const lines = Object.entries(headers).flatMap(([name, value]) => [value].flat().map((each) => `${name}: ${each}`))
    const text = [`${method} ${path} HTTP/1.1`, `Host: ${host}`, ...lines, '', ''].join('\r\n')
    return { ...connection, raw: Buffer.from(text, 'latin1') }
  }
  return { ...connection, method, path, authority: host, headers }
}

// eslint-disable-next-line no-control-regex
const isAscii = (text: string) => /^[\x00-\x7f]*$/.test(text)

/** Everything that is compared, by the filter's own names. */
export interface Observed {
  status: number
  grpcStatus?: number
  grpcMessage?: string
  text?: string
  details?: string
  policy?: string
  audit?: string
  denyDryRun?: string
  allowDryRun?: string
  /** As the service got it. */
  path?: string
  authority?: string
}

export const isByFilter = ({ decision }: Outcome) => decision === 'allow' || decision === 'deny'

export function expectedOutcome(request: RecordedRequest, { documents }: AuthorizationCase): Observed {
  const { decision, status = 0, policyId = 'none', audit, shadow, grpcStatus, seen } = request
  if (!isByFilter(request)) return { status }
  const has = (dryRun: string) => shadow && Object.keys(shadow).some((key) => key.startsWith(dryRun))
  const id = (dryRun: string) => shadow?.[`${dryRun}_shadow_effective_policy_id`] ?? 'none'
  const common = {
    policy: policyId,
    ...(documents.some(isAudit) && { audit: audit ? 'true' : 'absent' }),
    ...(has(DENY) && { denyDryRun: id(DENY) }),
    ...(has(ALLOW) && { allowDryRun: id(ALLOW) }),
  }
  if (decision === 'allow') {
    const { path, authority } = seen ?? {}
    return {
      status: 200,
      ...common,
      ...(path !== undefined && { path }),
      ...(authority !== undefined && { authority }),
    }
  }
  const isGrpc = grpcStatus !== undefined
  return {
    status: isGrpc ? 200 : 403,
    ...(isGrpc && { grpcStatus, grpcMessage: DENIED }),
    text: request.method === 'HEAD' || isGrpc ? '' : DENIED,
    details: `rbac_access_denied_matched_policy[${policyId}]`,
    ...common,
  }
}

const DENIED = 'RBAC: access denied'
const DENY = 'istio_dry_run_deny'
const ALLOW = 'istio_dry_run_allow'
const isAudit = (document: { spec?: object }) => (document.spec as { action?: string } | undefined)?.action === 'AUDIT'

/** As much of an answer as `expected` has. */
export function observedOutcome(response: Response, expected: Observed): Observed {
  const { status, text, details, filterState, grpcStatus, grpcMessage, upstream } = response
  const state = (name: string) => filterState[`authorization.${name}`] ?? 'absent'
  const observed = {
    status,
    grpcStatus,
    grpcMessage,
    text,
    details,
    policy: state('policy'),
    audit: state('audit'),
    denyDryRun: state('dry_run.deny'),
    allowDryRun: state('dry_run.allow'),
    path: upstream?.path,
    authority: upstream?.authority,
  }
  return Object.fromEntries(Object.entries(observed).filter(([key]) => key in expected)) as unknown as Observed
}
