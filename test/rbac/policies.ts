/** Random valid AuthorizationPolicies, all of them for one workload. */

import type { Random } from '../json/documents.ts'
import {
  type Action,
  type AuthorizationPolicy,
  type Condition,
  negated,
  type Operation,
  type OperationField,
  type Rule,
  type Source,
  type SourceField,
  type TrustDomains,
} from './policy.ts'
import { MESHES, PROVIDERS, VALUES } from './pools.ts'

/** Policies and the mesh that they are in. */
export interface Scene {
  policies: AuthorizationPolicy[]
  trustDomains: TrustDomains
}

/** Where the workload is. The root namespace's policies are for it too. */
export const WORKLOAD = { namespace: 'foo', name: 'httpbin', labels: { app: 'httpbin' } }
const ROOT = 'istio-system'

export function makeScene(random: Random): Scene {
  const count = 1 + random.below(6)
  const policies = Array.from({ length: count }, (_, index) => makePolicy(random, index))
  return { policies, trustDomains: random.pick(MESHES) }
}

const ALLOWS = ['ALLOW', 'ALLOW', 'ALLOW', 'ALLOW', 'ALLOW'] as const

function makePolicy(random: Random, index: number): AuthorizationPolicy {
  const action = random.pick<Action>([...ALLOWS, 'DENY', 'DENY', 'AUDIT', 'CUSTOM'])
  const dryRun = (action === 'ALLOW' || action === 'DENY') && random.below(5) === 0
  const needsRules = action === 'DENY' || action === 'CUSTOM'
  const rules = Array.from({ length: random.below(7) }, () => makeRule(random, action))
  if (needsRules && rules.length === 0) rules.push(makeRule(random, action))
  return {
    apiVersion: 'security.istio.io/v1',
    kind: 'AuthorizationPolicy',
    metadata: {
      name: `p${index}`,
      namespace: random.below(6) ? WORKLOAD.namespace : ROOT,
      ...(dryRun && { annotations: { 'istio.io/dry-run': random.pick(['true', '1', 'T']) } }),
    },
    spec: {
      ...((action !== 'ALLOW' || random.below(2)) && { action }),
      ...(action === 'CUSTOM' && { provider: { name: random.pick(PROVIDERS) } }),
      ...(rules.length > 0 && { rules }),
    },
  }
}

/** Rules with few parts match more often, so there are more of them. */
function makeRule(random: Random, action: Action): Rule {
  const rule: Rule = {}
  const isCustom = action === 'CUSTOM'
  if (random.below(5) < 2) rule.from = list(random, 2, () => ({ source: makeSource(random, isCustom) }))
  if (random.below(5) < 3) rule.to = list(random, 2, () => ({ operation: makeOperation(random) }))
  if (random.below(5) < 2) rule.when = list(random, 2, () => makeCondition(random, isCustom))
  // `{}` matches everything and leaves nothing to compare.
  if (Object.keys(rule).length === 0 && random.below(4)) rule.to = [{ operation: makeOperation(random) }]
  return rule
}

function makeSource(random: Random, isCustom: boolean): Source {
  const fields: SourceField[] = isCustom
    ? ['ipBlocks', 'remoteIpBlocks']
    : ['principals', 'requestPrincipals', 'namespaces', 'ipBlocks', 'remoteIpBlocks', 'trustDomains', 'principals']
  // Accounts stand beside neither principals nor namespaces.
  if (!isCustom && random.below(5) === 0) {
    fields.splice(0, fields.length, 'serviceAccounts', 'remoteIpBlocks', 'requestPrincipals', 'serviceAccounts')
  }
  return fieldsOf(random, fields, (field) => sourceValue(random, field))
}

function makeOperation(random: Random): Operation {
  const fields: OperationField[] = ['hosts', 'methods', 'paths', 'paths', 'ports']
  return fieldsOf(random, fields, (field) => operationValue(random, field))
}

function fieldsOf<Field extends string>(
  random: Random,
  fields: readonly Field[],
  value: (field: Field) => string,
): Record<string, string[]> {
  const result: Record<string, string[]> = {}
  for (let i = random.pick([1, 1, 1, 2, 3]); i > 0; i--) {
    const field = random.pick(fields)
    result[random.below(3) ? field : negated(field)] = list(random, 3, () => value(field))
  }
  return result
}

function sourceValue(random: Random, field: SourceField): string {
  switch (field) {
    case 'principals':
      return wild(random, random.below(20) ? makePrincipal(random) : random.pick(ODD_PRINCIPALS))
    case 'namespaces':
      return random.below(12)
        ? wild(random, random.pick(VALUES.spaces))
        : random.pick(['f*o', '*o*', 'f**', '(foo|bar)'])
    case 'serviceAccounts':
      return random.pick(['', '', `${random.pick(VALUES.spaces)}/`]) + random.pick(VALUES.accounts)
    case 'trustDomains':
      return random.pick([...VALUES.domains, '*', '*.local', 'cluster.*', 'td*', '*d'])
    case 'requestPrincipals':
      return wild(random, `${random.pick(VALUES.issuers)}/${random.pick(VALUES.subjects)}`)
    case 'ipBlocks':
    case 'remoteIpBlocks':
      return makeBlock(random)
  }
}

