/**
 * AuthorizationPolicies of one workload as Envoy's native RBAC filters, as istiod generates them (pilot/pkg/security/authz/builder).
 * Shares nothing with our compiler, so that neither can hide the other's mistakes.
 */

import type { Json } from '@meshscript/sdk/testing/envoy/index'
import type { AuthorizationPolicy, TrustDomains } from '../policy.ts'
import { translateRule } from './rule.ts'

/** Rule sets of one action: what is enforced and what is a dry run. Undefined: no policy. */
export interface RuleSets {
  rules?: Json
  shadowRules?: Json
}

/** All stages, in the order of evaluation. */
export interface NativeRbac {
  /** CUSTOM policies whose provider is not known: matching requests are refused. One for each provider, by its name. */
  custom: Json[]
  audit: RuleSets
  deny: RuleSets
  allow: RuleSets
}

const NEVER: Json = { permissions: [{ notRule: { any: true } }], principals: [{ notId: { any: true } }] }
const TRUE = new Set(['1', 't', 'T', 'TRUE', 'true', 'True'])

export function isDryRun({ metadata }: AuthorizationPolicy): boolean {
  return TRUE.has(metadata.annotations?.['istio.io/dry-run'] ?? '')
}

export function translate(policies: readonly AuthorizationPolicy[], trustDomains: TrustDomains): NativeRbac {
  const of = (action: string) => policies.filter(({ spec }) => (spec.action ?? 'ALLOW') === action)
  const sets = (action: string, name?: string): RuleSets => {
    const [enforced, dryRun] = [false, true].map((kind) => of(action).filter((each) => isDryRun(each) === kind))
    return {
      ...(enforced!.length > 0 && { rules: rbac(enforced!, name, trustDomains) }),
      ...(dryRun!.length > 0 && { shadowRules: rbac(dryRun!, name, trustDomains) }),
    }
  }
  return {
    custom: unknownProviders(of('CUSTOM'), trustDomains),
    audit: sets('AUDIT', 'LOG'),
    deny: sets('DENY', 'DENY'),
    allow: sets('ALLOW'),
  }
}

/** `action`: undefined is ALLOW, protobuf's default. */
function rbac(
  policies: readonly AuthorizationPolicy[],
  action: string | undefined,
  trustDomains: TrustDomains,
  id = (name: string) => name,
): Json {
  const entries = policies.flatMap(({ metadata: { name, namespace }, spec: { rules = [] } }) => {
    const policy = (index: number) => id(`ns[${namespace}]-policy[${name}]-rule[${index}]`)
    if (rules.length === 0) return [[policy(0), NEVER] as const]
    return rules.map((rule, index) => [policy(index), translateRule(rule, { namespace, trustDomains })] as const)
  })
  return { ...(action && { action }), policies: Object.fromEntries(entries) }
}

function unknownProviders(policies: readonly AuthorizationPolicy[], trustDomains: TrustDomains): Json[] {
  const providers = [...new Set(policies.map(({ spec }) => spec.provider!.name))].sort()
  return providers.map((provider) =>
    rbac(
      policies.filter((each) => each.spec.provider!.name === provider && !isDryRun(each)),
      'DENY',
      trustDomains,
      (name) => `istio-ext-authz-${provider}-${name}-deny-due-to-bad-CUSTOM-action`,
    ),
  )
}
