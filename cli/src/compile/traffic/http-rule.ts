/** A rule of an HTTPRoute, as the routing filter takes it: one route for each of its matches, with their ranks. */
import type { HeaderMatch, HeaderModifier } from '../../resources/gateway-api/common.ts'
import type {
  CorsFilter,
  HttpBackendRef,
  HttpFilter,
  HttpRouteMatch,
  HttpRouteRule,
  PathModifier,
  RequestRedirect,
} from '../../resources/gateway-api/http-route.ts'
import type { Path } from '../../resources/nodes.ts'
import { escapeRegex } from '../../resources/regex.ts'
import { backendCluster, type RuleContext } from './backends.ts'
import { joinOperations } from './header-operations.ts'
import type {
  CorsConfig,
  DestinationConfig,
  HeadersConfig,
  MatchConfig,
  Matcher,
  OperationsConfig,
  RouteConfig,
} from './model.ts'
import type { RankedRoute } from './rank.ts'
import { resilienceOf } from './resilience.ts'

export function httpRule(rule: HttpRouteRule, context: RuleContext, index: number): RankedRoute[] {
  const { route } = context
  const { matches = [{}] } = rule
  const settings = settingsOf(rule, context)
  const name = `${route.metadata.namespace}/${route.metadata.name}.${rule.name ?? index}`
  return (matches.length ? matches : [{}]).map((match) => {
    const configs = matchConfigs(match, replacesByRoot(rule))
    const isAll = configs.length === 0
    return {
      rank: { specific: specificity(match), route, index },
      config: { name, ...(!isAll && { match: configs }), ...settings },
    }
  })
}

/** Exact paths, then expressions (whose place is left open), then prefixes, the longest first; then methods, headers and parameters. */
function specificity({ path, method, headers = [], queryParams = [] }: HttpRouteMatch): number[] {
  const { type = 'PathPrefix', value = '/' } = path ?? {}
  const kind = { Exact: 2, RegularExpression: 1, PathPrefix: 0 }[type]
  const { length } = kind === 0 ? trimSlash(value) : value
  return [kind, length, method ? 1 : 0, headers.length, queryParams.length]
}

/** Segments are compared, so that a slash at the end is of no matter. */
const trimSlash = (path: string) => path.replace(/\/$/, '')

/** A prefix that is replaced by nothing takes the slash after it along. */
function replacesByRoot({ filters = [] }: HttpRouteRule): boolean {
  const paths = filters.flatMap(({ requestRedirect, urlRewrite }) => requestRedirect?.path ?? urlRewrite?.path ?? [])
  return paths.some(({ replacePrefixMatch: value }) => value === '' || value === '/')
}

/** One, none where it takes every request, or two for `/foo` and what is below it. */
function matchConfigs(match: HttpRouteMatch, splitsPrefix: boolean): MatchConfig[] {
  const { path, method, headers, queryParams = [] } = match
  const config: MatchConfig = {
    ...(method && { method: { exact: method } }),
    ...headersMatch(headers),
    ...(queryParams.length && {
      queryParams: Object.fromEntries(queryParams.map((param) => [param.name, valueMatcher(param)])),
    }),
  }
  const { type = 'PathPrefix', value = '/' } = path ?? {}
  if (type === 'Exact') return [{ path: { exact: value }, ...config }]
  if (type === 'RegularExpression') return [{ path: { regex: value }, ...config }]
  const prefix = trimSlash(value)
  if (prefix === '') return Object.keys(config).length ? [config] : []
  if (!splitsPrefix) return [{ path: { segments: prefix }, ...config }]
  return [
    { path: { exact: prefix }, ...config },
    { path: { prefix: `${prefix}/` }, ...config },
  ]
}

/** The header `Host` is the authority. */
export function headersMatch(headers: readonly HeaderMatch[] = []): Pick<MatchConfig, 'authority' | 'headers'> {
  const host = headers.find(({ name }) => /^host$/i.test(name))
  const others = headers.filter((header) => header !== host)
  const named = Object.fromEntries(others.map((header) => [header.name.toLowerCase(), valueMatcher(header)]))
  return { ...(host && { authority: valueMatcher(host) }), ...(others.length && { headers: named }) }
}

const valueMatcher = ({ type, value }: HeaderMatch): Matcher =>
  type === 'RegularExpression' ? { regex: value } : { exact: value }

