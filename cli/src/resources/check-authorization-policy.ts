/** What Istio's validation says of an AuthorizationPolicy beyond its fields. */
import {
  keyForms,
  parseBool,
  parseConditionKey,
  type AuthorizationPolicy,
  type Condition,
  type OperationMatch,
  type Rule,
  type SourceMatch,
} from './authorization-policy.ts'
import {
  checkAddress,
  checkPath,
  checkPort,
  checkServiceAccount,
  checkTrustDomain,
  checkWildcard,
  type Problem,
} from './authorization-values.ts'
import type { Code } from './codes.ts'
import type { Diagnostics } from './diagnostics.ts'
import { nearest } from './nearest.ts'
import type { Path } from './nodes.ts'
import { checkTargets, dryRunAnnotation } from './targets.ts'

/** What Istio has given up, or never had in this place. */
const replacedKeys: Record<string, string> = {
  'destination.labels': 'write spec.selector.matchLabels',
  'destination.namespace': 'write metadata.namespace',
  'destination.name': 'write spec.selector.matchLabels',
  'destination.user': 'write spec.selector.matchLabels',
}

/** Checks what the schema can't: the rules of Istio's own validation. */
export function checkAuthorizationPolicy(policy: AuthorizationPolicy, diagnostics: Diagnostics) {
  const { action = 'ALLOW', provider, rules } = policy.spec
  const error = (code: Code, path: Path, message: string, hint?: string) =>
    policy.report(diagnostics, 'error', code, path, message, hint)
  checkTargets(policy, diagnostics)
  if (action === 'CUSTOM' && !provider?.name) {
    error('MS1202', ['spec', 'action'], 'action CUSTOM needs provider.name')
  }
  if (action !== 'CUSTOM' && provider) {
    const message = `a provider has no meaning with action ${action}`
    error('MS1202', ['spec', 'provider'], message, 'remove it, or write action: CUSTOM')
  }
  if ((action === 'DENY' || action === 'CUSTOM') && !rules?.length) {
    const message = `a policy with action ${action} and no rules never matches`
    const hint = action === 'DENY' ? 'write rules: [{}] to refuse everything' : 'write rules: [{}] to check everything'
    error('MS1202', ['spec', 'action'], message, hint)
  }
  const dryRun = policy.metadata.annotations?.[dryRunAnnotation]
  const annotation = ['metadata', 'annotations', dryRunAnnotation]
  if (dryRun !== undefined && action !== 'ALLOW' && action !== 'DENY') {
    error('MS1206', annotation, `a policy with action ${action} has no dry run`, 'remove the annotation')
  } else if (dryRun !== undefined && parseBool(dryRun) === undefined) {
    error('MS1106', annotation, `${JSON.stringify(dryRun)} is not a truth value`, 'write "true"')
  }
  rules?.forEach((rule, index) => {
    const checker = new RuleChecker((code, at, message, hint) =>
      error(code, ['spec', 'rules', index, ...at], message, hint),
    )
    checker.check(rule)
    if (action === 'CUSTOM') checker.checkCustom(rule)
  })
}

type Report = (code: Code, at: Path, message: string, hint?: string) => void

/** Checks one rule; paths are below it. */
class RuleChecker {
  readonly #error: Report

  constructor(report: Report) {
    this.#error = report
  }

