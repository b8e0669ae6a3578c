/** Translates one AuthorizationPolicy. Istio's own model and generators (pilot/pkg/security/authz) are what it must agree with. */
import {
  isPathTemplate,
  parseBool,
  parseConditionKey,
  type AuthorizationPolicy,
  type Condition,
  type OperationMatch,
  type Rule,
  type SourceMatch,
} from '../../resources/authorization-policy.ts'
import type { Code } from '../../resources/codes.ts'
import type { Diagnostics, Severity } from '../../resources/diagnostics.ts'
import type { MeshConfig } from '../../resources/mesh-config.ts'
import type { Path } from '../../resources/nodes.ts'
import { dryRunAnnotation } from '../../resources/targets.ts'
import type {
  ConditionConfig,
  Matcher,
  OperationConfig,
  PathMatcher,
  PolicyConfig,
  RuleConfig,
  SourceConfig,
  Values,
} from '../authorization-config.ts'
import { expandTrustDomain, expandTrustDomainName, missesTrustDomain } from './trust-domain.ts'
import {
  namespaceMatcher,
  neverMatches,
  requestPrincipal,
  serviceAccountMatcher,
  toMatcher,
  trustDomainMatcher,
} from './values.ts'

type Texts = string[] | undefined

export class PolicyCompiler {
  readonly #mesh: MeshConfig
  readonly #diagnostics: Diagnostics
  #policy!: AuthorizationPolicy
  /** Said once is enough. */
  #notedDirectPeer = false

  constructor(mesh: MeshConfig, diagnostics: Diagnostics) {
    this.#mesh = mesh
    this.#diagnostics = diagnostics
  }

