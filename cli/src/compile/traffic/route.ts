/** A route of a VirtualService, as the routing filter takes it. */
import type {
  CorsPolicy,
  HeaderOperations,
  Headers,
  HttpRoute,
  Redirect,
  Retries,
  RouteDestination,
} from '../../resources/networking/virtual-service.ts'
import { matcher } from './match.ts'
import type {
  CorsConfig,
  DestinationConfig,
  HeadersConfig,
  OperationsConfig,
  RetriesConfig,
  RouteConfig,
} from './model.ts'

/** What Istio retries where a VirtualService does not say: twice, before the upstream has seen the request or said that it has not. */
export const DEFAULT_RETRIES: RetriesConfig = {
  attempts: 2,
  on: 'connect-failure,refused-stream,unavailable,cancelled,retriable-status-codes',
}

/** Says what can't be had. `path` is from the route on. */
export type Refuse = (path: (string | number)[], message: string, hint?: string) => void
/** Envoy's name of a destination's cluster. Reports where it is not known. */
export type ClusterOf = (destination: RouteDestination['destination'], path: (string | number)[]) => string

export function routeConfig(route: HttpRoute, clusterOf: ClusterOf, refuse: Refuse): Omit<RouteConfig, 'match'> {
  const { name, redirect, directResponse, route: destinations = [], timeout, corsPolicy, headers } = route
  const config: RouteConfig = { ...(name && { name }) }
  const own = headersConfig(headers, (path, ...rest) => refuse(['headers', ...path], ...rest))
  if (own.headers) config.headers = own.headers
  if (corsPolicy) config.cors = corsConfig(corsPolicy)
  if (redirect) return { ...config, redirect: redirectConfig(redirect) }
  if (directResponse) {
    const { status, body } = directResponse
    const text = body?.string !== undefined ? { body: body.string } : body?.bytes ? { bodyBase64: body.bytes } : {}
    return { ...config, directResponse: { status, ...text } }
  }
  config.destinations = destinationConfigs(destinations, clusterOf, refuse)
  if (destinations.length === 1) foldHeaders(config, config.destinations[0]!)
  const rewrite = rewriteConfig(route, own.authority)
  if (rewrite) config.rewrite = rewrite
  if (timeout !== undefined) config.timeout = timeout
  config.retries = retriesConfig(route.retries, refuse)
  const mirrors = mirrorConfigs(route, clusterOf)
  if (mirrors.length) config.mirrors = mirrors
  return config
}

function destinationConfigs(routes: readonly RouteDestination[], clusterOf: ClusterOf, refuse: Refuse) {
  return routes.flatMap(({ destination, weight = 0, headers }, index): DestinationConfig[] => {
    // Of several, one without a weight gets nothing.
    if (routes.length > 1 && weight === 0) return []
    const path = ['route', index]
    const { headers: own, authority } = headersConfig(headers, (inner, ...rest) =>
      refuse([...path, 'headers', ...inner], ...rest),
    )
    return [
      {
        cluster: clusterOf(destination, [...path, 'destination']),
        ...(routes.length > 1 && { weight }),
        ...(authority !== undefined && { authority }),
        ...(own && { headers: own }),
      },
    ]
  })
}

/**
 * Istio gives the operations of a single destination to the route, where Envoy removes and sets before it adds:
 * what one of them adds is not overwritten by what the other sets.
 */
function foldHeaders(route: Pick<RouteConfig, 'headers'>, destination: DestinationConfig): void {
  if (!route.headers || !destination.headers) return
  for (const of of ['request', 'response'] as const) {
    const outer = route.headers[of]
    const inner = destination.headers[of]
    if (!outer || !inner) continue
    const remove = [...new Set([...(outer.remove ?? []), ...(inner.remove ?? [])])]
    const set = { ...outer.set, ...inner.set }
    destination.headers[of] = {
      ...(remove.length && { remove }),
      ...(Object.keys(set).length && { set }),
      ...(inner.add && { add: inner.add }),
    }
    if (outer.add) route.headers[of] = { add: outer.add }
    else delete route.headers[of]
  }
  if (Object.keys(route.headers).length === 0) delete route.headers
}

/** The authority is no header to the filter. */
function headersConfig(headers: Headers = {}, refuse: Refuse): { headers?: HeadersConfig; authority?: string } {
  let authority: string | undefined
  const operations = (source: HeaderOperations, of: string): OperationsConfig => {
    const values = (field: 'set' | 'add') =>
      Object.entries(source[field] ?? {}).flatMap(([name, value]) => {
        const text = literal(value)
        if (text === undefined) {
          const hint = 'write a value without %…%, or leave this VirtualService to Envoy'
          refuse([of, field, name], `Envoy's variables in headers are not known to the filter: ${value}`, hint)
          return []
        }
        if (/^(:authority|host)$/i.test(name)) {
          authority = text
          return []
        }
        return [[name.toLowerCase(), text] as const]
      })
    const set = Object.fromEntries(values('set'))
    const add = Object.fromEntries(values('add'))
    const remove = source.remove?.map((name) => name.toLowerCase()) ?? []
    return {
      ...(remove.length && { remove }),
      ...(Object.keys(set).length && { set }),
      ...(Object.keys(add).length && { add }),
    }
  }
  const request = operations(headers.request ?? {}, 'request')
  const response = operations(headers.response ?? {}, 'response')
  const both = {
    ...(Object.keys(request).length && { request }),
    ...(Object.keys(response).length && { response }),
  }
  return { ...(Object.keys(both).length && { headers: both }), ...(authority !== undefined && { authority }) }
}

