/** Istio's AuthorizationPolicy (security.istio.io): its fields, and what Istio's validation says beyond them. */
import type { Diagnostics } from './diagnostics.ts'
import { labelSchema } from './metadata.ts'
import { nearest } from './nearest.ts'
import type { Path } from './nodes.ts'
import type { Resource } from './resource.ts'
import type { Schema } from './schema.ts'

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

export interface TargetRef {
  group?: string
  kind: string
  name: string
  namespace?: string
}

export interface AuthorizationPolicySpec {
  selector?: { matchLabels?: Record<string, string> }
  targetRef?: TargetRef
  targetRefs?: TargetRef[]
  action?: Action
  provider?: { name?: string }
  rules?: Rule[]
}

export type AuthorizationPolicy = Resource<AuthorizationPolicySpec>

const values: Schema = { type: 'array', items: { type: 'string' } }
const fields = (names: readonly string[]) => Object.fromEntries(names.map((name) => [name, values]))

const targetRef: Schema = {
  type: 'object',
  required: ['kind', 'name'],
  properties: {
    group: { type: 'string', maxLength: 253 },
    kind: { type: 'string', minLength: 1, maxLength: 63 },
    name: { type: 'string', minLength: 1, maxLength: 253 },
    namespace: { type: 'string' },
  },
}

const serviceAccounts: Schema = { type: 'array', maxItems: 16, items: { type: 'string', maxLength: 320 } }

