/** HTTPRoute (gateway.networking.k8s.io v1, v1beta1; policy.linkerd.io, which has a part of it). */
import type { ReadKind } from '../kind.ts'
import type { Resource } from '../resource.ts'
import type { Schema } from '../schema.ts'
import {
  anything,
  backendRefs,
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
} from './common.ts'
import { checkHttpRoute, filterFields } from './check-http-route.ts'

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
