/** Istio's VirtualService (networking.istio.io): its fields. What Istio's validation says beyond them is in `check-virtual-service.ts`. */
import { durationSchema } from '../targets.ts'
import type { Resource } from '../resource.ts'
import type { Schema } from '../schema.ts'

/** Empty: the value has only to be there. */
export interface StringMatch {
  exact?: string
  prefix?: string
  regex?: string
}

export interface HttpMatch {
  name?: string
  uri?: StringMatch
  scheme?: StringMatch
  method?: StringMatch
  authority?: StringMatch
  headers?: Record<string, StringMatch>
  withoutHeaders?: Record<string, StringMatch>
  queryParams?: Record<string, StringMatch>
  ignoreUriCase?: boolean
  port?: number
  sourceLabels?: Record<string, string>
  sourceNamespace?: string
  gateways?: string[]
  statPrefix?: string
}

export interface Destination {
  host: string
  subset?: string
  port?: { number?: number }
}

export interface HeaderOperations {
  set?: Record<string, string>
  add?: Record<string, string>
  remove?: string[]
}

export interface Headers {
  request?: HeaderOperations
  response?: HeaderOperations
}

export interface RouteDestination {
  destination: Destination
  weight?: number
  headers?: Headers
}

export interface Redirect {
  uri?: string
  prefixRewrite?: string
  authority?: string
  port?: number
  derivePort?: 'FROM_PROTOCOL_DEFAULT' | 'FROM_REQUEST_PORT'
  scheme?: string
  redirectCode?: number
}

export interface Percent {
  value?: number
}

export interface Fault {
  delay?: { fixedDelay?: string; exponentialDelay?: string; percentage?: Percent; percent?: number }
  abort?: { httpStatus?: number; grpcStatus?: string; http2Error?: string; percentage?: Percent }
}

export interface Retries {
  attempts?: number
  perTryTimeout?: string
  retryOn?: string
  retryRemoteLocalities?: boolean
  retryIgnorePreviousHosts?: boolean
  backoff?: string
}

export interface CorsPolicy {
  allowOrigins?: StringMatch[]
  allowOrigin?: string[]
  allowMethods?: string[]
  allowHeaders?: string[]
  exposeHeaders?: string[]
  maxAge?: string
  allowCredentials?: boolean
  unmatchedPreflights?: 'UNSPECIFIED' | 'FORWARD' | 'IGNORE'
}

export interface HttpRoute {
  name?: string
  match?: HttpMatch[]
  route?: RouteDestination[]
  redirect?: Redirect
  directResponse?: { status: number; body?: { string?: string; bytes?: string } }
  delegate?: { name?: string; namespace?: string }
  rewrite?: { uri?: string; authority?: string; uriRegexRewrite?: { match?: string; rewrite?: string } }
  timeout?: string
  retries?: Retries
  fault?: Fault
  mirror?: Destination
  mirrorPercent?: number
  mirror_percent?: number
  mirrorPercentage?: Percent
  mirrors?: { destination: Destination; percentage?: Percent }[]
  corsPolicy?: CorsPolicy
  headers?: Headers
}

export interface VirtualServiceSpec {
  /** Empty in one that others delegate to. */
  hosts?: string[]
  gateways?: string[]
  exportTo?: string[]
  http?: HttpRoute[]
  tls?: unknown[]
  tcp?: unknown[]
}

export type VirtualService = Resource<VirtualServiceSpec>

const text: Schema = { type: 'string' }
const texts: Schema = { type: 'array', items: text }
const names: Schema = { type: 'array', items: { type: 'string', minLength: 1 } }
const truth: Schema = { type: 'boolean' }
const object = (properties: Record<string, Schema>, required: string[] = []): Schema => ({
  type: 'object',
  properties,
  required,
})
const map = (value: Schema): Schema => ({ type: 'object', additionalProperties: value })
const list = (properties: Record<string, Schema>, required: string[] = []): Schema => ({
  type: 'array',
  items: object(properties, required),
})