  check(rule: Rule) {
    for (const part of ['from', 'to'] as const) {
      if (rule[part]?.length !== 0) continue
      const hint = 'write what to match, or remove it to match everything'
      this.#error('MS1201', [part], `${part} must not be empty`, hint)
    }
    rule.from?.forEach(({ source }, index) => this.#source(source, ['from', index, 'source']))
    rule.to?.forEach(({ operation }, index) => this.#operation(operation, ['to', index, 'operation']))
    rule.when?.forEach((condition, index) => this.#condition(condition, ['when', index]))
  }

  /** The external service is asked before the caller's identity counts. */
  checkCustom(rule: Rule) {
    const refuse = (at: Path, what: string) =>
      this.#error(
        'MS1206',
        at,
        `${what} is not supported with action CUSTOM`,
        'write it in a policy with another action',
      )
    rule.from?.forEach(({ source }, index) => {
      for (const [field, values] of Object.entries(source)) {
        if (values.length > 0 && !/ipBlocks$/i.test(field)) refuse(['from', index, 'source', field], field)
      }
    })
    rule.when?.forEach(({ key }, index) => {
      if (/^(source\.(namespace|serviceAccount|trustDomain|principal)$|request\.auth\.)/.test(key)) {
        refuse(['when', index, 'key'], key)
      }
    })
  }

  #source(source: SourceMatch, at: Path) {
    if (isEmpty(source)) {
      const hint = 'write what to match; a rule without "from" matches every source'
      this.#error('MS1201', at, 'source must not be empty', hint)
    }
    // The API server counts empty lists, too.
    const has = (...names: (keyof SourceMatch)[]) => names.find((name) => source[name])
    const accounts = has('serviceAccounts', 'notServiceAccounts')
    if (accounts && has('principals', 'notPrincipals', 'namespaces', 'notNamespaces')) {
      const hint = 'write the namespace before the account: "NAMESPACE/ACCOUNT"'
      this.#error('MS1204', [...at, accounts], `${accounts} cannot be set together with namespaces or principals`, hint)
    }
    this.#values(source, at, (field, value) => {
      if (/ipBlocks$/i.test(field)) return checkAddress(value)
      if (/serviceAccounts$/i.test(field)) return checkServiceAccount(value)
      if (/trustDomains$/i.test(field)) return checkTrustDomain(value)
      return undefined
    })
  }

  #operation(operation: OperationMatch, at: Path) {
    if (isEmpty(operation)) {
      const hint = 'write what to match; a rule without "to" matches every operation'
      this.#error('MS1201', at, 'operation must not be empty', hint)
    }
    this.#values(operation, at, (field, value) => {
      if (/ports$/i.test(field)) return checkPort(value)
      return /paths$/i.test(field) ? checkPath(value) : undefined
    })
  }

  #condition({ key, values = [], notValues = [] }: Condition, at: Path) {
    const parsed = parseConditionKey(key)
    if (!parsed) this.#unknownKey(key, [...at, 'key'])
    if (parsed?.name === 'request.headers' && !/^:?[\w!#$%&'*+.^`|~-]+$/.test(parsed.parameters[0]!)) {
      const name = JSON.stringify(parsed.parameters[0])
      this.#error('MS1106', [...at, 'key'], `${name} is not the name of a header`)
    }
    if (values.length + notValues.length === 0) this.#error('MS1201', at, 'a condition needs values or notValues')
    this.#values({ values, notValues }, at, (_, value) => {
      switch (parsed?.name) {
        case 'source.ip':
        case 'remote.ip':
        case 'destination.ip':
          return checkAddress(value)
        case 'destination.port':
          return checkPort(value)
        case 'source.serviceAccount':
          return checkServiceAccount(value)
        case 'source.trustDomain':
          return checkWildcard(value)
      }
      return undefined
    })
  }

  #unknownKey(key: string, at: Path) {
    const plain = key.replace(/\[.*/s, '')
    const near = nearest(
      plain,
      keyForms.map((form) => form.replace(/\[.*/, '')),
    )
    const meant = keyForms.find((form) => form.replace(/\[.*/, '') === near)
    const replaced = Object.hasOwn(replacedKeys, plain) ? replacedKeys[plain] : undefined
    const hint = replaced ?? (meant ? `did you mean ${meant}?` : `known keys: ${keyForms.join(', ')}`)
    this.#error('MS1203', at, `unknown key ${JSON.stringify(key)}`, hint)
  }

  #values(
    lists: Record<string, string[] | undefined>,
    at: Path,
    check: (field: string, value: string) => Problem | undefined,
  ) {
    for (const [field, list] of Object.entries(lists)) {
      list?.forEach((value, index) => {
        const problem: Problem | undefined =
          value === ''
            ? { message: 'an empty value is not allowed', hint: 'write "*" for any value, if the field takes it' }
            : check(field, value)
        if (problem) this.#error(problem.code ?? 'MS1106', [...at, field, index], problem.message, problem.hint)
      })
    }
  }
}

const isEmpty = (match: Record<string, string[] | undefined>) => Object.values(match).every((list) => !list?.length)
