/** Istio's AuthorizationPolicy (security.istio.io): its fields. */
import type { Resource } from './resource.ts'
import type { Schema } from './schema.ts'
import { targetFields, type Targets } from './targets.ts'

export { isPathTemplate } from './authorization-values.ts'

export type Action = 'ALLOW' | 'DENY' | 'AUDIT' | 'CUSTOM'

export const sourceFields = [
  'principals',
  'notPrincipals',
  'requestPrincipals',
  'notRequestPrincipals',
  'namespaces',
  'notNamespaces',
  'serviceAccounts',
  'notServiceAccounts',
  'trustDomains',
  'notTrustDomains',
  'ipBlocks',
  'notIpBlocks',
  'remoteIpBlocks',
  'notRemoteIpBlocks',
] as const

export const operationFields = [
  'hosts',
  'notHosts',
  'ports',
  'notPorts',
  'methods',
  'notMethods',
  'paths',
  'notPaths',
] as const

export type SourceMatch = { [Field in (typeof sourceFields)[number]]?: string[] }
export type OperationMatch = { [Field in (typeof operationFields)[number]]?: string[] }

export interface Condition {
  key: string
  values?: string[]
  notValues?: string[]
}

export interface Rule {
  from?: { source: SourceMatch }[]
  to?: { operation: OperationMatch }[]
  when?: Condition[]
}

export interface AuthorizationPolicySpec extends Targets {
  action?: Action
  provider?: { name?: string }
  rules?: Rule[]
}

export type AuthorizationPolicy = Resource<AuthorizationPolicySpec>

const values: Schema = { type: 'array', items: { type: 'string' } }
const fields = (names: readonly string[]) => Object.fromEntries(names.map((name) => [name, values]))

const serviceAccounts: Schema = { type: 'array', maxItems: 16, items: { type: 'string', maxLength: 320 } }

const rule: Schema = {
  type: 'object',
  properties: {
    from: {
      type: 'array',
      maxItems: 512,
      items: {
        type: 'object',
        required: ['source'],
        properties: {
          source: {
            type: 'object',
            properties: { ...fields(sourceFields), serviceAccounts, notServiceAccounts: serviceAccounts },
          },
        },
      },
    },
    to: {
      type: 'array',
      items: {
        type: 'object',
        required: ['operation'],
        properties: { operation: { type: 'object', properties: fields(operationFields) } },
      },
    },
    when: {
      type: 'array',
      items: {
        type: 'object',
        required: ['key'],
        properties: { key: { type: 'string', minLength: 1 }, values, notValues: values },
      },
    },
  },
}

/** Schema of `spec`. */
export const authorizationPolicySchema: Schema = {
  type: 'object',
  properties: {
    ...targetFields,
    action: { type: 'string', enum: ['ALLOW', 'DENY', 'AUDIT', 'CUSTOM'] },
    provider: { type: 'object', properties: { name: { type: 'string', minLength: 1 } } },
    rules: { type: 'array', maxItems: 512, items: rule },
  },
}

/** Keys of `when` that stand alone. */
const plainKeys = [
  'source.ip',
  'remote.ip',
  'source.namespace',
  'source.principal',
  'source.serviceAccount',
  'source.trustDomain',
  'request.auth.principal',
  'request.auth.audiences',
  'request.auth.presenter',
  'destination.ip',
  'destination.port',
  'connection.sni',
] as const

export type ConditionName =
  (typeof plainKeys)[number] | 'request.headers' | 'request.auth.claims' | 'experimental.envoy.filters'

/** A key's name, and what is written in its brackets. Undefined: there is no such key, or not in this form. */
export function parseConditionKey(key: string): { name: ConditionName; parameters: readonly string[] } | undefined {
  if (isOneOf(plainKeys, key)) return { name: key, parameters: [] }
  const [, header] = /^request\.headers\[(.+)\]$/s.exec(key) ?? []
  if (header !== undefined) return { name: 'request.headers', parameters: [header] }
  const [, claims] = /^request\.auth\.claims\[(.+)\]$/s.exec(key) ?? []
  if (claims !== undefined) {
    // `[a][b]` is a path; anything else is one name, brackets included.
    const steps = claims.split('][')
    const isPath = steps.every((step) => step !== '' && !/[[\]]/.test(step))
    return { name: 'request.auth.claims', parameters: isPath ? steps : [claims] }
  }
  const [, filter, field] = /^experimental\.(envoy\.filters\.[^[]+)\[(.+)\]$/s.exec(key) ?? []
  return filter && field ? { name: 'experimental.envoy.filters', parameters: [filter, field] } : undefined
}

const isOneOf = <Name extends string>(names: readonly Name[], name: string): name is Name =>
  (names as readonly string[]).includes(name)

/** How keys of `when` are written. */
export const keyForms = [
  ...plainKeys,
  'request.headers[NAME]',
  'request.auth.claims[NAME]',
  'experimental.envoy.filters.FILTER[KEY]',
]

/** Reads a truth value as Go's strconv.ParseBool does; undefined when it is none. */
export function parseBool(text: string): boolean | undefined {
  if (['1', 't', 'T', 'true', 'TRUE', 'True'].includes(text)) return true
  return ['0', 'f', 'F', 'false', 'FALSE', 'False'].includes(text) ? false : undefined
}
