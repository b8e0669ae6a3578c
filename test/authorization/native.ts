/**
 * The judge: Envoy's native RBAC filter behind the same listener, with the rules that `test/rbac/translate` makes of the
 * policies as istiod does.
 */
import { createEnvoyHost, extension, type Json, metadataFilter } from '@meshscript/sdk/testing/envoy/index'
import type { Host, Response } from '@meshscript/sdk/testing/types'
import type { AuthorizationPolicy, TrustDomains } from '../rbac/policy.ts'
import { type RuleSets, translate } from '../rbac/translate/index.ts'
import type { AuthorizationCase, Document, Outcome } from './cases.ts'
import { listenerOptions } from './listener.ts'

export function createNativeHost(each: AuthorizationCase): Promise<Host> {
  const { metadata, ...options } = listenerOptions(each.listener)
  const { http_filters: inFront, ...connectionManager } = options.connectionManager!
  return createEnvoyHost({
    ...options,
    connectionManager: {
      ...connectionManager,
      http_filters: [...(inFront as Json[]), ...(metadata ? [metadataFilter(metadata)] : []), ...rbacFilters(each)],
      route_config: { response_headers_to_add: REPORT },
      local_reply_config: { mappers: [{ filter: ANY_STATUS, headers_to_add: REPORT }] },
    },
  })
}

/** What the native filters say, in the form of the recording. */
export function nativeOutcome(response: Response, { documents }: AuthorizationCase): Outcome {
  const { status, details, headers, grpcStatus } = response
  if (status === 0) return { decision: 'connection-refused', status }
  const denied = /^rbac_access_denied_matched_policy\[(.*)\]$/s.exec(details)
  if (denied && status !== (grpcStatus === 7 ? 200 : 403)) throw new Error(`refused with ${status}`)
  if (status !== 200 && !denied) return { decision: `status-${status}`, status }
  const { enforced, shadow } = metadata(headers.get('x-rbac'))
  const policyId = denied ? denied[1]! : (enforced ?? 'none')
  const audit = documents.some(isAudit) && { audit: headers.get('x-audit') === 'true' }
  return {
    decision: denied ? 'deny' : 'allow',
    status,
    ...(policyId !== 'none' && { policyId }),
    ...(shadow && { shadow }),
    ...audit,
    ...(grpcStatus !== undefined && { grpcStatus }),
  }
}

const REPORT = [
  ['x-rbac', '%DYNAMIC_METADATA(envoy.filters.http.rbac)%'],
  ['x-audit', '%DYNAMIC_METADATA(envoy.common:access_log_hint)%'],
].map(([key, value]) => ({ header: { key, value }, append_action: 'OVERWRITE_IF_EXISTS_OR_ADD' }))
const ANY_STATUS = {
  status_code_filter: { comparison: { op: 'GE', value: { default_value: 0, runtime_key: 'native.status' } } },
}

/** Of all stages the last one that had a rule says which: DENY refused, or ALLOW let it pass. AUDIT only looks. */
function metadata(text = '{}'): { enforced?: string; shadow?: Record<string, string> } {
  const all = Object.entries(JSON.parse(text === '-' ? '{}' : text) as Record<string, string>)
  const shadow = all.filter(([key]) => key.startsWith('istio_dry_run_'))
  const enforced = all.find(([key]) => key === `${ALLOWED}enforced_effective_policy_id`)?.[1]
  return { ...(enforced && { enforced }), ...(shadow.length > 0 && { shadow: Object.fromEntries(shadow.sort()) }) }
}

const ALLOWED = 'allow_'

function rbacFilters({ documents, workload, mesh }: AuthorizationCase): Json[] {
  const domains: TrustDomains = [mesh.trustDomain, ...mesh.trustDomainAliases]
  const policies = documents.filter(isPolicy).filter(({ metadata: { namespace }, spec }) => {
    const labels = Object.entries((spec as Document['spec'])?.selector?.matchLabels ?? {})
    const near = namespace === workload.namespace || namespace === mesh.rootNamespace
    return near && labels.every(([key, value]) => workload.labels[key] === value)
  })
  const { custom, audit, deny, allow } = translate(policies, domains)
  return [
    ...custom.map((rules) => rbac({ rules })),
    ...stage(audit),
    ...stage(deny, 'istio_dry_run_deny_'),
    ...stage(allow, 'istio_dry_run_allow_', ALLOWED),
  ]
}

const isPolicy = (document: Document): document is Document & AuthorizationPolicy =>
  document.kind === 'AuthorizationPolicy'
const isAudit = (document: Document) => isPolicy(document) && document.spec.action === 'AUDIT'

/** A dry run has a filter of its own in front: what it found is not told in the answer of the filter that refuses. */
function stage({ rules, shadowRules }: RuleSets, dryRun = '', prefix = ''): Json[] {
  return [
    ...(shadowRules ? [rbac({ shadow_rules: shadowRules, shadow_rules_stat_prefix: dryRun })] : []),
    ...(rules ? [rbac({ rules, ...(prefix && { rules_stat_prefix: prefix }) })] : []),
  ]
}

const rbac = (config: Json) =>
  extension('envoy.filters.http.rbac', 'envoy.extensions.filters.http.rbac.v3.RBAC', config)
