/** Cilium's label selectors: whom they select, as far as the input tells. */
import type { EndpointSelector, SelectorRequirement } from '../../resources/cilium/types.ts'
import type { Inventory, Labels } from '../../resources/kubernetes/inventory.ts'

/** A pod as Cilium sees it. */
export interface Endpoint {
  namespace: string
  labels: Labels
  /** Undefined: not known. */
  serviceAccount: string | undefined
}

/** `unknown`: it depends on something that is not in the input. */
export type Selection = boolean | 'unknown'

export interface Requirement {
  /** Without the source that may be in front of it. */
  key: string
  /** What the label comes from: `k8s`, `any` (also where none is written), `reserved`… */
  source: string
  operator: SelectorRequirement['operator']
  values: readonly string[]
}

export const namespaceKey = 'io.kubernetes.pod.namespace'
export const accountKey = 'io.cilium.k8s.policy.serviceaccount'
const clusterKey = 'io.cilium.k8s.policy.cluster'
const namespaceLabel = 'io.cilium.k8s.namespace.labels.'
/** Kubernetes gives it to every namespace. */
const namespaceNameLabel = `${namespaceLabel}kubernetes.io/metadata.name`

/** All that a selector asks for. */
export function requirementsOf({ matchLabels = {}, matchExpressions = [] }: EndpointSelector): Requirement[] {
  return [
    ...Object.entries(matchLabels).map(([key, value]) => ({
      ...splitKey(key),
      operator: 'In' as const,
      values: [value],
    })),
    ...matchExpressions.map(({ key, operator, values = [] }) => ({ ...splitKey(key), operator, values })),
  ].map((each) => (each.key === namespaceNameLabel ? { ...each, key: namespaceKey } : each))
}

function splitKey(text: string): { key: string; source: string } {
  const colon = text.indexOf(':')
  return colon < 0 ? { key: text, source: 'any' } : { source: text.slice(0, colon), key: text.slice(colon + 1) }
}

/** Whether a requirement is about the namespace of a pod, not the pod. */
export const isAboutNamespace = ({ key }: Requirement) => key === namespaceKey || key.startsWith(namespaceLabel)

/** Whether it holds for every pod of the one cluster that a mesh is taken for. */
export const isAboutCluster = ({ key, operator }: Requirement) => key === clusterKey && operator === 'Exists'

/** Whether a pod has another source of labels than Kubernetes: it does not. */
export const isForeign = ({ source }: Requirement) => source !== 'k8s' && source !== 'any'

/** Whether a pod is selected. */
export function selectsEndpoint(
  requirements: readonly Requirement[],
  endpoint: Endpoint,
  inventory: Inventory,
): Selection {
  const results = requirements.map((each) => holds(each, endpoint, inventory))
  if (results.includes(false)) return false
  return results.includes('unknown') ? 'unknown' : true
}

function holds(requirement: Requirement, endpoint: Endpoint, inventory: Inventory): Selection {
  const value = isForeign(requirement) ? undefined : valueOf(requirement.key, endpoint, inventory)
  const { operator, values } = requirement
  if (operator === 'Exists' || operator === 'DoesNotExist') {
    // Whatever a pod's account or cluster is called, it has one; whether its namespace has a label is not known.
    if (value === 'unknown' && requirement.key.startsWith(namespaceLabel)) return 'unknown'
    return (value !== undefined) === (operator === 'Exists')
  }
  if (value === 'unknown') return 'unknown'
  const isIn = value !== undefined && values.includes(value.text)
  return isIn === (operator === 'In')
}

function valueOf(
  key: string,
  { namespace, labels, serviceAccount }: Endpoint,
  inventory: Inventory,
): { text: string } | 'unknown' | undefined {
  const known = (text: string | undefined) => (text === undefined ? undefined : { text })
  if (key === namespaceKey) return known(namespace)
  if (key === accountKey) return known(serviceAccount) ?? 'unknown'
  if (key === clusterKey) return 'unknown'
  if (key.startsWith(namespaceLabel)) {
    const all = inventory.namespaceLabels(namespace)
    return all ? known(own(all, key.slice(namespaceLabel.length))) : 'unknown'
  }
  return known(own(labels, key))
}

const own = (labels: Labels, key: string) => (Object.hasOwn(labels, key) ? labels[key] : undefined)
