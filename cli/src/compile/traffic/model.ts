/** The configurations of the traffic filters: filters/routing/schema.json, filters/fault/schema.json. */

export type Matcher =
  { exact: string } | { prefix: string } | { suffix: string } | { regex: string } | { present: true }

export interface MatchConfig {
  path?: Matcher | { segments: string }
  ignoreCase?: boolean
  method?: Matcher
  scheme?: Matcher
  authority?: Matcher
  headers?: Record<string, Matcher>
  withoutHeaders?: Record<string, Matcher>
  queryParams?: Record<string, Matcher>
  claims?: { claim: string[]; value: Matcher }[]
}

export interface OperationsConfig {
  set?: Record<string, string>
  add?: Record<string, string>
  remove?: string[]
}

export interface HeadersConfig {
  request?: OperationsConfig
  response?: OperationsConfig
}

export interface DestinationConfig {
  cluster: string
  weight?: number
  authority?: string
  headers?: HeadersConfig
}

export interface RetriesConfig {
  attempts?: number
  on?: string
  statusCodes?: number[]
  perTryTimeout?: string
}

export interface CorsConfig {
  allowOrigins: Matcher[]
  allowMethods?: string[]
  allowHeaders?: string[]
  exposeHeaders?: string[]
  maxAge?: string
  allowCredentials?: boolean
  unmatchedPreflights?: 'forward' | 'ignore'
}

export interface RouteConfig {
  name?: string
  match?: MatchConfig[]
  destinations?: DestinationConfig[]
  redirect?: {
    status?: number
    scheme?: string
    authority?: string
    port?: number | 'protocolDefault' | 'request'
    path?: string
    prefix?: string
  }
  directResponse?: { status: number; body?: string; bodyBase64?: string }
  rewrite?: { path?: string; prefix?: string; regex?: { match: string; substitution: string }; authority?: string }
  headers?: HeadersConfig
  timeout?: string
  retries?: RetriesConfig
  cors?: CorsConfig
  mirrors?: { cluster: string; percentage?: number }[]
  /** Which of Envoy's own routes it needs. */
  native?: string
}

export interface VirtualHostConfig<Route> {
  name: string
  domains: string[]
  routes: Route[]
}

export interface RoutingConfig {
  version: 1
  virtualHosts: VirtualHostConfig<RouteConfig>[]
  unknownHost: 'pass' | 'notFound'
  clusterHeader?: string
  nativeHeader?: string
}

export interface FaultConfig {
  delay?: { percentage: number; fixed: string }
  abort?: { percentage: number; httpStatus?: number; grpcStatus?: string }
}

export interface FaultRouteConfig {
  name?: string
  match?: MatchConfig[]
  fault?: FaultConfig
}

export interface FaultFilterConfig {
  version: 1
  virtualHosts: VirtualHostConfig<FaultRouteConfig>[]
}
