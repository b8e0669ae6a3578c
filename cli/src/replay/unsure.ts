/**
 * Whether a verdict may change that depends on what a record does not tell. It can't where the rules that may match do the same in
 * both sets of policies; so only those that are not in both are looked at.
 */
import type { AuthorizationConfig, PolicyConfig, RuleConfig } from '../compile/authorization-config.ts'
import { fieldsOf, type Field, type Subject } from '../explain/fields.ts'
import { Filter, type FilterMesh } from '../explain/filter.ts'
import { matching, stageOf } from '../explain/probe.ts'
import type { PolicyRequest } from '../requests/request.ts'
import { isUnknown, type Unknown } from './record.ts'
import { assume, enforced } from './residual.ts'

interface OwnRule {
  policy: PolicyConfig
  /** Equal where two rules take part in the verdict in the same way, whatever they match. */
  effect: unknown
  rule: RuleConfig
}

export class Unsure {
  readonly #old: OwnRule[]
  readonly #new: OwnRule[]
  readonly #differsAnyway: boolean
  /** A filter that allows what any of the rules may match: mostly none does. */
  readonly #gates = new Map<Unknown, { filter: Filter; configuration: AuthorizationConfig }>()
  readonly #probes: Filter
  readonly #mesh: FilterMesh

  constructor(old: AuthorizationConfig, now: AuthorizationConfig, mesh: FilterMesh) {
    this.#mesh = mesh
    this.#probes = new Filter(mesh)
    const [before, after] = [rulesOf(old), rulesOf(now)]
    const keys = (rules: readonly OwnRule[]) => new Set(rules.map(keyOf))
    const [oldKeys, newKeys] = [keys(before), keys(after)]
    this.#old = before.filter((each) => !newKeys.has(keyOf(each)))
    this.#new = after.filter((each) => !oldKeys.has(keyOf(each)))
    this.#differsAnyway = hasAllow(old) !== hasAllow(now)
  }

  /** What the change depends on; undefined: there is none, whatever the record does not tell. */
  async dependsOn(request: PolicyRequest, unknown: Unknown): Promise<Subject[] | undefined> {
    if (!this.#differsAnyway && !(await this.#mayMatch(request, unknown))) return undefined
    const old = await this.#residuals(this.#old, request, unknown)
    const now = await this.#residuals(this.#new, request, unknown)
    const isSame = old.size === now.size && [...old.keys()].every((key) => now.has(key))
    if (isSame && !this.#differsAnyway) return undefined
    const differing = [...old, ...now].filter(([key]) => !(old.has(key) && now.has(key)))
    return differing.flatMap(([, fields]) => fields.map(({ subject }) => subject))
  }

  async close(): Promise<void> {
    for (const { filter } of this.#gates.values()) await filter.close()
    await this.#probes.close()
  }

  async #mayMatch(request: PolicyRequest, unknown: Unknown): Promise<boolean> {
    let gate = this.#gates.get(unknown)
    if (!gate) {
      const policies = [...this.#old, ...this.#new].map(({ rule }, index): PolicyConfig => {
        return { name: `${index}`, action: 'ALLOW', rules: [possible(rule, unknown)] }
      })
      // Without any policy everything is allowed.
      const none: PolicyConfig = { name: 'none', action: 'ALLOW', rules: [] }
      gate = {
        filter: new Filter(this.#mesh),
        configuration: { version: 1, mode: 'enforce', policies: [none, ...policies] },
      }
      this.#gates.set(unknown, gate)
    }
    return (await gate.filter.decide(gate.configuration, request)).allowed
  }

  /** Of the rules that may match: what is left to be known, by a text that is equal where the same is. */
  async #residuals(rules: readonly OwnRule[], request: PolicyRequest, unknown: Unknown): Promise<Map<string, Field[]>> {
    const stage = ({ policy }: OwnRule) => stageOf(policy.action)
    const ask = (own: OwnRule, rule: RuleConfig) => ({ stage: stage(own), rule })
    const answers = await matching(
      this.#probes,
      request,
      rules.map((own) => ask(own, possible(own.rule, unknown))),
      () => {},
    )
    const candidates = rules.filter((_, index) => answers[index])
    const fields = candidates.flatMap((own) => fieldsOf(own.rule).map((field) => ({ own, field })))
    const open = new Set(fields.filter(({ field }) => isUnknown(field.subject, unknown)))
    const known = fields.filter((each) => !open.has(each))
    const matched = await matching(
      this.#probes,
      request,
      known.map(({ own, field }) => ask(own, field.alone)),
      () => {},
    )
    const failing = new Set(known.filter((_, index) => !matched[index]).map(({ field }) => field))
    return new Map(
      candidates.map((own) => {
        const mine = fields.filter((each) => each.own === own)
        const left = leftOf(
          mine.map(({ field }) => field),
          failing,
          (field) => isUnknown(field.subject, unknown),
        )
        return [JSON.stringify([own.effect, left.form]), left.fields]
      }),
    )
  }
}

/** What is not known of the entries that can still match; nothing of a part of which an entry surely does. */
function leftOf(fields: readonly Field[], failing: ReadonlySet<Field>, isOpen: (field: Field) => boolean) {
  const left: Field[] = []
  const form: unknown[] = []
  for (const part of ['from', 'to', 'when'] as const) {
    const own = fields.filter((field) => field.part === part)
    const entries = [...new Set(own.map(({ entry }) => entry))]
      .map((entry) => own.filter((field) => field.entry === entry))
      .filter((entry) => part === 'when' || !entry.some((field) => failing.has(field)))
      .map((entry) => entry.filter(isOpen))
    if (part !== 'when' && entries.some((entry) => entry.length === 0)) continue
    const texts = entries
      .filter((entry) => entry.length > 0)
      .map((entry) => JSON.stringify(entry.map(({ alone }) => alone)))
    form.push(part, [...new Set(texts)].sort())
    left.push(...entries.flat())
  }
  return { fields: left, form }
}

function rulesOf(configuration: AuthorizationConfig): OwnRule[] {
  return enforced(configuration).flatMap((policy) => {
    const { action, provider } = policy
    const effect = [action, provider, provider === undefined ? undefined : configuration.providers?.[provider]]
    return policy.rules.map((rule) => ({ policy, effect, rule }))
  })
}

const keyOf = ({ effect, rule }: OwnRule): string => JSON.stringify([effect, { ...rule, headerActions: undefined }])

/** What the rule asks of that which is known. */
const possible = (rule: RuleConfig, unknown: Unknown): RuleConfig =>
  assume(rule, (subject) => isUnknown(subject, unknown), true)!

const hasAllow = (configuration: AuthorizationConfig): boolean =>
  enforced(configuration).some(({ action }) => action === 'ALLOW')
