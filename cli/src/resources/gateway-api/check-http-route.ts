/** What the Gateway API says of an HTTPRoute beyond its fields. */
import type { Diagnostics } from '../diagnostics.ts'
import type { Path } from '../nodes.ts'
import { parseDuration } from '../targets.ts'
import {
  checkBackend,
  checkFilters,
  checkModifier,
  checkParents,
  checkPattern,
  checkRules,
  type HeaderMatch,
  type Report,
} from './common.ts'
import type { GatewayHttpRoute, HttpFilter, HttpRouteMatch, HttpRouteRule, PathModifier } from './http-route.ts'

/** The field of each type of filter. */
export const filterFields = {
  RequestHeaderModifier: 'requestHeaderModifier',
  ResponseHeaderModifier: 'responseHeaderModifier',
  RequestMirror: 'requestMirror',
  RequestRedirect: 'requestRedirect',
  URLRewrite: 'urlRewrite',
  CORS: 'cors',
  ExtensionRef: 'extensionRef',
  ExternalAuth: 'externalAuth',
} as const

/** Checks what the schema can't. */
export function checkHttpRoute(route: GatewayHttpRoute, diagnostics: Diagnostics): void {
  const report: Report = (code, path, message, hint) => route.report(diagnostics, 'error', code, path, message, hint)
  const { parentRefs = [], rules = [] } = route.spec
  checkParents(parentRefs, report)
  checkRules(rules, report)
  rules.forEach((rule, index) => checkRule(rule, ['spec', 'rules', index], report))
}

function checkRule(rule: HttpRouteRule, path: Path, report: Report): void {
  const { matches = [], filters = [], backendRefs = [], timeouts = {} } = rule
  matches.forEach((match, index) => checkMatch(match, [...path, 'matches', index], report))
  checkHttpFilters(filters, rule, [...path, 'filters'], report)
  backendRefs.forEach((backend, index) => {
    const at = [...path, 'backendRefs', index]
    checkBackend(backend, at, report)
    checkHttpFilters(backend.filters ?? [], rule, [...at, 'filters'], report)
  })
  const redirect = filters.findIndex(({ type }) => type === 'RequestRedirect')
  if (redirect >= 0 && backendRefs.length)
    report('MS1204', [...path, 'backendRefs'], 'backendRefs do not go with a redirect', 'remove one of them')
  const [request, backendRequest] = [timeouts.request, timeouts.backendRequest].map((text) => parseDuration(text ?? ''))
  if (request && backendRequest && backendRequest > request) {
    const message = 'backendRequest is longer than request'
    report('MS1106', [...path, 'timeouts', 'backendRequest'], message, `write at most ${timeouts.request}`)
  }
}

