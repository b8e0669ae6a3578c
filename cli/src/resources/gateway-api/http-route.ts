/** HTTPRoute (gateway.networking.k8s.io v1, v1beta1; policy.linkerd.io, which has a part of it). */
import type { Diagnostics } from '../diagnostics.ts'
import type { ReadKind } from '../kind.ts'
import type { Path } from '../nodes.ts'
import { checkRegex } from '../regex.ts'
import type { Resource } from '../resource.ts'
import type { Schema } from '../schema.ts'
import { parseDuration } from '../targets.ts'
import {
  anything,
  backendRefs,
  checkBackend,
  checkFilters,
  checkModifier,
  checkParents,
  checkRules,
  duration,
  extensionRef,
  headerMatches,
  headerModifier,
  headerName,
  hostname,
  hostnames,
  list,
  mirror,
  object,
  parentRefs,
  port,
  ruleName,
  type BackendObject,
  type ExtensionRef,
  type HeaderMatch,
  type HeaderModifier,
  type Mirror,
  type ParentRef,
  type Report,
} from './common.ts'

export interface PathModifier {
  type: 'ReplaceFullPath' | 'ReplacePrefixMatch'
  replaceFullPath?: string
  replacePrefixMatch?: string
}

export interface RequestRedirect {
  scheme?: string
  hostname?: string
  path?: PathModifier
  port?: number
  statusCode?: number
}

export interface CorsFilter {
  allowOrigins?: string[]
  allowCredentials?: boolean
  allowMethods?: string[]
  allowHeaders?: string[]
  exposeHeaders?: string[]
  maxAge?: number
}

export interface HttpFilter {
  type: keyof typeof filterFields
  requestHeaderModifier?: HeaderModifier
  responseHeaderModifier?: HeaderModifier
  requestMirror?: Mirror
  requestRedirect?: RequestRedirect
  urlRewrite?: { hostname?: string; path?: PathModifier }
  cors?: CorsFilter
  extensionRef?: ExtensionRef
  externalAuth?: unknown
}

export interface HttpRouteMatch {
  path?: { type?: 'Exact' | 'PathPrefix' | 'RegularExpression'; value?: string }
  headers?: HeaderMatch[]
  queryParams?: HeaderMatch[]
  method?: string
}

export interface HttpBackendRef extends BackendObject {
  weight?: number
  filters?: HttpFilter[]
}

export interface HttpRouteRule {
  name?: string
  matches?: HttpRouteMatch[]
  filters?: HttpFilter[]
  backendRefs?: HttpBackendRef[]
  timeouts?: { request?: string; backendRequest?: string }
  retry?: { codes?: number[]; attempts?: number; backoff?: string }
  sessionPersistence?: unknown
}

export interface HttpRouteSpec {
  parentRefs?: ParentRef[]
  hostnames?: string[]
  /** Absent: one that matches everything. */
  rules?: HttpRouteRule[]
}

export type GatewayHttpRoute = Resource<HttpRouteSpec>

const filterFields = {
  RequestHeaderModifier: 'requestHeaderModifier',
  ResponseHeaderModifier: 'responseHeaderModifier',
  RequestMirror: 'requestMirror',
  RequestRedirect: 'requestRedirect',
  URLRewrite: 'urlRewrite',
  CORS: 'cors',
  ExtensionRef: 'extensionRef',
  ExternalAuth: 'externalAuth',
} as const

const path: Schema = { type: 'string', maxLength: 1024 }
const pathModifier: Schema = {
  ...object(
    {
      type: { type: 'string', enum: ['ReplaceFullPath', 'ReplacePrefixMatch'] },
      replaceFullPath: path,
      replacePrefixMatch: path,
    },
    ['type'],
  ),
}
const headerNames = list(headerName, 64)
const ORIGIN = /^\*$|^https?:\/\/(((\*\.)?([a-zA-Z0-9-]+\.)*[a-zA-Z0-9-]+|\*)(:[0-9]{1,5})?)$/
const methods = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH']
const cors = object({
  allowOrigins: list(
    {
      type: 'string',
      minLength: 1,
      maxLength: 253,
      pattern: { test: ORIGIN, expected: 'an origin', hint: 'write e.g. https://shop.example.com or "*"' },
    },
    64,
  ),
  allowCredentials: { type: 'boolean' },
  allowMethods: list({ type: 'string', enum: [...methods, '*'] }, 9),
  allowHeaders: headerNames,
  exposeHeaders: headerNames,
  maxAge: { type: 'integer', minimum: 1 },
})
const filters = list(
  object(
    {
      type: { type: 'string', enum: Object.keys(filterFields) },
      requestHeaderModifier: headerModifier,
      responseHeaderModifier: headerModifier,
      requestMirror: mirror,
      requestRedirect: object({
        scheme: { type: 'string', enum: ['http', 'https'] },
        hostname,
        path: pathModifier,
        port,
        statusCode: { type: 'integer' },
      }),
      urlRewrite: object({ hostname, path: pathModifier }),
      cors,
      extensionRef,
      externalAuth: anything,
    },
    ['type'],
  ),
  16,
)
const matchType: Schema = { type: 'string', enum: ['Exact', 'RegularExpression'] }
const matches = list(
  object({
    path: object({ type: { type: 'string', enum: ['Exact', 'PathPrefix', 'RegularExpression'] }, value: path }),
    headers: headerMatches,
    queryParams: list(
      object({ type: matchType, name: headerName, value: { type: 'string', minLength: 1, maxLength: 1024 } }, [
        'name',
        'value',
      ]),
      16,
    ),
    method: { type: 'string', enum: methods },
  }),
  64,
)
const spec = object({
  parentRefs,
  hostnames,
  useDefaultGateways: { type: 'string', enum: ['All', 'None'] },
  rules: {
    ...list(
      object({
        name: ruleName,
        matches,
        filters,
        backendRefs: backendRefs(filters),
        timeouts: object({ request: duration, backendRequest: duration }),
        retry: object({
          codes: list({ type: 'integer', minimum: 400, maximum: 599 }),
          attempts: { type: 'integer', minimum: 1 },
          backoff: duration,
        }),
        sessionPersistence: anything,
      }),
      16,
    ),
    minItems: 1,
  },
})

export const httpRoute = (versions: readonly string[]): ReadKind => ({
  use: 'read',
  versions,
  fields: { spec },
  required: ['spec'],
  check: checkHttpRoute,
  about: 'traffic',
})

function checkHttpRoute(route: GatewayHttpRoute, diagnostics: Diagnostics): void {
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
  const checkPattern = (regex: string, where: Path) => {
    const problem = checkRegex(regex)
    if (problem) report('MS1222', where, problem.message, problem.hint)
  }
  if (type === 'RegularExpression') checkPattern(value, at)
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
      if (each.type === 'RegularExpression') checkPattern(each.value, [...where, 'value'])
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
