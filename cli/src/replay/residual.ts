/**
 * What is left of policies where some attributes of a request are not known: fields that look at them are taken as matching, or as
 * not matching. A rule matches if its fields do, so that the two extremes bound every verdict that is possible.
 */
import type { AuthorizationConfig, PolicyConfig, RuleConfig } from '../compile/authorization-config.ts'
import { fieldsOf, type Field, type Subject } from '../explain/fields.ts'

export type IsUnknown = (subject: Subject) => boolean

/** Without the policies that have no part in the verdict. */
export function enforced({ policies }: AuthorizationConfig): PolicyConfig[] {
  return policies.filter(({ action, dryRun }) => action !== 'AUDIT' && !dryRun)
}

/**
 * The configuration for the verdict that is the most (`allow`) or the least (`deny`) favourable. Every rule becomes a policy of its
 * own, named by its id, which therefore stays the same when others are gone: `originalRule` takes it from a decision.
 */
export function bound(
  configuration: AuthorizationConfig,
  isUnknown: IsUnknown,
  towards: 'allow' | 'deny',
): AuthorizationConfig {
  const policies = enforced(configuration).flatMap((policy): PolicyConfig[] => {
    const assumed = (policy.action === 'ALLOW') === (towards === 'allow')
    const rules = policy.rules.flatMap((rule, index): PolicyConfig[] => {
      const left = assume(rule, isUnknown, assumed)
      return left ? [{ ...policy, name: `${policy.name}-rule[${index}]`, rules: [left] }] : []
    })
    // An ALLOW policy refuses what it does not allow, also where it has no rule.
    return rules.length > 0 ? rules : [{ ...policy, rules: [] }]
  })
  return { ...configuration, policies }
}

/** The id as the policies have it, of one by `bound`. */
export function originalRule(rule: string | undefined): string | undefined {
  return rule?.replace(/-rule\[0\]$/, '')
}

/** The fields of a rule that are not known. */
function unknownFields(rule: RuleConfig, isUnknown: IsUnknown): Field[] {
  return fieldsOf(rule).filter(({ subject }) => isUnknown(subject))
}

/** The rule without the fields that are not known; undefined: it can't match. */
export function assume(rule: RuleConfig, isUnknown: IsUnknown, matches: boolean): RuleConfig | undefined {
  const unknown = unknownFields(rule, isUnknown)
  const { headerActions: _, ...left } = rule
  if (unknown.length === 0) return left
  if (!matches && unknown.some(({ part }) => part === 'when')) return undefined
  const open = (part: Field['part'], entry: number) =>
    unknown.filter((field) => field.part === part && field.entry === entry)
  for (const part of ['from', 'to'] as const) {
    const entries = left[part]?.flatMap((entry, index) => {
      const names = open(part, index).map(({ name }) => name)
      if (names.length > 0 && !matches) return []
      return [Object.fromEntries(Object.entries(entry).filter(([name]) => !names.includes(name)))]
    })
    if (!entries) continue
    if (entries.length === 0) return undefined
    // An entry of which nothing is left matches everything, and so does the part.
    if (entries.some((entry) => Object.keys(entry).length === 0)) delete left[part]
    else left[part] = entries
  }
  const when = left.when?.filter((_, index) => open('when', index).length === 0)
  if (when?.length) left.when = when
  else delete left.when
  return left
}