const PATH = /^(?:[-A-Za-z0-9/._~!$&'()*+,;=:@]|%[0-9a-fA-F]{2})+$/
const FORBIDDEN = ['//', '/./', '/../', '%2f', '%2F', '#']

function checkMatch({ path: wanted, headers = [], queryParams = [] }: HttpRouteMatch, path: Path, report: Report) {
  const { type = 'PathPrefix', value = '/' } = wanted ?? {}
  const at = [...path, 'path', 'value']
  if (type === 'RegularExpression') checkPattern(value, at, report)
  else if (!value.startsWith('/')) report('MS1106', at, `${JSON.stringify(value)} is not a path`, `write "/${value}"`)
  else {
    const bad = FORBIDDEN.find((part) => value.includes(part)) ?? /\/\.\.?$/.exec(value)?.[0]
    if (bad) report('MS1106', at, `a path has no ${bad} in it`, 'write it as clients will ask for it')
    else if (!PATH.test(value)) report('MS1106', at, `${JSON.stringify(value)} has a character that no path has`)
  }
  for (const [field, list] of Object.entries({ headers, queryParams })) {
    const nameOf = ({ name }: HeaderMatch) => (field === 'headers' ? name.toLowerCase() : name)
    list.forEach((each, index) => {
      const where = [...path, field, index]
      if (each.type === 'RegularExpression') checkPattern(each.value, [...where, 'value'], report)
      if (list.findIndex((other) => nameOf(other) === nameOf(each)) < index)
        report('MS1109', [...where, 'name'], `${each.name} is there twice`, 'write one expression for both')
    })
  }
}

const STATUSES = [301, 302, 303, 307, 308]

function checkHttpFilters(filters: readonly HttpFilter[], rule: HttpRouteRule, path: Path, report: Report): void {
  checkFilters(filters, filterFields, path, report)
  filters.forEach((filter, index) => {
    const at = [...path, index]
    const { requestHeaderModifier, responseHeaderModifier, requestMirror, requestRedirect, urlRewrite, cors } = filter
    if (requestHeaderModifier) checkModifier(requestHeaderModifier, [...at, 'requestHeaderModifier'], report)
    if (responseHeaderModifier) checkModifier(responseHeaderModifier, [...at, 'responseHeaderModifier'], report)
    if (requestMirror) {
      const { backendRef, fraction } = requestMirror
      checkBackend(backendRef, [...at, 'requestMirror', 'backendRef'], report)
      if (fraction && fraction.numerator > (fraction.denominator ?? 100)) {
        const where = [...at, 'requestMirror', 'fraction', 'numerator']
        report('MS1106', where, 'the numerator is greater than the denominator')
      }
    }
    if (requestRedirect?.statusCode !== undefined && !STATUSES.includes(requestRedirect.statusCode)) {
      const message = `${requestRedirect.statusCode} is not allowed here`
      report('MS1104', [...at, 'requestRedirect', 'statusCode'], message, `write one of ${STATUSES.join(', ')}`)
    }
    if (requestRedirect?.path) checkModifierPath(requestRedirect.path, rule, [...at, 'requestRedirect', 'path'], report)
    if (urlRewrite?.path) checkModifierPath(urlRewrite.path, rule, [...at, 'urlRewrite', 'path'], report)
    for (const field of ['allowOrigins', 'allowMethods', 'allowHeaders'] as const) {
      const values = cors?.[field] ?? []
      if (values.includes('*') && values.length > 1)
        report('MS1204', [...at, 'cors', field], '"*" stands alone', 'remove the others')
    }
  })
  const redirect = filters.findIndex(({ type }) => type === 'RequestRedirect')
  if (redirect >= 0 && filters.some(({ type }) => type === 'URLRewrite'))
    report('MS1204', [...path, redirect], 'a redirect and a rewrite do not go together', 'remove one of them')
}

function checkModifierPath(modifier: PathModifier, { matches = [] }: HttpRouteRule, path: Path, report: Report): void {
  const { type } = modifier
  const own = type === 'ReplaceFullPath' ? 'replaceFullPath' : 'replacePrefixMatch'
  const other = type === 'ReplaceFullPath' ? 'replacePrefixMatch' : 'replaceFullPath'
  if (modifier[own] === undefined) return report('MS1103', [...path, own], `type: ${type} needs ${own}`)
  if (modifier[other] !== undefined)
    report('MS1204', [...path, other], `${other} does not go with type: ${type}`, 'remove one of them')
  const value = modifier[own]
  if (!value.startsWith('/') && !(value === '' && type === 'ReplacePrefixMatch'))
    report('MS1106', [...path, own], `${JSON.stringify(value)} is not a path`, `write "/${value}"`)
  if (type === 'ReplaceFullPath') return
  const isPrefix = matches.length === 1 && (matches[0]!.path?.type ?? 'PathPrefix') === 'PathPrefix'
  if (!isPrefix && matches.length) {
    const hint = 'write a rule for each, or type: ReplaceFullPath'
    report('MS1204', [...path, 'type'], 'a prefix is replaced where the rule has just one match, by PathPrefix', hint)
  }
}
