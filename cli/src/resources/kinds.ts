/** The kinds of resources that are known, and what becomes of each. */
import { authorizationPolicySchema, checkAuthorizationPolicy } from './authorization-policy.ts'
import type { Diagnostics } from './diagnostics.ts'
import { nearest } from './nearest.ts'
import type { Schema } from './schema.ts'

export type Kind =
  /** Parsed and checked: `spec` by its schema, then `check` for what a schema can't say. */
  | {
      use: 'read'
      versions: readonly string[]
      spec: Schema
      check: (resource: never, diagnostics: Diagnostics) => void
    }
  /** Of no consequence for the filters. */
  | { use: 'ignore'; versions: readonly string[]; why: string }
  /** Of consequence, but not read: leaving it out would change decisions. */
  | { use: 'refuse'; versions: readonly string[]; why: string }

const istioSecurity = ['v1', 'v1beta1']

/** Groups whose every kind must be known: a kind that is misspelt here must not pass as one of no consequence. */
const groups: Record<string, Record<string, Kind>> = {
  'security.istio.io': {
    AuthorizationPolicy: {
      use: 'read',
      versions: istioSecurity,
      spec: authorizationPolicySchema,
      check: checkAuthorizationPolicy,
    },
    RequestAuthentication: {
      use: 'ignore',
      versions: istioSecurity,
      why: "Envoy's own jwt_authn filter verifies tokens",
    },
    PeerAuthentication: { use: 'ignore', versions: istioSecurity, why: "Envoy's listener terminates TLS" },
  },
  'access.smi-spec.io': {
    TrafficTarget: refused(['v1alpha1', 'v1alpha2', 'v1alpha3']),
  },
  'specs.smi-spec.io': {
    HTTPRouteGroup: refused(['v1alpha1', 'v1alpha2', 'v1alpha3', 'v1alpha4']),
    TCPRoute: refused(['v1alpha1', 'v1alpha2', 'v1alpha3', 'v1alpha4']),
    UDPRoute: { use: 'ignore', versions: ['v1alpha4'], why: 'it is not about HTTP' },
  },
}

/** Cilium's other kinds are of no consequence, so that its group is not complete here. */
const singleKinds: Record<string, Record<string, Kind>> = {
  'cilium.io': { CiliumNetworkPolicy: refused(['v2']), CiliumClusterwideNetworkPolicy: refused(['v2']) },
}

/** Groups that Istio has given up; what they said would be lost silently. */
const retired: Record<string, string> = {
  'rbac.istio.io': 'Istio removed this group in version 1.6: write an AuthorizationPolicy of security.istio.io/v1',
  'authentication.istio.io':
    'Istio removed this group in version 1.6: write a PeerAuthentication of security.istio.io/v1',
}

/** Other groups with a kind of a name that is known here. */
const foreign: Record<string, readonly string[]> = {
  AuthorizationPolicy: ['policy.linkerd.io'],
  TCPRoute: ['gateway.networking.k8s.io'],
  UDPRoute: ['gateway.networking.k8s.io'],
}

function refused(versions: readonly string[]): Kind {
  return { use: 'refuse', versions, why: 'this version of meshscript reads only AuthorizationPolicy' }
}

export type Lookup = Kind | { use: 'unknown'; message: string; hint: string }

/** What to do with a resource of this group, version and kind. */
export function findKind(group: string, version: string, kind: string): Lookup {
  if (Object.hasOwn(retired, group)) {
    return { use: 'unknown', message: `the group ${group} is no longer served`, hint: retired[group]! }
  }
  const complete = Object.hasOwn(groups, group) ? groups[group] : undefined
  const kinds = complete ?? (Object.hasOwn(singleKinds, group) ? singleKinds[group]! : {})
  const found = Object.hasOwn(kinds, kind) ? kinds[kind] : undefined
  if (found) {
    if (found.versions.includes(version)) return found
    return {
      use: 'unknown',
      message: `${kind} has no version ${JSON.stringify(version)}`,
      hint: `write apiVersion: ${found.versions.map((each) => `${group}/${each}`).join(' or ')}`,
    }
  }
  if (complete) {
    const near = nearest(kind, Object.keys(complete))
    return {
      use: 'unknown',
      message: `${group} has no kind ${JSON.stringify(kind)}`,
      hint: near ? `did you mean ${near}?` : `known kinds: ${Object.keys(complete).join(', ')}`,
    }
  }
  return findMisspelt(group, kind) ?? { use: 'ignore', versions: [version], why: 'it has no bearing on authorization' }
}

/** A policy whose group is misspelt would be left out without a word: it must be an error. */
function findMisspelt(group: string, kind: string): Lookup | undefined {
  const owner = Object.keys(groups).find((each) => Object.hasOwn(groups[each]!, kind))
  const isForeign = foreign[kind]?.includes(group)
  const meant = owner && !isForeign ? owner : nearest(group, [...Object.keys(groups), ...Object.keys(singleKinds)], 2)
  if (!meant || meant === group) return undefined
  return {
    use: 'unknown',
    message: `unknown group ${JSON.stringify(group)} of kind ${kind}`,
    hint: `did you mean ${meant}?`,
  }
}
