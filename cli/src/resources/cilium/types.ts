/** Cilium's network policies (cilium.io/v2), as far as they matter to HTTP requests. */
import type { Resource } from '../resource.ts'

export interface SelectorRequirement {
  key: string
  operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist'
  values?: string[]
}

/** Labels of endpoints. Keys may have a source in front: `k8s:app`, `any:app`, `reserved:host`. */
export interface EndpointSelector {
  matchLabels?: Record<string, string>
  matchExpressions?: SelectorRequirement[]
}

export interface CidrRule {
  cidr?: string
  except?: string[]
  cidrGroupRef?: string
  cidrGroupSelector?: EndpointSelector
}

export interface HeaderMatch {
  name: string
  value?: string
  secret?: { name: string; namespace?: string }
  /** Absent or empty: the rule does not match. */
  mismatch?: '' | 'LOG' | 'ADD' | 'DELETE' | 'REPLACE'
}

/** Expressions match the whole text. */
export interface HttpRule {
  path?: string
  method?: string
  host?: string
  /** `Name: value` or `Name`. */
  headers?: string[]
  headerMatches?: HeaderMatch[]
}

export interface PortProtocol {
  /** A number or the name of a container's port. */
  port: string
  endPort?: number
  protocol?: string
}

export interface PortRule {
  ports?: PortProtocol[]
  rules?: { http?: HttpRule[]; kafka?: unknown[]; dns?: unknown[]; l7proto?: string; l7?: unknown[] }
  serverNames?: string[]
  terminatingTLS?: unknown
  originatingTLS?: unknown
  listener?: unknown
}

export interface Fqdn {
  matchName?: string
  matchPattern?: string
}

export interface ServiceRef {
  k8sService?: { serviceName?: string; namespace?: string }
  k8sServiceSelector?: { selector: EndpointSelector; namespace?: string }
}

/** An entry of `ingress`, `egress`, `ingressDeny` or `egressDeny`; each has only the fields of its direction. */
export interface DirectionRule {
  fromEndpoints?: EndpointSelector[]
  fromCIDR?: string[]
  fromCIDRSet?: CidrRule[]
  fromEntities?: string[]
  fromGroups?: unknown[]
  fromNodes?: unknown[]
  fromRequires?: unknown[]
  toEndpoints?: EndpointSelector[]
  toCIDR?: string[]
  toCIDRSet?: CidrRule[]
  toEntities?: string[]
  toFQDNs?: Fqdn[]
  toServices?: ServiceRef[]
  toGroups?: unknown[]
  toNodes?: unknown[]
  toRequires?: unknown[]
  toPorts?: PortRule[]
  icmps?: unknown[]
  authentication?: { mode: 'required' | 'disabled' | 'test-always-fail' }
}

export const sections = ['ingress', 'ingressDeny', 'egress', 'egressDeny'] as const
export type Section = (typeof sections)[number]

export type CiliumRule = { [Name in Section]?: DirectionRule[] } & {
  endpointSelector?: EndpointSelector
  nodeSelector?: EndpointSelector
  enableDefaultDeny?: { ingress?: boolean; egress?: boolean }
}

/** Fields that say who the other side is. Only one of them may be there. */
export const peerFields = {
  ingress: ['fromEndpoints', 'fromCIDR', 'fromCIDRSet', 'fromEntities', 'fromGroups', 'fromNodes'],
  egress: ['toEndpoints', 'toCIDR', 'toCIDRSet', 'toEntities', 'toFQDNs', 'toServices', 'toGroups', 'toNodes'],
} as const

export const isClusterwide = (resource: Resource) => resource.kind === 'CiliumClusterwideNetworkPolicy'

/** The rules of a policy, of `spec` and of `specs`, with their places. */
export function rulesOf(resource: Resource): { rule: CiliumRule; path: (string | number)[] }[] {
  const { spec, specs } = resource.fields as { spec?: CiliumRule; specs?: CiliumRule[] }
  return [
    ...(spec ? [{ rule: spec, path: ['spec'] }] : []),
    ...(specs ?? []).map((rule, index) => ({ rule, path: ['specs', index] })),
  ]
}

/** The kinds of rules for a protocol that a port rule has. */
export function protocolsOf({ rules = {} }: PortRule): string[] {
  const { http, kafka, dns, l7proto } = rules
  return [http && 'http', kafka && 'kafka', dns && 'dns', l7proto].filter((name) => typeof name === 'string')
}