/** What becomes of the requests of a rule. */
export function settingsOf(rule: HttpRouteRule, context: RuleContext): Omit<RouteConfig, 'match'> {
  const { filters = [] } = rule
  refuseOthers(rule, context)
  const find = <Type extends HttpFilter['type']>(type: Type) => filters.find((filter) => filter.type === type)
  const headers = headersConfig(
    find('RequestHeaderModifier')?.requestHeaderModifier,
    find('ResponseHeaderModifier')?.responseHeaderModifier,
  )
  const cors = find('CORS')?.cors
  const common = {
    ...(headers && { headers }),
    ...(cors && { cors: corsConfig(cors, [...context.path, 'filters', filters.indexOf(find('CORS')!)], context) }),
  }
  const redirect = find('RequestRedirect')?.requestRedirect
  if (redirect) return { ...common, redirect: redirectConfig(redirect, rule) }

  const backends = destinationsOf(rule, context)
  if (!backends.destinations) return { ...common, directResponse: { status: context.failure } }
  const { destinations, hasHeaders } = backends
  // The operations of the rule come first, so that those of a backend count.
  if (hasHeaders && headers) {
    for (const destination of destinations) destination.headers = joinHeaders(headers, destination.headers)
    delete common.headers
  }
  const rewrite = find('URLRewrite')?.urlRewrite
  const path = rewrite?.path && pathOf(rewrite.path, rule)
  const mirrors = mirrorConfigs(filters, context)
  return {
    ...common,
    destinations,
    ...((path || rewrite?.hostname) && {
      rewrite: { ...path, ...(rewrite?.hostname && { authority: rewrite.hostname }) },
    }),
    ...resilienceOf(rule, context.annotations),
    ...(mirrors.length && { mirrors }),
  }
}

function refuseOthers(rule: HttpRouteRule, { route, diagnostics, path }: RuleContext): void {
  const refuse = (at: Path, message: string, hint: string) =>
    route.report(diagnostics, 'error', 'MS1301', [...path, ...at], message, hint)
  const { filters = [], backendRefs = [], retry, sessionPersistence } = rule
  filters.forEach(({ type, extensionRef }, index) => {
    if (type === 'ExtensionRef')
      refuse(['filters', index, 'extensionRef'], `${extensionRef!.kind} is not known`, 'write a filter of the API')
    if (type === 'ExternalAuth')
      refuse(['filters', index], 'the filter asks no other service', "leave it to Envoy's filter ext_authz")
  })
  backendRefs.forEach(({ filters: inner = [] }, index) =>
    inner.forEach(({ type, urlRewrite }, number) => {
      const at = ['backendRefs', index, 'filters', number]
      if (type === 'URLRewrite' && urlRewrite?.path)
        refuse([...at, 'urlRewrite', 'path'], 'a path is not rewritten for one backend', 'write it in rules.filters')
      else if (!/HeaderModifier$|^URLRewrite$/.test(type))
        refuse([...at, 'type'], `${type} is not had for one backend`, 'write it in rules.filters')
    }),
  )
  if (retry?.backoff !== undefined)
    refuse(['retry', 'backoff'], 'no request header tells Envoy a backoff', 'remove it: Envoy waits 25ms, then longer')
  if (sessionPersistence)
    refuse(['sessionPersistence'], 'sessions are not kept by the filter', "leave it to Envoy's stateful_session")
}

/** None where every request is refused: none of the backends is valid, or has a weight. */
function destinationsOf(
  { backendRefs }: HttpRouteRule,
  context: RuleContext,
): { destinations?: DestinationConfig[]; hasHeaders: boolean } {
  const { route, diagnostics, path, registry, host, port } = context
  const at = [...path, 'backendRefs']
  // A route of a Service changes what it gets, and takes nothing away.
  if (!backendRefs && host !== undefined) {
    if (port !== undefined) return { destinations: [{ cluster: registry.clusterName(host, port) }], hasHeaders: false }
    const message = `the port of ${host} is not known, and there are no backendRefs`
    route.report(diagnostics, 'error', 'MS1221', path, message, 'add the Service to the input, or give --port')
    return { destinations: [{ cluster: host }], hasHeaders: false }
  }
  const weighted = (backendRefs ?? []).flatMap((backend, index) => {
    const { weight = 1 } = backend
    return weight === 0 ? [] : [{ backend, weight, path: [...at, index] }]
  })
  const parts = weighted.map(({ backend, weight, path }) => {
    const cluster = backendCluster(backend, path, context)
    return cluster === undefined ? undefined : { cluster, weight, ...backendSettings(backend) }
  })
  const valid = parts.filter((part) => part !== undefined)
  if (!valid.length) {
    if (!weighted.length) {
      const isNone = !backendRefs?.length
      const message = `${isNone ? 'there is no backend' : 'no backend has a weight'}: every request is answered with ${context.failure}`
      const hint = isNone ? 'write backendRefs' : 'give one of them a weight'
      route.report(diagnostics, 'warning', 'MS1412', at, message, hint)
    }
    return { hasHeaders: false }
  }
  if (valid.length < parts.length) {
    const message = `a part of the requests would be answered with ${context.failure}, which the filter does not do`
    const hint = 'mend the backends that the warnings are about, or remove them'
    route.report(diagnostics, 'error', 'MS1301', at, message, hint)
  }
  const destinations = valid.length === 1 ? valid.map(({ weight: _, ...part }) => part) : valid
  return { destinations, hasHeaders: valid.some(({ headers }) => headers) }
}

