/**
 * Why a request is allowed or refused: the filter's own verdict, and its answer for every rule by itself and for every field of
 * those that do not match.
 */
import type { AuthorizationConfig, PolicyConfig } from '../compile/authorization-config.ts'
import type { Compiled } from '../compile/index.ts'
import type { PolicyRequest } from '../requests/request.ts'
import type { Resource } from '../resources/resource.ts'
import type { Span } from '../resources/source.ts'
import { fieldsOf, type Field } from './fields.ts'
import { Filter, normalizedPath, type FilterMesh } from './filter.ts'
import { Judge, type Judgement } from './judge.ts'
import { matching, stageOf } from './probe.ts'

export interface ExplainedField {
  field: Field
  matched: boolean
}

export interface ExplainedRule {
  id: string
  index: number
  place?: Span
  matched: boolean
  /** Of a rule that does not match. */
  fields: ExplainedField[]
}

export interface ExplainedPolicy {
  config: PolicyConfig
  /** What it was compiled from. */
  resource?: Resource
  rules: ExplainedRule[]
}

export interface Explanation {
  request: PolicyRequest
  /** The path as the filter sees it. */
  path: string
  judgement: Judgement
  reason: string
  /** Of the rule that decided. */
  place?: Span
  policies: ExplainedPolicy[]
}

/** How much of the work is done, up to 1. */
export type Progress = (done: number) => void

export type CompiledPolicies = Compiled & { configuration: AuthorizationConfig }

export class Explainer {
  readonly #compiled: CompiledPolicies
  readonly #judge: Judge
  readonly #probes: Filter
  readonly #mesh: FilterMesh

  constructor(compiled: CompiledPolicies, mesh: FilterMesh) {
    this.#compiled = compiled
    this.#mesh = mesh
    this.#judge = new Judge(compiled.configuration, mesh)
    this.#probes = new Filter(mesh)
  }

  async explain(request: PolicyRequest, onProgress: Progress = () => {}): Promise<Explanation> {
    const judgement = await this.#judge.judge(request)
    const { verdict, rule } = judgement
    const policies = verdict === 'rejected' ? [] : await this.#explainPolicies(request, onProgress)
    const reason = reasonOf(judgement, policies)
    const path = await normalizedPath(request.path, this.#mesh)
    return {
      request,
      path,
      judgement,
      reason,
      policies,
      ...(rule !== undefined && { place: this.#compiled.rules.get(rule) }),
    }
  }

  async close(): Promise<void> {
    await this.#judge.close()
    await this.#probes.close()
  }

  async #explainPolicies(request: PolicyRequest, onProgress: Progress): Promise<ExplainedPolicy[]> {
    const { configuration, rules: places } = this.#compiled
    const rules = configuration.policies.flatMap((config) => config.rules.map((rule) => ({ config, rule })))
    // The rules are the first half of the work, their fields the second.
    const matches = await matching(
      this.#probes,
      request,
      rules.map(({ config, rule }) => ({ stage: stageOf(config.action), rule })),
      (done) => onProgress(done / 2),
    )
    const fields = rules.map(({ rule }, index) => (matches[index] ? [] : fieldsOf(rule)))
    const answers = await matching(
      this.#probes,
      request,
      rules.flatMap(({ config }, index) =>
        fields[index]!.map(({ alone }) => ({ stage: stageOf(config.action), rule: alone })),
      ),
      (done) => onProgress(0.5 + done / 2),
    )
    let rule = 0
    let answer = 0
    return configuration.policies.map((config) => ({
      config,
      resource: this.#resourceOf(config),
      rules: config.rules.map((_, index): ExplainedRule => {
        const id = `${config.name}-rule[${index}]`
        const matched = matches[rule]!
        const explained = fields[rule]!.map((field) => ({ field, matched: answers[answer++]! }))
        rule++
        return { id, index, place: places.get(id), matched, fields: explained }
      }),
    }))
  }

  #resourceOf({ name }: PolicyConfig): Resource | undefined {
    const [, namespace = '', own] = policyName.exec(name) ?? []
    return this.#compiled.selected.find(({ metadata }) => metadata.namespace === namespace && metadata.name === own)
  }
}

/** E.g. `ns[a]-policy[b]`, `ns[a]-cnp[b]-deny` and `ccnp[b]`: every compiler names namespace and name of the resource so. */
const policyName = /^(?:ns\[([^\]]*)\]-)?[a-z]+\[([^\]]*)\]/

function reasonOf(
  { verdict, status, rule, details, provider }: Judgement,
  policies: readonly ExplainedPolicy[],
): string {
  const decider = policies.find(({ rules }) => rules.some(({ id }) => id === rule))?.config
  switch (verdict) {
    case 'rejected':
      return `Envoy answers ${status} by itself (${details}), before any policy`
    case 'external':
      return `a CUSTOM rule matches: ${provider} is asked, and what it allows is allowed`
    case 'allowed':
      if (decider) return 'an ALLOW rule matches'
      return hasAllow(policies) ? 'it is allowed' : 'there is no ALLOW policy, and no DENY rule matches'
    case 'denied':
      if (decider?.action === 'DENY') return 'a DENY rule matches'
      if (unknownProvider(policies)) return 'a CUSTOM rule matches, and its provider is not configured as the only one'
      return 'no ALLOW rule matches'
  }
}

const hasAllow = (policies: readonly ExplainedPolicy[]) =>
  policies.some(({ config }) => config.action === 'ALLOW' && !config.dryRun)

const unknownProvider = (policies: readonly ExplainedPolicy[]) =>
  policies.some(({ config, rules }) => config.action === 'CUSTOM' && rules.some(({ matched }) => matched))
