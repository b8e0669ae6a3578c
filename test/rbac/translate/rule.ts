/** One rule of a policy as a policy of Envoy's RBAC (pilot/pkg/security/authz/model/model.go). */

import type { Json } from '@meshscript/sdk/testing/envoy/index'
import {
  type Condition,
  negated,
  type Operation,
  type OperationField,
  type Rule,
  type Source,
  type SourceField,
  type TrustDomains,
} from '../policy.ts'
import {
  claims,
  filterMetadata,
  type Generator,
  header,
  permissions,
  principals,
  serviceAccounts,
} from './generators.ts'
import { expandDomains, withAliases } from './trust-domains.ts'

export interface RuleContext {
  /** Of the policy. */
  namespace: string
  trustDomains: TrustDomains
}

/** Istio's order, which decides nothing but makes the result look the same. */
const SOURCE_FIELDS: readonly SourceField[] = [
  'principals',
  'requestPrincipals',
  'serviceAccounts',
  'trustDomains',
  'namespaces',
  'remoteIpBlocks',
  'ipBlocks',
]
const OPERATION_FIELDS: readonly OperationField[] = ['hosts', 'methods', 'paths', 'ports']

export function translateRule({ from, to, when = [] }: Rule, context: RuleContext): Json {
  const conditions = when.map((condition) => translateCondition(condition, context))
  const of = (side: Side) => conditions.filter((each) => each.side === side).flatMap(({ parts }) => parts)
  const sources = (from ?? [{ source: {} }]).map(({ source }) => [...sourceParts(source, context), ...of('principal')])
  const operations = (to ?? [{ operation: {} }]).map(({ operation }) => [
    ...operationParts(operation),
    ...of('permission'),
  ])
  const all = (parts: Json[]) => (parts.length > 0 ? parts : [{ any: true }])
  return {
    permissions: operations.map((parts) => ({ andRules: { rules: all(parts) } })),
    principals: sources.map((parts) => ({ andIds: { ids: all(parts) } })),
  }
}

type Side = 'permission' | 'principal'
const NOT = { permission: 'notRule', principal: 'notId' } as const

function parts(side: Side, generate: Generator, values: string[] = [], notValues: string[] = []): Json[] {
  return [
    ...(values.length > 0 ? [generate(values)] : []),
    ...(notValues.length > 0 ? [{ [NOT[side]]: generate(notValues) }] : []),
  ]
}

function sourceParts(source: Source, context: RuleContext): Json[] {
  return SOURCE_FIELDS.flatMap((field) =>
    parts('principal', sourceGenerator(field, context), source[field], source[negated(field)]),
  )
}

function operationParts(operation: Operation): Json[] {
  return OPERATION_FIELDS.flatMap((field) =>
    parts('permission', permissions[field], operation[field], operation[negated(field)]),
  )
}

function sourceGenerator(field: SourceField, { namespace, trustDomains }: RuleContext): Generator {
  switch (field) {
    case 'principals':
      return (values) => principals.principals(withAliases(values, trustDomains))
    case 'trustDomains':
      return (values) => principals.trustDomains(expandDomains(values, trustDomains))
    case 'serviceAccounts':
      return serviceAccounts(namespace)
    default:
      return principals[field]
  }
}

const SOURCE_KEYS: Record<string, SourceField> = {
  'source.ip': 'ipBlocks',
  'remote.ip': 'remoteIpBlocks',
  'source.namespace': 'namespaces',
  'source.trustDomain': 'trustDomains',
  'source.serviceAccount': 'serviceAccounts',
  'source.principal': 'principals',
  'request.auth.principal': 'requestPrincipals',
}
const TARGET_KEYS: Record<string, Generator> = {
  'destination.ip': permissions.destinationIp,
  'destination.port': permissions.ports,
  'connection.sni': permissions.sni,
}

function translateCondition(
  { key, values, notValues }: Condition,
  context: RuleContext,
): { side: Side; parts: Json[] } {
  const make = (side: Side, generate: Generator) => ({ side, parts: parts(side, generate, values, notValues) })
  const target = TARGET_KEYS[key] ?? (key.startsWith('experimental.envoy.filters.') ? filterMetadata(key) : undefined)
  if (target) return make('permission', target)
  const field = SOURCE_KEYS[key]
  if (field) return make('principal', sourceGenerator(field, context))
  if (key === 'request.auth.audiences') return make('principal', claims(['aud']))
  if (key === 'request.auth.presenter') return make('principal', claims(['azp']))
  const names = bracketed(key)
  if (key.startsWith('request.headers[')) return make('principal', header(names))
  if (key.startsWith('request.auth.claims[')) return make('principal', claims(nested(names)))
  throw new Error(`unknown key ${key}`)
}

/** What is between the first `[` and the last `]`. */
const bracketed = (key: string) => key.slice(key.indexOf('[') + 1, -1)
/** `a][b` → a, b. Brackets that are no pairs belong to the name. */
const nested = (names: string) => {
  const parts = names.split('][')
  return parts.some((part) => /[[\]]/.test(part)) ? [names] : parts
}
