/** What changes between two sets of policies, for people and for programs. */
import { printable, formatPlace } from '../explain/render.ts'
import { placeToJson } from '../explain/json.ts'
import type { Verdict } from '../explain/judge.ts'
import type { Diagnostics } from '../resources/diagnostics.ts'
import type { Span } from '../resources/source.ts'
import type { Colors } from '../terminal.ts'
import type { Counts, Group } from './replay.ts'
import type { SideVerdict } from './side.ts'
import type { TrafficStatistics } from './traffic.ts'

export interface Result {
  counts: Counts
  groups: readonly Group[]
  statistics: TrafficStatistics
  /** Places of the rules of both sides. */
  places: { old: ReadonlyMap<string, Span>; new: ReadonlyMap<string, Span> }
  /** On the policies. */
  diagnostics: { old: Diagnostics; new: Diagnostics }
}

export function renderResult({ counts, groups, statistics, places }: Result, limit: number, colors: Colors): string {
  const { requests, changed, undecided } = counts
  const same = requests - changed - undecided
  const parts = [
    colors.bold(`${number(changed)} change`),
    ...(undecided > 0 ? [`${number(undecided)} may change`] : []),
    `${number(same)} do not`,
  ]
  const lines = [`${number(requests)} ${requests === 1 ? 'request' : 'requests'}: ${parts.join(', ')}`]
  const left = leftOut(statistics)
  if (left) lines.push(colors.dim(left))
  const shown = groups.slice(0, limit)
  for (const group of shown) lines.push('', ...groupLines(group, places, colors))
  if (shown.length < groups.length) {
    lines.push('', colors.dim(`… and ${number(groups.length - shown.length)} more (--limit shows them)`))
  }
  return `${lines.join('\n')}\n`
}

function leftOut({ skipped, unreadable, problem }: TrafficStatistics): string {
  const parts = Object.entries(skipped).map(([reason, count]) => `${number(count)} ${reason}`)
  if (unreadable > 0) parts.push(`${number(unreadable)} unreadable (${problem})`)
  return parts.length > 0 ? `left out: ${parts.join(', ')}` : ''
}

function groupLines(group: Group, places: Result['places'], colors: Colors): string[] {
  const { kind, method, path, count, line, dependsOn } = group
  const change = `${verdictText(group.old, colors)} → ${verdictText(group.new, colors)}`
  const lines = [`${colors.bold(printable(`${method} ${path}`))}  ${change}  ${number(count)} ×, first in line ${line}`]
  for (const side of ['old', 'new'] as const) {
    const reason = reasonText(group[side], places[side])
    if (reason) lines.push(`  ${side}  ${reason}`)
  }
  if (kind === 'undecided') lines.push(`  the record does not tell: ${dependsOn.join(', ')}`)
  return lines
}

function verdictText({ verdicts, provider }: SideVerdict, colors: Colors): string {
  const paint = (verdict: Verdict) =>
    verdict === 'allowed'
      ? colors.green('allowed')
      : verdict === 'external'
        ? `asks ${provider ?? 'a provider'}`
        : colors.red(verdict)
  return verdicts.map(paint).join(' or ')
}

function reasonText({ verdicts, rule }: SideVerdict, places: ReadonlyMap<string, Span>): string | undefined {
  if (verdicts.length > 1) return undefined
  if (rule === undefined) return verdicts[0] === 'denied' ? 'no ALLOW rule matches' : 'no rule matches'
  const place = places.get(rule)
  return place ? `${rule}  ${formatPlace(place)}` : rule
}

const number = (value: number): string => value.toLocaleString('en-US').replaceAll(',', ' ')

/** docs/explain.md describes the form. */
export function resultToJson({ counts, groups, statistics, places, diagnostics }: Result): Record<string, unknown> {
  const { requests, changed, undecided } = counts
  const side = (each: SideVerdict, rules: ReadonlyMap<string, Span>) => ({
    verdicts: each.verdicts,
    rule: each.rule ?? null,
    provider: each.provider ?? null,
    place: placeToJson(each.rule === undefined ? undefined : rules.get(each.rule)),
  })
  return {
    version: 1,
    summary: { requests, changed, undecided, unchanged: requests - changed - undecided, ...statistics },
    groups: groups.map((group) => ({
      ...group,
      old: side(group.old, places.old),
      new: side(group.new, places.new),
    })),
    diagnostics,
  }
}