const ODD_PRINCIPALS = ['spiffe://cluster.local/ns/foo/sa/web', 'web.foo.svc', 'client.example.com', '/ns/foo/sa/web']

const makePrincipal = (random: Random): string =>
  `${random.pick(VALUES.domains)}/ns/${random.pick(VALUES.spaces)}/sa/${random.pick(VALUES.accounts)}`

const makeBlock = (random: Random): string => random.pick(random.below(2) ? VALUES.addresses : VALUES.blocks)

function operationValue(random: Random, field: OperationField): string {
  switch (field) {
    case 'hosts':
      return wild(random, random.pick(VALUES.hosts))
    case 'methods':
      return wild(random, random.pick(VALUES.methods))
    case 'paths':
      if (random.below(3) === 0) return random.pick(random.below(2) ? VALUES.templates : VALUES.templatesToo)
      return wild(random, random.pick(VALUES.paths))
    case 'ports':
      return random.pick(VALUES.ports)
  }
}

function makeCondition(random: Random, isCustom: boolean): Condition {
  const [key, value] = conditionOf(random, isCustom)
  const condition: Condition = { key }
  const kind = random.below(5)
  if (kind !== 0) condition.values = list(random, 3, value)
  if (kind < 2) condition.notValues = list(random, 3, value)
  return condition
}

function conditionOf(random: Random, isCustom: boolean): [key: string, value: () => string] {
  switch (random.below(isCustom ? 8 : 15)) {
    case 0:
      return ['source.ip', () => makeBlock(random)]
    case 1:
      return ['remote.ip', () => makeBlock(random)]
    case 2:
      return ['destination.ip', () => makeBlock(random)]
    case 3:
      return ['destination.port', () => random.pick(VALUES.ports)]
    case 4:
      return ['connection.sni', () => wild(random, random.pick(VALUES.names))]
    case 5: {
      // Our compiler refuses both kinds in one condition.
      const isList = random.below(2) === 0
      const pool = VALUES.metadataValues.filter((value) => value.startsWith('[') === isList)
      const value = () => (isList ? random.pick(pool) : maybeWild(random, random.pick(pool)))
      return [`experimental.envoy.filters.http.custom[${random.pick(VALUES.metadataKeys)}]`, value]
    }
    case 6:
    case 7:
    case 8: {
      const name = random.pick(random.below(4) ? VALUES.headerNames : VALUES.pseudoHeaders)
      return [`request.headers[${name}]`, () => headerValue(random, name)]
    }
    case 9:
      return random.below(3)
        ? ['source.namespace', () => sourceValue(random, 'namespaces')]
        : ['source.trustDomain', () => sourceValue(random, 'trustDomains')]
    case 10:
      return random.below(3)
        ? ['source.principal', () => sourceValue(random, 'principals')]
        : ['source.serviceAccount', () => sourceValue(random, 'serviceAccounts')]
    case 11:
      return ['request.auth.principal', () => sourceValue(random, 'requestPrincipals')]
    case 12: {
      const key = random.pick(['request.auth.audiences', 'request.auth.presenter'])
      return [key, () => wild(random, random.pick(VALUES.claimValues))]
    }
    default: {
      const name = random.pick(VALUES.claims)
      return [`request.auth.claims${name}`, () => wild(random, random.pick(VALUES.claimValues))]
    }
  }
}

function headerValue(random: Random, name: string): string {
  const pools: Record<string, readonly string[]> = {
    ':path': [...VALUES.paths, '/admin?x=1', '/a?b'],
    ':method': VALUES.methods,
    ':authority': VALUES.hosts,
    Host: VALUES.hosts,
    'x-forwarded-for': VALUES.addresses,
    ':scheme': ['http', 'https'],
    'x-forwarded-proto': ['http', 'https'],
    'content-length': ['0', '3'],
  }
  return wild(random, random.pick(pools[name] ?? VALUES.headerValues))
}

/** The value, or a part of it with a star. */
function wild(random: Random, value: string): string {
  // A list of code points: half of a pair is no text.
  const characters = [...value]
  const cut = random.below(characters.length + 1)
  switch (random.below(12)) {
    case 0:
    case 1:
      return `${characters.slice(0, cut).join('')}*`
    case 2:
    case 3:
      return `*${characters.slice(cut).join('')}`
    case 4:
      return '*'
    case 5:
      return random.below(3) ? value || '*' : `*${value}*`
    default:
      return value || '*'
  }
}

const maybeWild = (random: Random, value: string): string => (random.below(2) ? value : wild(random, value))

/** 1 to `most`, one more often than several. */
function list<T>(random: Random, most: number, make: () => T): T[] {
  const count = random.below(2) ? 1 : 1 + random.below(most)
  return Array.from({ length: count }, make)
}