const rule: Schema = {
  type: 'object',
  properties: {
    from: {
      type: 'array',
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
    selector: {
      type: 'object',
      properties: { matchLabels: { type: 'object', additionalProperties: labelSchema } },
    },
    targetRef,
    targetRefs: { type: 'array', maxItems: 16, items: targetRef },
    action: { type: 'string', enum: ['ALLOW', 'DENY', 'AUDIT', 'CUSTOM'] },
    provider: { type: 'object', properties: { name: { type: 'string', minLength: 1 } } },
    rules: { type: 'array', maxItems: 512, items: rule },
  },
}

/** Keys of `when` that stand alone, and those with a name in brackets. */
export const plainKeys = [
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
const bracketKeys = [
  /^request\.headers\[.+\]$/,
  /^request\.auth\.claims(\[[^[\]]+\])+$/,
  /^experimental\.envoy\.filters\..+\[.+\]$/,
]
const keyForms = [...plainKeys, 'request.headers[NAME]', 'request.auth.claims[NAME]']

/** Checks what the schema can't: the rules of Istio's own validation. */
export function checkAuthorizationPolicy(policy: AuthorizationPolicy, diagnostics: Diagnostics) {
  const { selector, targetRef, targetRefs, action = 'ALLOW', provider, rules = [] } = policy.spec
  const targets = [selector && 'selector', targetRef && 'targetRef', targetRefs?.length && 'targetRefs'].filter(Boolean)
  if (targets.length > 1) {
    const message = `only one of ${targets.join(' and ')} can be set`
    policy.report(diagnostics, 'error', 'MS1204', ['spec', targets[1] as string], message, 'write two policies')
  }
  if (action === 'CUSTOM' && !provider?.name) {
    const message = 'action CUSTOM needs provider.name'
    policy.report(diagnostics, 'error', 'MS1202', ['spec', 'action'], message)
  }
  if (action !== 'CUSTOM' && provider) {
    const message = `a provider has no meaning with action ${action}`
    policy.report(diagnostics, 'error', 'MS1202', ['spec', 'provider'], message, 'remove it, or write action: CUSTOM')
  }
  if ((action === 'DENY' || action === 'CUSTOM') && rules.length === 0) {
    const message = `a policy with action ${action} and no rules never matches`
    const hint = action === 'DENY' ? 'write rules: [{}] to refuse everything' : 'write rules: [{}] to check everything'
    policy.report(diagnostics, 'error', 'MS1202', ['spec', 'action'], message, hint)
  }
  const dryRun = policy.metadata.annotations?.[dryRunAnnotation]
  if (dryRun !== undefined && parseBool(dryRun) === undefined) {
    const path = ['metadata', 'annotations', dryRunAnnotation]
    policy.report(
      diagnostics,
      'error',
      'MS1106',
      path,
      `${JSON.stringify(dryRun)} is not a truth value`,
      'write "true"',
    )
  }
  rules.forEach((each, index) => checkRule(policy, each, ['spec', 'rules', index], diagnostics))
}

function checkRule(policy: AuthorizationPolicy, rule: Rule, path: Path, diagnostics: Diagnostics) {
  const error = (
    code: 'MS1106' | 'MS1201' | 'MS1203' | 'MS1204' | 'MS1205',
    at: Path,
    message: string,
    hint?: string,
  ) => policy.report(diagnostics, 'error', code, [...path, ...at], message, hint)
  const checkValues = (match: Record<string, string[] | undefined>, at: Path) => {
    for (const [field, list] of Object.entries(match)) {
      list?.forEach((value, index) => {
        if (value === '')
          error('MS1106', [...at, field, index], 'an empty value is not allowed', 'write "*" for any value')
        else if (/^(notP|p)aths$/.test(field) && isPathTemplate(value) && unsupportedTemplate.test(value)) {
          const hint = 'beside {*} and {**} a template has no stars and no names in braces'
          error('MS1205', [...at, field, index], `${JSON.stringify(value)} is not a valid path template`, hint)
        }
      })
    }
  }

  for (const part of ['from', 'to'] as const) {
    if (rule[part]?.length === 0)
      error('MS1201', [part], `${part} must not be empty`, 'write what to match, or remove it to match everything')
  }
  rule.from?.forEach(({ source }, index) => {
    const at = ['from', index, 'source']
    if (isEmpty(source))
      error('MS1201', at, 'source must not be empty', 'write what to match; a rule without "from" matches every source')
    for (const not of ['', 'not'] as const) {
      const [accounts, principals, namespaces] = not
        ? ([source.notServiceAccounts, source.notPrincipals, source.notNamespaces] as const)
        : ([source.serviceAccounts, source.principals, source.namespaces] as const)
      if (accounts?.length && (principals?.length || namespaces?.length)) {
        const field = not ? 'notServiceAccounts' : 'serviceAccounts'
        error('MS1204', [...at, field], `${field} cannot be set together with namespaces or principals`)
      }
    }
    checkValues(source, at)
  })
  rule.to?.forEach(({ operation }, index) => {
    const at = ['to', index, 'operation']
    if (isEmpty(operation))
      error(
        'MS1201',
        at,
        'operation must not be empty',
        'write what to match; a rule without "to" matches every operation',
      )
    checkValues(operation, at)
  })
  rule.when?.forEach((condition, index) => {
    const at = ['when', index]
    const { key, values = [], notValues = [] } = condition
    if (!(plainKeys as readonly string[]).includes(key) && !bracketKeys.some((form) => form.test(key))) {
      const near = nearest(
        key.replace(/\[.*/s, ''),
        keyForms.map((form) => form.replace(/\[.*/, '')),
      )
      const meant = keyForms.find((form) => form.replace(/\[.*/, '') === near)
      const hint = meant ? `did you mean ${meant}?` : `known keys: ${keyForms.join(', ')}`
      error('MS1203', [...at, 'key'], `unknown key ${JSON.stringify(key)}`, hint)
    }
    if (values.length + notValues.length === 0) error('MS1201', at, 'a condition needs values or notValues')
    checkValues({ values, notValues }, at)
  })
}

const isEmpty = (match: Record<string, string[] | undefined>) => Object.values(match).every((list) => !list?.length)

/** Whether Istio reads a path as a template. */
export function isPathTemplate(path: string): boolean {
  return path.includes('{*}') || path.includes('{**}')
}

/** Named variables, empty braces, and stars outside of braces. */
const unsupportedTemplate = /\/\{\w+=\*\*?\}|\{\w*\}|\/\*\*?|\*\*?\//

export const dryRunAnnotation = 'istio.io/dry-run'

/** Reads a truth value as Go's strconv.ParseBool does; undefined when it is none. */
export function parseBool(text: string): boolean | undefined {
  if (['1', 't', 'T', 'true', 'TRUE', 'True'].includes(text)) return true
  return ['0', 'f', 'F', 'false', 'FALSE', 'False'].includes(text) ? false : undefined
}