const unsigned: Schema = { type: 'integer', minimum: 0, maximum: 4294967295 }
const stringMatch: Schema = {
  type: 'object',
  properties: { exact: text, prefix: text, regex: text },
  atMostOneOf: ['exact', 'prefix', 'regex'],
}
const wholePercent: Schema = { type: 'integer', minimum: 0, maximum: 100 }
const percent = object({ value: { type: 'number', minimum: 0, maximum: 100 } })
const destination = object({ host: text, subset: text, port: object({ number: unsigned }) }, ['host'])
const operations = object({ set: map(text), add: map(text), remove: texts })
const headers = object({ request: operations, response: operations })

const l4Match = {
  destinationSubnets: texts,
  gateways: texts,
  port: unsigned,
  sourceLabels: map(text),
  sourceNamespace: text,
}
const l4Route = list({ destination, weight: { type: 'integer' } }, ['destination'])

const httpMatch = list({
  name: text,
  uri: stringMatch,
  scheme: stringMatch,
  method: stringMatch,
  authority: stringMatch,
  headers: map(stringMatch),
  withoutHeaders: map(stringMatch),
  queryParams: map(stringMatch),
  ignoreUriCase: truth,
  port: unsigned,
  sourceLabels: map(text),
  sourceNamespace: text,
  gateways: texts,
  statPrefix: text,
})

const httpRoute = list({
  name: text,
  match: httpMatch,
  route: list({ destination, weight: { type: 'integer' }, headers }, ['destination']),
  redirect: {
    ...object({
      uri: text,
      prefixRewrite: text,
      authority: text,
      port: unsigned,
      derivePort: { type: 'string', enum: ['FROM_PROTOCOL_DEFAULT', 'FROM_REQUEST_PORT'] },
      scheme: text,
      redirectCode: unsigned,
    }),
    atMostOneOf: ['port', 'derivePort'],
  },
  directResponse: object(
    {
      status: { type: 'integer', minimum: 200, maximum: 600 },
      body: { ...object({ string: text, bytes: text }), atMostOneOf: ['string', 'bytes'] },
    },
    ['status'],
  ),
  delegate: object({ name: text, namespace: text }),
  rewrite: object({ uri: text, authority: text, uriRegexRewrite: object({ match: text, rewrite: text }) }),
  timeout: durationSchema,
  retries: object({
    attempts: { type: 'integer', minimum: 0 },
    perTryTimeout: durationSchema,
    retryOn: text,
    retryRemoteLocalities: truth,
    retryIgnorePreviousHosts: truth,
    backoff: durationSchema,
  }),
  fault: object({
    delay: {
      ...object({
        fixedDelay: durationSchema,
        exponentialDelay: durationSchema,
        percentage: percent,
        percent: wholePercent,
      }),
      atMostOneOf: ['fixedDelay', 'exponentialDelay'],
    },
    abort: {
      ...object({
        httpStatus: { type: 'integer', minimum: 200, maximum: 600 },
        grpcStatus: text,
        http2Error: text,
        percentage: percent,
      }),
      atMostOneOf: ['httpStatus', 'grpcStatus', 'http2Error'],
    },
  }),
  mirror: destination,
  mirrorPercent: wholePercent,
  mirror_percent: wholePercent,
  mirrorPercentage: percent,
  mirrors: list({ destination, percentage: percent }, ['destination']),
  corsPolicy: object({
    allowOrigins: { type: 'array', items: stringMatch },
    allowOrigin: texts,
    allowMethods: texts,
    allowHeaders: names,
    exposeHeaders: names,
    maxAge: durationSchema,
    allowCredentials: truth,
    unmatchedPreflights: { type: 'string', enum: ['UNSPECIFIED', 'FORWARD', 'IGNORE'] },
  }),
  headers,
})

/** Schema of `spec`, from Istio's CRD. */
export const virtualServiceSchema = object({
  hosts: texts,
  gateways: texts,
  exportTo: texts,
  http: httpRoute,
  tls: list({ match: list({ ...l4Match, sniHosts: texts }, ['sniHosts']), route: l4Route }, ['match']),
  tcp: list({ match: list({ ...l4Match, sourceSubnet: text }), route: l4Route }),
})