/** Envoy reads `%%` as `%`, and `%NAME%` as a variable, which makes it undefined here. */
function literal(value: string): string | undefined {
  return /%/.test(value.replaceAll('%%', '')) ? undefined : value.replaceAll('%%', '%')
}

function redirectConfig({ uri, prefixRewrite, authority, port, derivePort, scheme, redirectCode }: Redirect) {
  return {
    status: redirectCode || 301,
    ...(scheme && { scheme }),
    ...(authority && { authority }),
    ...(port && { port }),
    ...(derivePort && {
      port: derivePort === 'FROM_REQUEST_PORT' ? ('request' as const) : ('protocolDefault' as const),
    }),
    ...(uri && { path: uri }),
    ...(prefixRewrite && { prefix: prefixRewrite }),
  }
}

function rewriteConfig({ rewrite }: HttpRoute, fromHeaders: string | undefined): RouteConfig['rewrite'] {
  const { uri, uriRegexRewrite } = rewrite ?? {}
  const authority = rewrite?.authority || fromHeaders
  if (!uri && !uriRegexRewrite && authority === undefined) return undefined
  return {
    ...(uri && { prefix: uri }),
    ...(uriRegexRewrite && {
      regex: { match: uriRegexRewrite.match ?? '', substitution: uriRegexRewrite.rewrite ?? '' },
    }),
    ...(authority !== undefined && { authority }),
  }
}

function retriesConfig(retries: Retries | undefined, refuse: Refuse): RetriesConfig {
  if (!retries) return DEFAULT_RETRIES
  const { attempts = 0, retryOn, perTryTimeout, backoff } = retries
  if (attempts === 0) return { attempts: 0 }
  if (backoff !== undefined)
    refuse(
      ['retries', 'backoff'],
      'no request header tells Envoy a backoff',
      'remove it: Envoy waits 25ms, then longer',
    )
  if (retries.retryRemoteLocalities)
    refuse(['retries', 'retryRemoteLocalities'], 'no request header tells Envoy to retry elsewhere', 'remove it')
  const conditions = retryOn ? retryOn.split(',') : DEFAULT_RETRIES.on!.split(',')
  const codes = conditions.filter((condition) => /^\d+$/.test(condition)).map(Number)
  const named = conditions.filter((condition) => !/^\d+$/.test(condition))
  if (codes.length && !named.includes('retriable-status-codes')) named.push('retriable-status-codes')
  return {
    attempts,
    on: named.join(','),
    ...(codes.length && { statusCodes: codes }),
    ...(perTryTimeout !== undefined && { perTryTimeout }),
  }
}

function mirrorConfigs(route: HttpRoute, clusterOf: ClusterOf) {
  const { mirror, mirrors = [], mirrorPercentage, mirrorPercent = route.mirror_percent } = route
  const all = mirror
    ? [{ destination: mirror, percentage: mirrorPercentage?.value ?? mirrorPercent, path: ['mirror'] }]
    : mirrors.map(({ destination, percentage }, index) => ({
        destination,
        percentage: percentage && (percentage.value ?? 0),
        path: ['mirrors', index, 'destination'],
      }))
  // An empty mirrorPercentage is none at all.
  const empty = mirror && mirrorPercentage && mirrorPercentage.value === undefined
  return all
    .filter(({ percentage }) => percentage !== 0 && !empty)
    .map(({ destination, percentage, path }) => ({
      cluster: clusterOf(destination, path),
      ...(percentage !== undefined && { percentage }),
    }))
}

function corsConfig(policy: CorsPolicy): CorsConfig {
  const { allowOrigins, allowOrigin = [], maxAge, allowCredentials, unmatchedPreflights } = policy
  const lists = Object.fromEntries(
    (['allowMethods', 'allowHeaders', 'exposeHeaders'] as const).flatMap((name) =>
      policy[name]?.length ? [[name, policy[name]]] : [],
    ),
  )
  return {
    allowOrigins:
      allowOrigins?.map(matcher) ??
      allowOrigin.map((origin) => (origin === '*' ? { present: true } : { exact: origin })),
    ...lists,
    ...(maxAge !== undefined && { maxAge }),
    ...(allowCredentials && { allowCredentials }),
    ...(unmatchedPreflights === 'IGNORE' && { unmatchedPreflights: 'ignore' as const }),
  }
}
