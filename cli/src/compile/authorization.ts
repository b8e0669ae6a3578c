/** AuthorizationPolicy → the authorization filter's configuration for one workload. */
import {
  dryRunAnnotation,
  isPathTemplate,
  operationFields,
  parseBool,
  sourceFields,
  type AuthorizationPolicy,
  type Condition,
  type OperationMatch,
  type Rule,
  type SourceMatch,
} from '../resources/authorization-policy.ts'
import type { Code } from '../resources/codes.ts'
import { Diagnostics } from '../resources/diagnostics.ts'
import { defaultMeshConfig, type MeshConfig } from '../resources/mesh-config.ts'
import type { Path } from '../resources/nodes.ts'
import { parseResources, type ParseOptions } from '../resources/parse.ts'
import type { Source, Span } from '../resources/source.ts'
import type {
  AuthorizationConfig,
  ConditionConfig,
  Matcher,
  OperationConfig,
  PolicyConfig,
  RuleConfig,
  SourceConfig,
} from './authorization-config.ts'
import { neverMatches, toMatcher } from './matchers.ts'
import { expandTrustDomain, missesTrustDomain } from './trust-domain.ts'
import { selects, type Workload } from './workload.ts'

export interface CompileOptions extends ParseOptions {
  workload: Workload
  mesh?: MeshConfig
  /** Default: a new one; it is in the result. */
  diagnostics?: Diagnostics
}

export interface Compiled {
  /** Undefined when there are errors. */
  configuration?: AuthorizationConfig
  diagnostics: Diagnostics
  /** Id of a decision, e.g. `ns[a]-policy[b]-rule[0]`, to the place of its rule. */
  rules: ReadonlyMap<string, Span>
}

/** Compiles the policies of the texts that apply to a workload. */
export function compileAuthorization(sources: readonly Source[], options: CompileOptions): Compiled {
  const { workload, mesh = defaultMeshConfig, diagnostics = new Diagnostics() } = options
  const resources = parseResources(sources, diagnostics, options)
  const all = resources.filter((each) => each.kind === 'AuthorizationPolicy') as AuthorizationPolicy[]
  const selected = all.filter((policy) => selects(policy, workload, mesh))
  const rules = new Map<string, Span>()
  const policies = selected.map((policy) => {
    const compiled = new PolicyCompiler(policy, mesh, diagnostics).compile()
    compiled.rules.forEach((_, index) => {
      rules.set(`${compiled.name}-rule[${index}]`, policy.locate(['spec', 'rules', index]))
    })
    return compiled
  })
  // What is not selected is not translated, and what can't be translated in it does not matter to this workload.
  if (selected.length === 0 && !diagnostics.hasErrors) {
    const message = `no policy selects ${workload.namespace}/${workload.name}: every request will be allowed`
    const hint =
      all.length > 0 ? 'compare --workload and --labels with the namespaces and selectors of the policies' : undefined
    diagnostics.add('warning', 'MS1402', message, hint ? { hint } : {})
  }
  if (diagnostics.hasErrors) return { diagnostics, rules }
  // Neither verdict nor id depends on the order: sorted, the result does not depend on that of the files either.
  policies.sort((a, b) => order(a) - order(b) || (a.name < b.name ? -1 : 1))
  return { configuration: { version: 1, mode: 'enforce', policies }, diagnostics, rules }
}

const order = (policy: PolicyConfig) => (policy.action === 'DENY' ? 0 : 1)

/** Fields of the filter, with the ones that are missing named together with what can be written instead. */
const enforceable = {
  source: new Set<string>(['principals', 'notPrincipals']),
  operation: new Set<string>(['methods', 'notMethods', 'paths', 'notPaths']),
}
const keepInIstio = "keep this policy in Istio, and leave it out here: Istio's own filter enforces it"

/** Translates one policy and reports everything in it that the filter could not enforce. */
class PolicyCompiler {
  readonly #policy: AuthorizationPolicy
  readonly #mesh: MeshConfig
  readonly #diagnostics: Diagnostics

  constructor(policy: AuthorizationPolicy, mesh: MeshConfig, diagnostics: Diagnostics) {
    this.#policy = policy
    this.#mesh = mesh
    this.#diagnostics = diagnostics
  }

  compile(): PolicyConfig {
    const { metadata, spec } = this.#policy
    const { action = 'ALLOW', rules = [] } = spec
    if (action === 'AUDIT' || action === 'CUSTOM') {
      this.#refuse('MS1302', ['spec', 'action'], `the filter cannot enforce action ${action}`)
    }
    if (parseBool(metadata.annotations?.[dryRunAnnotation] ?? 'false')) {
      const path = ['metadata', 'annotations', dryRunAnnotation]
      this.#refuse('MS1302', path, 'the filter cannot try out a policy (dry run)')
    }
    for (const target of ['targetRef', 'targetRefs'] as const) {
      const value = spec[target]
      if (value && !(Array.isArray(value) && value.length === 0)) {
        this.#refuse(
          'MS1301',
          ['spec', target],
          `the filter cannot enforce ${target}`,
          'select the workload by selector.matchLabels',
        )
      }
    }
    return {
      name: `ns[${metadata.namespace}]-policy[${metadata.name}]`,
      action: action === 'DENY' ? 'DENY' : 'ALLOW',
      rules: rules.map((rule, index) => this.#rule(rule, ['spec', 'rules', index])),
    }
  }

