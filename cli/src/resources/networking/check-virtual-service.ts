/** What Istio's validation (pkg/config/validation) says of a VirtualService beyond its fields. */
import type { Code } from '../codes.ts'
import type { Diagnostics } from '../diagnostics.ts'
import type { Path } from '../nodes.ts'
import { checkRegex } from '../regex.ts'
import { parseDuration } from '../targets.ts'
import { checkHost, isLabel } from './hosts.ts'
import type {
  CorsPolicy,
  Destination,
  Fault,
  HeaderOperations,
  Headers,
  HttpMatch,
  HttpRoute,
  Retries,
  StringMatch,
  VirtualService,
} from './virtual-service.ts'

type Report = (code: Code, path: Path, message: string, hint?: string) => void

/** Istio's key of a claim among the headers: `@request.auth.claims.groups`, `@request.auth.claims[groups]`. */
export const CLAIM = /^@request\.auth\.claims(\.|\[)/

export function checkVirtualService(service: VirtualService, diagnostics: Diagnostics): void {
  const report: Report = (code, path, message, hint) => {
    service.report(diagnostics, 'error', code, ['spec', ...path], message, hint)
  }
  const { hosts = [], gateways = [], http = [], tls = [], tcp = [] } = service.spec
  if (hosts.length === 0) {
    const parts = Object.entries({ gateways, tls, tcp })
    for (const [field] of parts.filter(([, value]) => value.length > 0))
      report('MS1204', [field], `a VirtualService without hosts, to which others delegate, has no ${field}`)
  }
  const isForMesh = gateways.length === 0 || gateways.includes('mesh')
  hosts.forEach((host, index) => {
    const problem = checkHost(host)
    if (problem) report('MS1106', ['hosts', index], problem)
    else if (host === '*' && isForMesh) {
      const hint = 'write the hosts, or the gateways that it is for'
      report('MS1106', ['hosts', index], 'the host "*" is for gateways only', hint)
    } else if (hosts.some((other, first) => first < index && covers(other, host)))
      report('MS1109', ['hosts', index], `${host} is covered by another host of the list`, 'remove one of them')
  })
  if (http.length + tls.length + tcp.length === 0) report('MS1103', [], 'http, tls or tcp is needed')
  http.forEach((route, index) => checkRoute(route, hosts.length === 0, isForMesh, ['http', index], report))
  warnUnreachable(service, diagnostics)
}

/** `*.foo.com` covers `a.foo.com` and `*.b.foo.com`. */
const covers = (one: string, other: string): boolean =>
  one === other || (one.startsWith('*') && other.replace(/^\*/, '').endsWith(one.slice(1)))

function checkRoute(route: HttpRoute, isDelegate: boolean, isForMesh: boolean, path: Path, report: Report): void {
  checkConflicts(route, isDelegate, path, report)
  route.match?.forEach((match, index) => checkMatch(match, isForMesh, [...path, 'match', index], report))
  checkHeaders(route.headers, [...path, 'headers'], report)
  route.route?.forEach(({ destination, weight = 0, headers }, index) => {
    const at = [...path, 'route', index]
    checkDestination(destination, [...at, 'destination'], report)
    checkHeaders(headers, [...at, 'headers'], report)
    if (weight < 0) report('MS1106', [...at, 'weight'], 'a weight is not negative')
  })
  const { route: routes = [], mirror, mirrors = [], redirect, rewrite, fault, retries, corsPolicy } = route
  if (routes.length > 1 && routes.every(({ weight = 0 }) => weight === 0))
    report('MS1106', [...path, 'route'], 'the weights add up to 0', 'give at least one of them a weight')
  if (mirror) checkDestination(mirror, [...path, 'mirror'], report)
  mirrors.forEach((each, index) =>
    checkDestination(each.destination, [...path, 'mirrors', index, 'destination'], report),
  )
  if (redirect) checkRedirect(route, [...path, 'redirect'], report)
  if (rewrite) checkRewrite(route, [...path, 'rewrite'], report)
  if (fault) checkFault(fault, [...path, 'fault'], report)
  if (retries) checkRetries(retries, [...path, 'retries'], report)
  if (corsPolicy) checkCors(corsPolicy, [...path, 'corsPolicy'], report)
}

function checkConflicts(route: HttpRoute, isDelegate: boolean, path: Path, report: Report): void {
  const { delegate, redirect, directResponse, fault, rewrite, mirror, mirrors = [] } = route
  const exclude = (field: keyof HttpRoute, other: string) =>
    report('MS1204', [...path, field], `${field} does not go with ${other}`, 'remove one of them')
  if (delegate) {
    if (isDelegate) report('MS1204', [...path, 'delegate'], 'what is delegated to cannot delegate further')
    if (redirect) exclude('redirect', 'delegate')
    if (route.route) exclude('route', 'delegate')
    return
  }
  const answer = redirect ? 'redirect' : directResponse ? 'directResponse' : undefined
  if (answer) {
    if (route.route?.length) exclude('route', answer)
    if (fault) exclude('fault', answer)
    if (rewrite) exclude('rewrite', answer)
    if (redirect && directResponse) exclude('directResponse', 'redirect')
  } else if (!route.route?.length) {
    report('MS1103', path, 'route, redirect, directResponse or delegate is needed')
  }
  if (mirror && mirrors.length > 0) exclude('mirrors', 'mirror')
}

function checkMatch(match: HttpMatch, isForMesh: boolean, path: Path, report: Report): void {
  const { uri, port, gateways = [], sourceNamespace, headers = {}, withoutHeaders = {}, queryParams = {} } = match
  for (const [field, each] of Object.entries({ headers, withoutHeaders })) {
    for (const [name, value] of Object.entries(each)) {
      const at = [...path, field, name]
      if (name === '') report('MS1106', at, 'a header has a name')
      if (CLAIM.test(name) && isForMesh)
        report('MS1106', at, 'claims of tokens are matched at gateways only', 'name the gateways that it is for')
      if (!(field === 'withoutHeaders' && value.regex === '*')) checkText(value, false, at, report)
    }
  }
  for (const [name, value] of Object.entries(queryParams))
    checkText(value, false, [...path, 'queryParams', name], report)
  if (uri) checkText(uri, true, [...path, 'uri'], report)
  for (const field of ['scheme', 'method', 'authority'] as const) {
    const value = match[field]
    if (value) checkText(value, false, [...path, field], report)
  }
  if (port !== undefined && port > 65535) report('MS1106', [...path, 'port'], `${port} is not a port`)
  if (sourceNamespace && !isLabel(sourceNamespace))
    report('MS1106', [...path, 'sourceNamespace'], `${JSON.stringify(sourceNamespace)} is not the name of a namespace`)
  gateways.forEach((gateway, index) => {
    const parts = gateway.split('/')
    if (parts.length === 2 && !parts.every(isLabel))
      report('MS1106', [...path, 'gateways', index], `${JSON.stringify(gateway)} is not NAMESPACE/NAME`)
  })
}

function checkText({ prefix, regex }: StringMatch, mayBeEmpty: boolean, path: Path, report: Report): void {
  if (prefix === '' && !mayBeEmpty)
    report('MS1106', [...path, 'prefix'], 'an empty prefix is not allowed here', 'write {} to match any value')
  if (regex === undefined) return
  if (regex === '') return report('MS1106', [...path, 'regex'], 'an empty regular expression is not allowed')
  const problem = checkRegex(regex)
  if (problem) report('MS1222', [...path, 'regex'], problem.message, problem.hint)
}

function checkDestination({ host, subset, port }: Destination, path: Path, report: Report): void {
  const problem = host === '*' ? '"*" is no destination' : checkHost(host)
  if (problem) report('MS1106', [...path, 'host'], problem)
  if (subset && !isLabel(subset))
    report('MS1106', [...path, 'subset'], `${JSON.stringify(subset)} is not the name of a subset`)
  if (port && (port.number === undefined || port.number < 1 || port.number > 65535))
    report('MS1106', [...path, 'port'], `${port.number ?? 'nothing'} is not a port`, 'write number: from 1 to 65535')
}

function checkHeaders({ request, response }: Headers = {}, path: Path, report: Report): void {
  const check = (operations: HeaderOperations = {}, isRequest: boolean, at: Path) => {
    for (const field of ['set', 'add', 'remove'] as const) {
      const names = field === 'remove' ? (operations.remove ?? []) : Object.keys(operations[field] ?? {})
      for (const name of names) {
        const isAuthority = /^(:authority|host)$/i.test(name)
        if (name === '') report('MS1106', [...at, field], 'a header has a name')
        else if (isAuthority ? !isRequest || field === 'remove' : name.startsWith(':'))
          report('MS1106', [...at, field], `the header ${JSON.stringify(name)} can't be changed`)
      }
    }
  }
  check(request, true, [...path, 'request'])
  check(response, false, [...path, 'response'])
}

function checkRedirect({ redirect, match = [] }: HttpRoute, path: Path, report: Report): void {
  const { uri, prefixRewrite, authority, port, derivePort, scheme, redirectCode = 0 } = redirect!
  if (uri && prefixRewrite) report('MS1204', [...path, 'prefixRewrite'], 'only one of uri and prefixRewrite can be set')
  if (prefixRewrite && match.some((each) => each.uri && each.uri.prefix === undefined))
    report('MS1204', [...path, 'prefixRewrite'], 'prefixRewrite needs matches of uri by prefix')
  if (!uri && !prefixRewrite && !authority && port === undefined && !derivePort && !scheme)
    report('MS1103', path, 'uri, prefixRewrite, authority, scheme or port is needed')
  // Others are valid for Istio, which then refuses to make a route of them.
  if (redirectCode && ![301, 302, 303, 307, 308].includes(redirectCode))
    report('MS1106', [...path, 'redirectCode'], `${redirectCode} is not allowed`, 'write 301, 302, 303, 307 or 308')
  if (scheme && scheme !== 'http' && scheme !== 'https')
    report('MS1106', [...path, 'scheme'], `${JSON.stringify(scheme)} is not allowed`, 'write http or https')
  if (port !== undefined && port > 65535) report('MS1106', [...path, 'port'], `${port} is not a port`)
}

function checkRewrite({ rewrite, headers }: HttpRoute, path: Path, report: Report): void {
  const { uri, authority, uriRegexRewrite } = rewrite!
  if (uri && uriRegexRewrite)
    report('MS1204', [...path, 'uriRegexRewrite'], 'only one of uri and uriRegexRewrite can be set')
  if (!uri && !authority && !uriRegexRewrite) report('MS1103', path, 'uri, uriRegexRewrite or authority is needed')
  if (uriRegexRewrite) {
    const { match = '', rewrite: substitution = '' } = uriRegexRewrite
    const problem = match === '' ? { message: 'match is needed' } : checkRegex(match)
    if (problem) report('MS1222', [...path, 'uriRegexRewrite', 'match'], problem.message)
    if (substitution === '') report('MS1103', [...path, 'uriRegexRewrite', 'rewrite'], 'rewrite is needed')
  }
  const set = Object.keys({ ...headers?.request?.set, ...headers?.request?.add })
  if (authority && set.some((name) => /^(:authority|host)$/i.test(name)))
    report('MS1204', [...path, 'authority'], 'the authority is also set by headers.request', 'remove one of them')
}

function checkFault({ delay, abort }: Fault, path: Path, report: Report): void {
  if (!delay && !abort) report('MS1103', path, 'delay or abort is needed')
  for (const [field, percentage] of Object.entries({ delay: delay?.percentage, abort: abort?.percentage })) {
    const { value = 0 } = percentage ?? {}
    if (value > 0 && value < 0.0001)
      report('MS1106', [...path, field, 'percentage', 'value'], 'a percentage is 0 or at least 0.0001')
  }
  if (delay?.exponentialDelay !== undefined)
    report('MS1301', [...path, 'delay', 'exponentialDelay'], 'exponential delays do not exist', 'write fixedDelay')
  if (abort?.http2Error !== undefined)
    report('MS1301', [...path, 'abort', 'http2Error'], 'aborts with HTTP/2 errors do not exist', 'write httpStatus')
  if (abort?.grpcStatus !== undefined && !grpcStatuses.includes(abort.grpcStatus))
    report(
      'MS1104',
      [...path, 'abort', 'grpcStatus'],
      `${JSON.stringify(abort.grpcStatus)} is not a gRPC status`,
      `write one of ${grpcStatuses.join(', ')}`,
    )
}

/** By their numbers. */
export const grpcStatuses = [
  'OK',
  'CANCELLED',
  'UNKNOWN',
  'INVALID_ARGUMENT',
  'DEADLINE_EXCEEDED',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'PERMISSION_DENIED',
  'RESOURCE_EXHAUSTED',
  'FAILED_PRECONDITION',
  'ABORTED',
  'OUT_OF_RANGE',
  'UNIMPLEMENTED',
  'INTERNAL',
  'UNAVAILABLE',
  'DATA_LOSS',
  'UNAUTHENTICATED',
]

const retryConditions = [
  ...['5xx', 'gateway-error', 'reset', 'reset-before-request', 'connect-failure', 'retriable-4xx', 'refused-stream'],
  ...['retriable-status-codes', 'retriable-headers', 'envoy-ratelimited', 'http3-post-connect-failure'],
  ...['cancelled', 'deadline-exceeded', 'internal', 'resource-exhausted', 'unavailable'],
]

function checkRetries(
  { attempts = 0, perTryTimeout, retryOn, retryRemoteLocalities }: Retries,
  path: Path,
  report: Report,
) {
  if (attempts === 0 && (perTryTimeout !== undefined || retryOn || retryRemoteLocalities !== undefined))
    report('MS1204', path, 'attempts: 0 switches retries off: the other fields mean nothing', 'remove them')
  for (const condition of retryOn ? retryOn.split(',') : []) {
    if (retryConditions.includes(condition) || /^[1-5]\d\d$/.test(condition)) continue
    const hint = `write status codes, or ${retryConditions.join(', ')}, with commas and without blanks`
    report('MS1104', [...path, 'retryOn'], `${JSON.stringify(condition)} is not a condition of retries`, hint)
  }
}

const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', '*']

function checkCors({ allowMethods = [], allowOrigins = [], maxAge }: CorsPolicy, path: Path, report: Report): void {
  allowMethods.forEach((method, index) => {
    if (!methods.includes(method))
      report('MS1104', [...path, 'allowMethods', index], `${JSON.stringify(method)} is not a method`)
  })
  allowOrigins.forEach((origin, index) => checkText(origin, false, [...path, 'allowOrigins', index], report))
  if (maxAge !== undefined && (parseDuration(maxAge) ?? 0) % 1000 !== 0)
    report('MS1106', [...path, 'maxAge'], 'maxAge is in whole seconds')
}

/** Rules behind one that takes everything, and matches that are there already. */
function warnUnreachable(service: VirtualService, diagnostics: Diagnostics): void {
  const seen = new Map<string, number>()
  let catchAll: number | undefined
  service.spec.http?.forEach(({ match = [] }, index) => {
    const path = ['spec', 'http', index]
    const warn = (at: Path, message: string, hint: string) =>
      service.report(diagnostics, 'warning', 'MS1401', at, message, hint)
    if (catchAll !== undefined) {
      warn(path, `no request gets here: http[${catchAll}] takes all`, `put it before http[${catchAll}]`)
      return
    }
    if (match.length === 0) catchAll = index
    match.forEach((each, place) => {
      const key = JSON.stringify(each)
      const before = seen.get(key)
      if (before === undefined) seen.set(key, index)
      else warn([...path, 'match', place], `http[${before}] has the same match`, 'remove one of them')
    })
  })
}
