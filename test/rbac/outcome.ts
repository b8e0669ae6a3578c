/** What both filters decided, as the arena's response headers tell it. */

import { DRY_RUN, SHADOW } from './arena.ts'
import type { WireResponse } from './client.ts'

export interface Decision {
  verdict: 'allowed' | 'denied'
  /** Id of the deciding rule, or `none`. */
  policy: string
  /** Whether an AUDIT rule matched. */
  audit: boolean
  /** Id of the rule that would decide; undefined where there is no dry run, or where it is not comparable. */
  dryRunDeny?: string
  dryRunAllow?: string
}

export interface Outcome {
  native: Decision
  ours: Decision
}

/** Undefined where Envoy answered before any filter. */
export function readOutcome({ status, headers }: WireResponse): Outcome | undefined {
  const value = (name: string): string | undefined => (headers[name] === '-' ? undefined : headers[name])
  const details = value('x-details')
  const rbac = value('x-native')
  if (rbac === undefined) return undefined
  // The router's answers; it has no route where the scheme is missing.
  const isRouted = details === 'direct_response' || details === 'route_not_found'
  const metadata = JSON.parse(rbac) as Record<string, string>
  const native = nativeDecision(metadata, value('x-native-audit') === 'true')
  const denied = /^rbac_access_denied_matched_policy\[(.*)\]$/.exec(details ?? '')?.[1]
  const ours: Decision = {
    verdict: isRouted ? 'allowed' : 'denied',
    policy: denied ?? (isRouted ? (value('x-policy') ?? 'not recorded') : `answer ${status} ${details}`),
    audit: value('x-audit') === 'true',
    ...(native.dryRunDeny !== undefined && { dryRunDeny: value('x-dry-run-deny') ?? 'not recorded' }),
    ...(native.dryRunAllow !== undefined && { dryRunAllow: value('x-dry-run-allow') ?? 'not recorded' }),
  }
  return { native, ours }
}

/** CUSTOM, then DENY, then ALLOW: the first that refuses decides. */
function nativeDecision(metadata: Record<string, string>, audit: boolean): Decision {
  const stage = (prefix: string) => {
    const result = metadata[`${prefix}shadow_engine_result`]
    return result === undefined
      ? undefined
      : { result, policy: metadata[`${prefix}shadow_effective_policy_id`] ?? 'none' }
  }
  const customs = Object.keys(metadata).flatMap((key) => /^real_custom_\d+_/.exec(key)?.[0] ?? [])
  const refusing = [...[...new Set(customs)].sort(), SHADOW.deny].map(stage).find((each) => each?.result === 'denied')
  const allow = stage(SHADOW.allow)
  const decided = refusing ?? allow ?? { result: 'allowed', policy: 'none' }
  const dryRunDeny = stage(DRY_RUN.deny)?.policy
  const dryRunAllow = stage(DRY_RUN.allow)?.policy
  const beforeDeny = [...new Set(customs)].map(stage).some((each) => each?.result === 'denied')
  return {
    verdict: decided.result === 'denied' ? 'denied' : 'allowed',
    policy: decided.policy,
    // In Istio's chain a filter that refuses is the last one that the request sees; AUDIT comes after CUSTOM.
    audit: audit && !beforeDeny,
    ...(dryRunDeny !== undefined && !beforeDeny && { dryRunDeny }),
    ...(dryRunAllow !== undefined && !refusing && { dryRunAllow }),
  }
}

/** The names of what differs. */
export function differences({ native, ours }: Outcome): (keyof Decision)[] {
  const keys: (keyof Decision)[] = ['verdict', 'policy', 'audit', 'dryRunDeny', 'dryRunAllow']
  return keys.filter((key) => native[key] !== ours[key])
}
