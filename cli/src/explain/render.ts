/** An explanation for people. */
import { formatExcerpt } from '../diagnostics.ts'
import type { PolicyRequest } from '../requests/request.ts'
import type { Resource } from '../resources/resource.ts'
import type { Span } from '../resources/source.ts'
import type { Colors } from '../terminal.ts'
import type { ExplainedField, ExplainedPolicy, ExplainedRule, Explanation } from './explain.ts'
import type { Field } from './fields.ts'
import type { Verdict } from './judge.ts'
import { absenceOf, valuesOf } from './subjects.ts'

const titles: Record<Verdict, string> = {
  allowed: 'ALLOWED',
  denied: 'DENIED',
  external: 'ASKS',
  rejected: 'REJECTED',
}

/** Enough to see what is meant; `--json` has them all. */
const SHOWN_VALUES = 4

export function renderExplanation(
  explanation: Explanation,
  unselected: readonly Resource[],
  colors: Colors,
  all: boolean,
): string {
  const { request, path, judgement, reason, place, policies } = explanation
  const { verdict, provider, rule, status, audit } = judgement
  const paint = verdict === 'allowed' ? colors.green : verdict === 'external' ? colors.yellow : colors.red
  const title = `${titles[verdict]}${provider === undefined ? '' : ` ${provider}`}`
  const lines = [`${paint(colors.bold(title))}  ${requestLine(request)}`]
  const code = verdict === 'denied' ? ` (${status})` : ''
  lines.push(`  ${reason}${code}${rule === undefined ? '' : `: ${rule}`}`)
  if (place) lines.push(`  ${colors.bold(formatPlace(place))}`, excerpt(place, colors))
  if (path !== request.path) lines.push(`  the filter sees the path ${printable(path)}`)
  if (audit) lines.push('  an AUDIT rule matches: the request is marked')
  lines.push(...dryRunLines(explanation))
  const seen = { ...request, path }
  for (const policy of policies) lines.push('', ...policyLines(policy, seen, colors, all))
  if (unselected.length > 0) {
    const shown = unselected.map(
      (each) => `  ${each.title}  ${colors.dim(formatPlace(each.locate(['metadata', 'name'])))}`,
    )
    lines.push('', 'Do not apply to the workload:', ...shown)
  }
  return `${lines.join('\n')}\n`
}

function requestLine({ method, path, host, peer }: PolicyRequest): string {
  const client = peer.length > 0 ? `as ${peer.join(', ')}` : 'without a client certificate'
  return printable(`${method} ${path} to ${host}, ${client}`)
}

function dryRunLines({ judgement: { verdict, dryRun }, policies }: Explanation): string[] {
  const { deny, allow } = dryRun
  const has = (action: string) => policies.some(({ config }) => config.dryRun && config.action === action)
  const lines: string[] = []
  if (has('DENY') && verdict !== 'rejected') {
    lines.push(`  dry run, DENY: ${deny && deny !== 'none' ? `${deny} would refuse it` : 'no rule would refuse it'}`)
  }
  if (has('ALLOW') && verdict !== 'rejected') {
    lines.push(`  dry run, ALLOW: ${allow && allow !== 'none' ? `${allow} would allow it` : 'no rule would allow it'}`)
  }
  return lines
}

function policyLines(
  { config, resource, rules }: ExplainedPolicy,
  request: PolicyRequest,
  colors: Colors,
  all: boolean,
): string[] {
  const { action, dryRun, provider, name } = config
  const kind = `${action}${provider === undefined ? '' : ` ${provider}`}${dryRun ? ', dry run' : ''}`
  const place = resource ? `  ${colors.dim(formatPlace(resource.locate(['metadata', 'name'])))}` : ''
  const lines = [`${colors.bold(resource?.title ?? name)}  ${kind}${place}`]
  if (rules.length === 0) lines.push(`  has no rules: it matches nothing`)
  const shown = all ? rules : shownRules(rules)
  for (const rule of shown) lines.push(...ruleLines(rule, request, colors))
  const hidden = rules.length - shown.length
  if (hidden > 0) lines.push(colors.dim(`  … and ${hidden} more rules that do not match (--all shows them)`))
  return lines
}

