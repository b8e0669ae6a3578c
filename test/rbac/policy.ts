/** AuthorizationPolicy as the generator makes it and the translator reads it. */

export type Action = 'ALLOW' | 'DENY' | 'AUDIT' | 'CUSTOM'

export interface AuthorizationPolicy {
  apiVersion: 'security.istio.io/v1'
  kind: 'AuthorizationPolicy'
  metadata: { name: string; namespace: string; annotations?: Record<string, string> }
  spec: Spec
}

export interface Spec {
  /** Default ALLOW. */
  action?: Action
  provider?: { name: string }
  rules?: Rule[]
}

export interface Rule {
  from?: { source: Source }[]
  to?: { operation: Operation }[]
  when?: Condition[]
}

export type SourceField =
  'principals' | 'requestPrincipals' | 'namespaces' | 'serviceAccounts' | 'trustDomains' | 'ipBlocks' | 'remoteIpBlocks'
export type OperationField = 'hosts' | 'methods' | 'paths' | 'ports'

/** A field and what it is called when it must not match. */
type Negatable<Field extends string> = Field | `not${Capitalize<Field>}`
export type Source = Partial<Record<Negatable<SourceField>, string[]>>
export type Operation = Partial<Record<Negatable<OperationField>, string[]>>

export interface Condition {
  key: string
  values?: string[]
  notValues?: string[]
}

/** What a mesh calls itself: its trust domain, then its aliases. */
export type TrustDomains = readonly [string, ...string[]]

/** `principals` → `notPrincipals`. */
export function negated<Field extends string>(field: Field): `not${Capitalize<Field>}` {
  return `not${field[0]!.toUpperCase()}${field.slice(1)}` as `not${Capitalize<Field>}`
}
