/** The kinds of resources that are known, and what becomes of each. */
import { cilium } from './cilium/index.ts'
import { gatewayApi } from './gateway-api/index.ts'
import { istio } from './istio.ts'
import type { Family, Kind } from './kind.ts'
import { kubernetes } from './kubernetes/index.ts'
import { linkerd } from './linkerd/index.ts'
import { nearest } from './nearest.ts'
import { smi } from './smi/index.ts'

/** A new family is added here, and nowhere else. */
const families: readonly Family[] = [istio, smi, cilium, gatewayApi, linkerd, kubernetes]

const groups = Object.fromEntries(families.flatMap((family) => Object.entries(family.groups)))
const complete = new Set(families.flatMap((family) => family.complete ?? []))

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

/** The newest `apiVersion` of a kind, where it is known in one group alone. */
export function apiVersionOf(kind: string | undefined): string | undefined {
  const found = Object.entries(groups).flatMap(([group, kinds]) =>
    kind !== undefined && Object.hasOwn(kinds, kind) ? [{ group, versions: kinds[kind]!.versions }] : [],
  )
  if (found.length !== 1) return undefined
  const { group, versions } = found[0]!
  // Versions are listed from v1 downwards, or from v1alpha1 upwards.
  const newest = versions.includes('v1') ? 'v1' : versions.at(-1)
  return [group, newest].filter(Boolean).join('/')
}

export type Lookup = Kind | { use: 'unknown'; field: 'apiVersion' | 'kind'; message: string; hint: string }

/** What to do with a resource of this group, version and kind. */
export function findKind(group: string, version: string, kind: string): Lookup {
  if (Object.hasOwn(retired, group)) {
    return {
      use: 'unknown',
      field: 'apiVersion',
      message: `the group ${group} is no longer served`,
      hint: retired[group]!,
    }
  }
  const kinds = Object.hasOwn(groups, group) ? groups[group]! : {}
  const found = Object.hasOwn(kinds, kind) ? kinds[kind] : undefined
  if (found) {
    if (found.versions.includes(version)) return found
    return {
      use: 'unknown',
      field: 'apiVersion',
      message: `${kind} has no version ${JSON.stringify(version)}`,
      hint: `write apiVersion: ${found.versions.map((each) => [group, each].filter(Boolean).join('/')).join(' or ')}`,
    }
  }
  if (complete.has(group)) {
    const near = nearest(kind, Object.keys(kinds))
    return {
      use: 'unknown',
      field: 'kind',
      message: `${group} has no kind ${JSON.stringify(kind)}`,
      hint: near ? `did you mean ${near}?` : `known kinds: ${Object.keys(kinds).join(', ')}`,
    }
  }
  return findMisspelt(group, kind) ?? { use: 'ignore', versions: [version], why: 'the filters do without it' }
}

/** A policy whose group is misspelt would be left out without a word: it must be an error. */
function findMisspelt(group: string, kind: string): Lookup | undefined {
  const owner = [...complete].find((each) => Object.hasOwn(groups[each]!, kind))
  const isForeign = Object.hasOwn(foreign, kind) && foreign[kind]!.includes(group)
  const meant = owner && !isForeign ? owner : nearest(group, Object.keys(groups).filter(Boolean), 2)
  if (!meant || meant === group) return undefined
  return {
    use: 'unknown',
    field: 'apiVersion',
    message: `unknown group ${JSON.stringify(group)} of kind ${kind}`,
    hint: `did you mean ${meant}?`,
  }
}