function backendSettings({ filters = [] }: HttpBackendRef): Pick<DestinationConfig, 'headers' | 'authority'> {
  const headers = headersConfig(
    filters.find(({ type }) => type === 'RequestHeaderModifier')?.requestHeaderModifier,
    filters.find(({ type }) => type === 'ResponseHeaderModifier')?.responseHeaderModifier,
  )
  const authority = filters.find(({ type }) => type === 'URLRewrite')?.urlRewrite?.hostname
  return { ...(authority && { authority }), ...(headers && { headers }) }
}

function headersConfig(request?: HeaderModifier, response?: HeaderModifier): HeadersConfig | undefined {
  const config = {
    ...(request && { request: operations(request) }),
    ...(response && { response: operations(response) }),
  }
  return Object.keys(config).length ? config : undefined
}

function operations({ set = [], add = [], remove = [] }: HeaderModifier): OperationsConfig {
  const values = (list: typeof set) => Object.fromEntries(list.map(({ name, value }) => [name.toLowerCase(), value]))
  return {
    ...(remove.length && { remove: remove.map((name) => name.toLowerCase()) }),
    ...(set.length && { set: values(set) }),
    ...(add.length && { add: values(add) }),
  }
}

function joinHeaders(rule: HeadersConfig, backend: HeadersConfig = {}): HeadersConfig {
  const joined: HeadersConfig = {}
  for (const of of ['request', 'response'] as const) {
    const both = joinOperations(rule[of] ?? {}, backend[of] ?? {})
    if (Object.keys(both).length) joined[of] = both
  }
  return joined
}

function redirectConfig(redirect: RequestRedirect, rule: HttpRouteRule): NonNullable<RouteConfig['redirect']> {
  const { scheme, hostname, path, port, statusCode = 302 } = redirect
  return {
    status: statusCode,
    ...(scheme && { scheme }),
    ...(hostname && { authority: hostname }),
    ...(port && { port }),
    ...(path && pathOf(path, rule)),
  }
}

/** See `matchConfigs` for a prefix that is replaced by nothing. */
function pathOf(modifier: PathModifier, { matches = [] }: HttpRouteRule): { path: string } | { prefix: string } {
  if (modifier.type === 'ReplaceFullPath') return { path: modifier.replaceFullPath! }
  const prefix = trimSlash(modifier.replacePrefixMatch!)
  const isOfRoot = trimSlash(matches[0]?.path?.value ?? '/') === ''
  return { prefix: isOfRoot || prefix === '' ? `${prefix}/` : prefix }
}

function mirrorConfigs(filters: readonly HttpFilter[], context: RuleContext): NonNullable<RouteConfig['mirrors']> {
  return filters.flatMap(({ requestMirror }, index) => {
    if (!requestMirror) return []
    const { backendRef, percent, fraction } = requestMirror
    const at = [...context.path, 'filters', index, 'requestMirror', 'backendRef']
    const cluster = backendCluster(backendRef, at, context, 'it gets no copies')
    const percentage = fraction ? (fraction.numerator * 100) / (fraction.denominator ?? 100) : percent
    if (cluster === undefined || percentage === 0) return []
    return [{ cluster, ...(percentage !== undefined && { percentage }) }]
  })
}

function corsConfig(cors: CorsFilter, path: Path, { route, diagnostics }: RuleContext): CorsConfig {
  const { allowOrigins = [], allowCredentials, allowMethods, allowHeaders, exposeHeaders, maxAge = 5 } = cors
  if (allowCredentials && exposeHeaders?.includes('*')) {
    const message = 'browsers take no "*" of responses with credentials'
    const at = [...path, 'cors', 'exposeHeaders']
    route.report(diagnostics, 'error', 'MS1301', at, message, 'write the names of the headers')
  }
  return {
    allowOrigins: allowOrigins.map(originMatcher),
    ...(allowMethods?.length && { allowMethods }),
    ...(allowHeaders?.length && { allowHeaders }),
    ...(exposeHeaders?.length && { exposeHeaders }),
    maxAge: `${maxAge}s`,
    ...(allowCredentials && { allowCredentials }),
    // Browsers are told nothing, and the upstream is not asked.
    unmatchedPreflights: 'ignore',
  }
}

/** A wildcard stands for any number of labels. */
function originMatcher(origin: string): Matcher {
  if (origin === '*') return { present: true }
  if (!origin.includes('*')) return { exact: origin }
  return { regex: origin.split('*').map(escapeRegex).join('.+') }
}