  compile(policy: AuthorizationPolicy): PolicyConfig {
    this.#policy = policy
    const { metadata, spec } = policy
    const { action = 'ALLOW', provider, rules = [] } = spec
    return {
      name: `ns[${metadata.namespace}]-policy[${metadata.name}]`,
      action,
      ...(action === 'CUSTOM' && { provider: provider?.name ?? '' }),
      ...(parseBool(metadata.annotations?.[dryRunAnnotation] ?? 'false') && { dryRun: true }),
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
    this.#noteDirectPeer(source.ipBlocks, [...path, 'ipBlocks'])
    this.#noteDirectPeer(source.notIpBlocks, [...path, 'notIpBlocks'])
    return withoutEmpty<SourceConfig>({
      ...identities({
        principals: this.#principals(source.principals, [...path, 'principals']),
        namespaces: source.namespaces?.map(namespaceMatcher),
        serviceAccounts: this.#serviceAccounts(source.serviceAccounts),
        trustDomains: this.#trustDomains(source.trustDomains),
      }),
      // None of them may match, wherever it stands.
      notPrincipals: [
        ...(this.#principals(source.notPrincipals, [...path, 'notPrincipals']) ?? []),
        ...(source.notNamespaces?.map(namespaceMatcher) ?? []),
        ...(this.#serviceAccounts(source.notServiceAccounts) ?? []),
        ...(this.#trustDomains(source.notTrustDomains) ?? []),
      ],
      requestPrincipals: source.requestPrincipals?.map(requestPrincipal),
      notRequestPrincipals: source.notRequestPrincipals?.map(requestPrincipal),
      ipBlocks: source.ipBlocks,
      notIpBlocks: source.notIpBlocks,
      remoteIpBlocks: source.remoteIpBlocks,
      notRemoteIpBlocks: source.notRemoteIpBlocks,
    })
  }

  #operation(operation: OperationMatch, path: Path): OperationConfig {
    return withoutEmpty<OperationConfig>({
      hosts: this.#hosts(operation.hosts, [...path, 'hosts']),
      notHosts: this.#hosts(operation.notHosts, [...path, 'notHosts']),
      methods: this.#matchers('methods', operation.methods, [...path, 'methods']),
      notMethods: this.#matchers('methods', operation.notMethods, [...path, 'notMethods']),
      paths: this.#paths(operation.paths, [...path, 'paths']),
      notPaths: this.#paths(operation.notPaths, [...path, 'notPaths']),
      ports: operation.ports?.map(Number),
      notPorts: operation.notPorts?.map(Number),
    })
  }

  #condition({ key, values, notValues }: Condition, path: Path): ConditionConfig {
    const { name, parameters } = parseConditionKey(key)!
    /** Both lists, each value translated. */
    const both = <Value>(translate: (texts: Texts, path: Path) => Value[] | undefined): Values<Value> =>
      withoutEmpty({
        values: translate(values, [...path, 'values']),
        notValues: translate(notValues, [...path, 'notValues']),
      })
    const each =
      <Value>(translate: (text: string) => Value) =>
      (texts: Texts) =>
        texts?.map(translate)
    switch (name) {
      case 'request.headers': {
        const header = headerName(parameters[0]!)
        return { header, ...both((texts, at) => this.#matchers('values', texts, at)) }
      }
      case 'source.ip':
        this.#noteDirectPeer([''], [...path, 'key'])
        return { attribute: 'source.ip', ...both((texts) => texts) }
      case 'remote.ip':
      case 'destination.ip':
        return { attribute: name, ...both((texts) => texts) }
      case 'destination.port':
        return { attribute: 'destination.port', ...both(each(Number)) }
      case 'connection.sni':
        return { attribute: 'connection.sni', ...both(each(toMatcher)) }
      case 'source.principal':
        return { attribute: 'source.principal', ...both((texts, at) => this.#principals(texts, at)) }
      case 'source.namespace':
        return { attribute: 'source.principal', ...both(each(namespaceMatcher)) }
      case 'source.serviceAccount':
        return { attribute: 'source.principal', ...both((texts) => this.#serviceAccounts(texts)) }
      case 'source.trustDomain':
        return { attribute: 'source.principal', ...both((texts) => this.#trustDomains(texts)) }
      case 'request.auth.principal':
        return { attribute: 'request.principal', ...both(each(requestPrincipal)) }
      case 'request.auth.audiences':
        return { claim: ['aud'], ...both(each(toMatcher)) }
      case 'request.auth.presenter':
        return { claim: ['azp'], ...both(each(toMatcher)) }
      case 'request.auth.claims':
        return { claim: [...parameters], ...both(each(toMatcher)) }
      case 'experimental.envoy.filters': {
        const [filter, field] = parameters as [string, string]
        const list = this.#isList([...(values ?? []), ...(notValues ?? [])], path)
        const text = (value: string) => toMatcher(list ? value.replace(/^[[\]]+|[[\]]+$/g, '') : value)
        return { metadata: { filter, path: [field] }, ...(list && { list }), ...both(each(text)) }
      }
    }
  }

  /** Values of metadata in brackets, `[v]`, ask for an element of a list. */
  #isList(values: readonly string[], path: Path): boolean {
    const count = values.filter((value) => value.startsWith('[') && value.endsWith(']')).length
    if (count > 0 && count < values.length) {
      const message = 'the filter cannot enforce values with and without brackets together'
      this.#report(
        'error',
        'MS1301',
        [...path, 'key'],
        message,
        'write two rules: one has "value", the other "[value]"',
      )
    }
    return count > 0
  }

  #principals(values: Texts, path: Path): Matcher[] | undefined {
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

  #trustDomains(values: Texts): Matcher[] | undefined {
    const expanded = values?.flatMap((value) => expandTrustDomainName(value, this.#mesh))
    return expanded && [...new Set(expanded)].map(trustDomainMatcher)
  }

  #serviceAccounts(values: Texts): Matcher[] | undefined {
    return values?.map((value) => serviceAccountMatcher(value, this.#policy.metadata.namespace))
  }

  #paths(values: Texts, path: Path): PathMatcher[] | undefined {
    return values?.map((value, index) => {
      if (isPathTemplate(value)) return { template: value }
      this.#checkMatch('paths', value, [...path, index])
      return toMatcher(value)
    })
  }

  #hosts(values: Texts, path: Path): Matcher[] | undefined {
    return values?.map((value, index) => {
      this.#checkMatch('hosts', value, [...path, index])
      return toHostMatcher(value)
    })
  }

  #matchers(field: string, values: Texts, path: Path): Matcher[] | undefined {
    return values?.map((value, index) => {
      this.#checkMatch(field, value, [...path, index])
      return toMatcher(value)
    })
  }

  #checkMatch(field: string, value: string, path: Path) {
    const problem = neverMatches(field, value, this.#mesh.pathNormalization?.normalization)
    if (!problem) return
    this.#report('warning', 'MS1401', path, `${JSON.stringify(value)} never matches: ${problem.why}`, problem.hint)
  }

  /** Where X-Forwarded-For counts, Envoy does not show a filter who is connected. */
  #noteDirectPeer(blocks: Texts, path: Path) {
    if (!blocks?.length || this.#notedDirectPeer) return
    this.#notedDirectPeer = true
    const message = 'the direct peer is compared: where X-Forwarded-For counts, the filter must be told its address'
    const hint =
      'put set_filter_state in front, see MS1406 in docs/errors.md; remoteIpBlocks compares the address of X-Forwarded-For'
    this.#report('info', 'MS1406', path, message, hint)
  }

  #report(severity: Severity, code: Code, path: Path, message: string, hint?: string) {
    this.#policy.report(this.#diagnostics, severity, code, path, message, hint)
  }
}

type Identities = Pick<SourceConfig, 'principals' | 'namespaces' | 'serviceAccounts' | 'trustDomains'>

/** All of a source's lists of identities must match. A list that is alone is one of principals: they are of the same form. */
function identities(lists: { [Field in keyof Identities]: Matcher[] | undefined }): Identities {
  const given = Object.entries(lists).filter(([, list]) => list?.length)
  return given.length === 1 ? { principals: given[0]![1] } : Object.fromEntries(given)
}

/** Envoy keeps `host` as `:authority`. */
function headerName(name: string): string {
  const lower = name.toLowerCase()
  return lower === 'host' ? ':authority' : lower
}

/** Hosts are compared without regard to case. */
const toHostMatcher = (value: string) => toMatcher(value.replace(/[A-Z]+/g, (letters) => letters.toLowerCase()))

/** Without the lists that are absent or empty: both mean that nothing is asked for. */
function withoutEmpty<Fields extends object>(fields: { [Field in keyof Fields]: Fields[Field] | undefined }): Fields {
  const given: Partial<Fields> = {}
  for (const field in fields) {
    const list = fields[field] as (Fields[typeof field] & unknown[]) | undefined
    if (list?.length) given[field] = list
  }
  return given as Fields
}
