/** Header actions of several rules that meet at one header. */
import type { HeaderAction } from '../authorization-config.ts'
import type { Grant } from './grants.ts'

/**
 * Cilium runs the rules one after the other, each on the headers that those before it have left, in an order of its own. Where a
 * rule looks at a header, or changes one, that another rule changes, the outcome depends on that order: such policies are refused.
 */
export function checkActions(grants: readonly Grant[]) {
  const seen = new Set<string>()
  for (const grant of grants) {
    for (const action of grant.rule.headerActions ?? []) {
      if (action.onMismatch === 'LOG') continue
      const other = grants.find((each) => each !== grant && meets(each, action))
      if (!other || seen.has(action.header)) continue
      seen.add(action.header)
      const { resource } = other.policy
      const { source, start } = resource.locate(other.path)
      const place = `${source.name}:${source.position(start).line}`
      const message = `what becomes of ${action.header} depends on the order of this rule and of that at ${place}`
      grant.policy.refuse([...grant.path, 'headerMatches'], message, `let only one of them look at ${action.header}`)
    }
  }
}

function meets({ rule }: Grant, action: HeaderAction): boolean {
  const actions = (rule.headerActions ?? []).filter(({ header }) => header === action.header)
  const isSame = ({ value, onMismatch }: HeaderAction) => value === action.value && onMismatch === action.onMismatch
  if (actions.some((each) => each.onMismatch !== 'LOG' && !isSame(each))) return true
  return (rule.when ?? []).some((condition) => 'header' in condition && condition.header === action.header)
}
