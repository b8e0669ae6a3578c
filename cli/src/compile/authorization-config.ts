/** The authorization filter's configuration. `filters/authorization/README.md` says what it means, `schema.json` its form. */

/** `regex` is RE2's syntax and matches the whole text. */
export type Matcher =
  { exact: string } | { prefix: string } | { suffix: string } | { present: true } | { regex: string }

/** `template` is Istio's form, e.g. `/a/{*}/b/{**}`. */
export type PathMatcher = Matcher | { template: string }

/** Claims `iss` and `sub`. A field that is left out asks only that the claim is there. */
export interface RequestPrincipal {
  issuer?: Matcher
  subject?: Matcher
}

export type PortMatcher = number | { from: number; to: number }

/** One list of values that match, and one of those that must not. */
export interface Values<Value> {
  values?: Value[]
  notValues?: Value[]
}

export interface SourceConfig {
  principals?: Matcher[]
  notPrincipals?: Matcher[]
  /** Further identities that must match as well, of the form of `principals`. */
  namespaces?: Matcher[]
  serviceAccounts?: Matcher[]
  trustDomains?: Matcher[]
  requestPrincipals?: RequestPrincipal[]
  notRequestPrincipals?: RequestPrincipal[]
  /** Of the direct peer, as CIDR. */
  ipBlocks?: string[]
  notIpBlocks?: string[]
  /** Of the client as X-Forwarded-For names it, as CIDR. */
  remoteIpBlocks?: string[]
  notRemoteIpBlocks?: string[]
}

export interface OperationConfig {
  methods?: Matcher[]
  notMethods?: Matcher[]
  paths?: PathMatcher[]
  notPaths?: PathMatcher[]
  hosts?: Matcher[]
  notHosts?: Matcher[]
  ports?: PortMatcher[]
  notPorts?: PortMatcher[]
}

export interface HeaderCondition extends Values<Matcher> {
  /** In lower case. */
  header: string
  /** Compare the values of a repeated header joined by commas, not each by itself. */
  joined?: boolean
}

export interface ClaimCondition extends Values<Matcher> {
  /** Path in the token's payload. */
  claim: string[]
}

export interface MetadataCondition extends Values<Matcher> {
  metadata: { filter: string; path: string[] }
  /** The metadata is a list, and one of its elements is compared. */
  list?: boolean
}

export interface AddressCondition extends Values<string> {
  attribute: 'source.ip' | 'remote.ip' | 'destination.ip'
}

export interface PortCondition extends Values<PortMatcher> {
  attribute: 'destination.port'
}

export interface TextCondition extends Values<Matcher> {
  attribute: 'connection.sni' | 'source.principal'
}

export interface RequestPrincipalCondition extends Values<RequestPrincipal> {
  attribute: 'request.principal'
}

export type ConditionConfig =
  | HeaderCondition
  | ClaimCondition
  | MetadataCondition
  | AddressCondition
  | PortCondition
  | TextCondition
  | RequestPrincipalCondition

/** What Cilium does to a header that is not as a rule wants it; the rule matches all the same. */
export interface HeaderAction {
  header: string
  /** Absent: the header has only to be there. */
  value?: string
  onMismatch: 'LOG' | 'ADD' | 'DELETE' | 'REPLACE'
}

export interface RuleConfig {
  from?: SourceConfig[]
  to?: OperationConfig[]
  when?: ConditionConfig[]
  headerActions?: HeaderAction[]
}

export interface PolicyConfig {
  name: string
  action: 'ALLOW' | 'DENY' | 'AUDIT' | 'CUSTOM'
  /** With CUSTOM, and only there. */
  provider?: string
  /** With ALLOW and DENY: judged, counted and recorded, but without effect. */
  dryRun?: boolean
  rules: RuleConfig[]
}

/** How an external authorizer is asked; the names are Istio's, of `extensionProviders`. */
export interface ExtAuthzConfig {
  /** Envoy's cluster. */
  cluster: string
  authority?: string
  /** Default 600 000, as Istio's. */
  timeoutMs?: number
  /** Whether requests go on where there is no answer. */
  failOpen?: boolean
  clearRouteCache?: boolean
  /** Of the refusal where there is no answer. Default 403. */
  statusOnError?: number
  includeRequestBodyInCheck?: { maxRequestBytes?: number; allowPartialMessage?: boolean; packAsBytes?: boolean }
}

/** Header names are in lower case. */
export interface HttpExtAuthzConfig extends ExtAuthzConfig {
  pathPrefix?: string
  includeRequestHeadersInCheck?: Matcher[]
  includeAdditionalHeadersInCheck?: Record<string, string>
  headersToUpstreamOnAllow?: Matcher[]
  headersToDownstreamOnAllow?: Matcher[]
  headersToDownstreamOnDeny?: Matcher[]
}

/** An external service that CUSTOM asks. Matching requests are refused where it is not configured. */
export type ProviderConfig = { http: HttpExtAuthzConfig } | { grpc: ExtAuthzConfig }

export interface AuthorizationConfig {
  version: 1
  mode: 'enforce' | 'audit'
  /** Which requests leave filter state. Default `denied`. */
  record?: 'denied' | 'all'
  /** The answer to a refused request. Default 403 `RBAC: access denied`. */
  denial?: { status: number; body: string }
  policies: PolicyConfig[]
  providers?: Record<string, ProviderConfig>
}