  #rule(rule: Rule, path: Path): RuleConfig {
    const from = rule.from?.map(({ source }, i) => this.#source(source, [...path, 'from', i, 'source']))
    const to = rule.to?.map(({ operation }, i) => this.#operation(operation, [...path, 'to', i, 'operation']))
    const when = rule.when?.map((condition, i) => this.#condition(condition, [...path, 'when', i]))
    return { ...(from && { from }), ...(to && { to }), ...(when?.length && { when }) }
  }

  #source(source: SourceMatch, path: Path): SourceConfig {
    for (const field of sourceFields) {
      if (enforceable.source.has(field) || !source[field]?.length) continue
      this.#refuse('MS1301', [...path, field], `the filter cannot enforce ${field}`, sourceHints[field])
    }
    return withoutEmpty({
      principals: this.#principals(source.principals, [...path, 'principals']),
      notPrincipals: this.#principals(source.notPrincipals, [...path, 'notPrincipals']),
    })
  }

  #operation(operation: OperationMatch, path: Path): OperationConfig {
    for (const field of operationFields) {
      if (enforceable.operation.has(field) || !operation[field]?.length) continue
      this.#refuse('MS1301', [...path, field], `the filter cannot enforce ${field}`)
    }
    return withoutEmpty({
      methods: this.#matchers('methods', operation.methods, [...path, 'methods']),
      notMethods: this.#matchers('methods', operation.notMethods, [...path, 'notMethods']),
      paths: this.#matchers('paths', operation.paths, [...path, 'paths']),
      notPaths: this.#matchers('paths', operation.notPaths, [...path, 'notPaths']),
    })
  }

  #condition({ key, values, notValues }: Condition, path: Path): ConditionConfig {
    const [, name] = /^request\.headers\[(.+)\]$/.exec(key) ?? []
    if (name === undefined) {
      const hint = key === 'source.principal' ? 'write from.source.principals or notPrincipals' : undefined
      this.#refuse('MS1301', [...path, 'key'], `the filter cannot enforce the key ${key}`, hint)
    } else if (!/^:?[\w!#$%&'*+.^`|~-]+$/.test(name)) {
      this.#report('error', 'MS1106', [...path, 'key'], `${JSON.stringify(name)} is not the name of a header`)
    }
    return {
      header: headerName(name ?? ''),
      ...withoutEmpty({
        values: this.#matchers('values', values, [...path, 'values']),
        notValues: this.#matchers('values', notValues, [...path, 'notValues']),
      }),
    }
  }

  #principals(values: string[] | undefined, path: Path): Matcher[] | undefined {
    values?.forEach((value, index) => {
      this.#checkMatch('principals', value, [...path, index])
      if (missesTrustDomain(value, this.#mesh)) {
        const message = `this mesh's trust domain is ${this.#mesh.trustDomain}, and cluster.local is rewritten to it only in full principals`
        const hint = `write ${JSON.stringify(this.#mesh.trustDomain + value.slice('cluster.local'.length))}`
        this.#report('warning', 'MS1403', [...path, index], message, hint)
      }
    })
    const expanded = values?.flatMap((value) => expandTrustDomain(value, this.#mesh))
    return expanded && [...new Set(expanded)].map(toMatcher)
  }

  #matchers(field: string, values: string[] | undefined, path: Path): Matcher[] | undefined {
    return values?.map((value, index) => {
      this.#checkMatch(field, value, [...path, index])
      if (field === 'paths' && isPathTemplate(value)) {
        this.#refuse(
          'MS1301',
          [...path, index],
          'the filter cannot enforce path templates',
          'write exact paths, or a prefix: "/a/*"',
        )
      }
      return toMatcher(value)
    })
  }

  #checkMatch(field: string, value: string, path: Path) {
    const problem = neverMatches(field, value)
    if (!problem) return
    this.#report('warning', 'MS1401', path, `${JSON.stringify(value)} never matches: ${problem.why}`, problem.hint)
  }

  #refuse(code: Code, path: Path, message: string, hint = keepInIstio) {
    this.#report('error', code, path, message, hint)
  }

  #report(severity: 'error' | 'warning', code: Code, path: Path, message: string, hint?: string) {
    this.#policy.report(this.#diagnostics, severity, code, path, message, hint)
  }
}

const sourceHints: { [Field in keyof SourceMatch]: string } = {
  namespaces: 'write principals: ["TRUST-DOMAIN/ns/NAMESPACE/*"]',
  notNamespaces: 'write notPrincipals: ["TRUST-DOMAIN/ns/NAMESPACE/*"]',
  serviceAccounts: 'write principals: ["TRUST-DOMAIN/ns/NAMESPACE/sa/ACCOUNT"]',
  notServiceAccounts: 'write notPrincipals: ["TRUST-DOMAIN/ns/NAMESPACE/sa/ACCOUNT"]',
  trustDomains: 'write principals: ["TRUST-DOMAIN/*"]',
  notTrustDomains: 'write notPrincipals: ["TRUST-DOMAIN/*"]',
}

/** Envoy keeps `host` as `:authority`. */
function headerName(name: string): string {
  const lower = name.toLowerCase()
  return lower === 'host' ? ':authority' : lower
}

/** Without the lists that are absent or empty: both mean that nothing is asked for. */
function withoutEmpty<Fields extends Record<string, Matcher[] | undefined>>(fields: Fields): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([, list]) => list?.length)) as Fields
}