/** Of very many rules those that match, and those that nearly do. */
const SHOWN_RULES = 20

function shownRules(rules: readonly ExplainedRule[]): readonly ExplainedRule[] {
  if (rules.length <= SHOWN_RULES) return rules
  const missing = ({ matched, fields }: ExplainedRule) =>
    matched ? -1 : fields.filter((each) => !each.matched).length / Math.max(1, fields.length)
  const nearest = [...rules].sort((a, b) => missing(a) - missing(b)).slice(0, SHOWN_RULES)
  return rules.filter((rule) => rule.matched || nearest.includes(rule))
}

function ruleLines({ index, place, matched, fields }: ExplainedRule, request: PolicyRequest, colors: Colors): string[] {
  const mark = matched ? colors.green('✓') : colors.red('✗')
  const at = place ? `  ${colors.dim(formatPlace(place))}` : ''
  const head = `  ${mark} rules[${index}] ${matched ? 'matches' : 'does not match'}${at}`
  const failing = failingFields(fields)
  const names = failing.map(fieldName)
  const width = Math.max(...names.map((name) => name.length))
  return [
    head,
    ...failing.map((field, at) => {
      const wants = `${field.negated ? 'none of ' : ''}${shorten(field.wants)}`
      const has = valuesOf(field.subject, request)
      const shown = has.length > 0 ? shorten(has) : colors.italic(absenceOf(field.subject, request))
      return `      ${names[at]!.padEnd(width)}  wants ${colors.cyan(wants)}, the request has ${colors.yellow(shown)}`
    }),
  ]
}

/** Of the entries of `from` and `to` one has to match: where one does, the others are of no interest. */
function failingFields(fields: readonly ExplainedField[]): Field[] {
  const satisfied = new Set(
    (['from', 'to'] as const).filter((part) => {
      const own = fields.filter(({ field }) => field.part === part)
      return own.some(({ field: { entry } }) => own.every((each) => each.field.entry !== entry || each.matched))
    }),
  )
  return fields
    .filter(({ field, matched }) => !matched && (field.part === 'when' || !satisfied.has(field.part)))
    .map(({ field }) => field)
}

function fieldName({ part, entry, name, subject, negated }: Field): string {
  if (part !== 'when') return `${part}[${entry}].${name}`
  const key =
    subject.kind === 'header'
      ? `header ${subject.name}`
      : subject.kind === 'claim'
        ? `claim ${subject.path.join('.')}`
        : subject.kind === 'metadata'
          ? `metadata ${subject.filter} ${subject.path.join('.')}`
          : subject.kind
  return `when[${entry}] ${key}${negated ? ' (notValues)' : ''}`
}

/** What a file or a log brings must not act on the terminal. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, (char) => {
    const code = char.codePointAt(0)!.toString(16)
    return code.length > 2 ? `\\u{${code}}` : `\\x${code.padStart(2, '0')}`
  })
}

function shorten(values: readonly string[]): string {
  const shown = values.slice(0, SHOWN_VALUES).map((value) => (value === '' ? '""' : printable(value.slice(0, 200))))
  const rest = values.length - shown.length
  return shown.join(', ') + (rest > 0 ? ` … (${rest} more)` : '')
}

export function formatPlace({ source, start }: Span): string {
  const { line, column } = source.position(start)
  return `${source.name}:${line}:${column}`
}

function excerpt({ source, start, end }: Span, colors: Colors): string {
  const { line, column } = source.position(start)
  return formatExcerpt({ source: source.line(line), line, column, length: end - start }, colors.cyan).replace(/\n$/, '')
}
