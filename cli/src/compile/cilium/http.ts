/** `rules.http`: what a request must be like, and what becomes of headers that are not as wanted. */
import type { HeaderMatch, HttpRule } from '../../resources/cilium/types.ts'
import type { Inventory } from '../../resources/kubernetes/inventory.ts'
import type { Path } from '../../resources/nodes.ts'
import type { ConditionConfig, HeaderAction, Matcher, OperationConfig } from '../authorization-config.ts'
import type { PolicyRule } from './context.ts'

export interface HttpGrant {
  methods?: OperationConfig['methods']
  when: ConditionConfig[]
  actions: HeaderAction[]
}

/** Undefined: it never matches. */
export function compileHttp(
  policy: PolicyRule,
  rule: HttpRule,
  path: Path,
  inventory: Inventory,
): HttpGrant | undefined {
  const when: ConditionConfig[] = []
  const text = (header: string, regex: string | undefined) => {
    const values = regex ? toMatchers(regex) : undefined
    if (values) when.push({ header, values })
  }
  // Unlike Istio's `paths` this is compared with the query.
  text(':path', rule.path)
  text(':authority', rule.host)
  const methods = rule.method ? toMatchers(rule.method) : undefined

  let never = false
  rule.headers?.forEach((header, index) => {
    const condition = compileHeader(policy, header, [...path, 'headers', index])
    if (condition) when.push(condition)
    else never = true
  })
  const actions: HeaderAction[] = []
  rule.headerMatches?.forEach((match, index) => {
    const at = [...path, 'headerMatches', index]
    const value = wantedValue(policy, match, at, inventory)
    const header = headerName(match.name)
    if (!isHeaderName(header)) {
      policy.report('error', 'MS1106', [...at, 'name'], `${JSON.stringify(match.name)} is not the name of a header`)
    } else if (value === undefined) never = true
    else if (match.mismatch) {
      if (match.mismatch !== 'LOG' && (header.startsWith(':') || header === 'content-length')) {
        policy.refuse([...at, 'mismatch'], `the filter does not change ${header}`)
      }
      if (match.mismatch === 'DELETE' && value === '') {
        const message = 'DELETE without a value never deletes: the header only has to be there'
        policy.report('warning', 'MS1421', [...at, 'mismatch'], message, 'write the value that is to stay')
      }
      actions.push({ header, ...(value !== '' && { value }), onMismatch: match.mismatch })
    } else when.push(wants(header, value))
  })
  if (never && actions.some(({ onMismatch }) => onMismatch !== 'LOG')) {
    const message = 'the filter cannot change headers on behalf of a rule that never matches'
    policy.refuse([...path, 'headerMatches'], message, 'mend or remove the header that never matches')
  }
  return never ? undefined : { ...(methods && { methods }), when, actions }
}

/** The value alone, or that the header is there. Values of a repeated header are joined by commas. */
const wants = (header: string, value: string): ConditionConfig =>
  value === '' ? { header, values: [{ present: true }] } : { header, joined: true, values: [{ exact: value }] }

/** `Name: value` or `Name`; the name ends at the first space, and colons at its end are left out. */
function compileHeader(policy: PolicyRule, text: string, path: Path): ConditionConfig | undefined {
  const space = text.indexOf(' ')
  const name = headerName(space < 0 ? text : text.slice(0, space).replace(/:+$/, ''))
  const value = text.slice(space + 1)
  if (!isHeaderName(name)) {
    const message = `${JSON.stringify(text)} never matches: ${JSON.stringify(name)} is not the name of a header`
    const [, key, rest] = /^([^:\s]+):(.*)$/.exec(text) ?? []
    const hint = key ? `write ${JSON.stringify(rest ? `${key}: ${rest.trim()}` : key)}` : undefined
    policy.report('warning', 'MS1401', path, message, hint)
    return undefined
  }
  if (space < 0) return wants(name, '')
  if (value !== value.trim()) {
    const message = `${JSON.stringify(text)} never matches: the value of a header has no spaces around it`
    policy.report(
      'warning',
      'MS1401',
      path,
      message,
      `write ${JSON.stringify(`${text.slice(0, space)} ${value.trim()}`)}`,
    )
    return undefined
  }
  return { header: name, joined: true, values: [{ exact: value }] }
}

/** The value that a header must have; empty: any. Undefined: the rule fails since there is no such secret. */
function wantedValue(policy: PolicyRule, match: HeaderMatch, path: Path, inventory: Inventory): string | undefined {
  const { secret, value = '' } = match
  if (!secret) return value
  const namespace = secret.namespace ?? policy.namespace ?? ''
  const entries = inventory.secret(namespace, secret.name)
  const at = [...path, 'secret']
  if (entries?.size === 1) {
    const [found = ''] = entries.values()
    policy.report(
      'info',
      'MS1422',
      at,
      `the value of Secret ${namespace}/${secret.name} becomes a part of the configuration`,
    )
    return found || value
  }
  const problem = entries
    ? `Secret ${namespace}/${secret.name} must have one entry, it has ${entries.size}`
    : `Secret ${namespace}/${secret.name} is not in the input`
  const outcome = value === '' ? 'the rule never matches' : 'its "value" is taken'
  policy.report('warning', 'MS1421', at, `${problem}: ${outcome}`, 'add the secret to the input')
  return value === '' ? undefined : value
}

/** Envoy keeps `host` as `:authority`. */
function headerName(name: string): string {
  const lower = name.toLowerCase()
  return lower === 'host' ? ':authority' : lower
}

const isHeaderName = (name: string) => /^:?[\w!#$%&'*+.^`|~-]+$/.test(name)

/** An expression without operators is compared as the text that it is: that is what an index is good at. Undefined: all match. */
export function toMatchers(regex: string): Matcher[] | undefined {
  const plain = regex.split('|').map((part) => part.replace(/^\^/, '').replace(/\$$/, ''))
  if (plain.includes('.*')) return undefined
  const matchers = plain.map((part): Matcher | undefined => {
    if (isPlain(part)) return { exact: part }
    const prefix = part.replace(/\.\*$/, '')
    return prefix !== part && prefix !== '' && isPlain(prefix) ? { prefix } : undefined
  })
  return matchers.every((each) => each !== undefined) ? matchers : [{ regex }]
}

const isPlain = (text: string) => !/[\\^$.*+?()[\]{}|]/.test(text)
