/** `extensionProviders` of MeshConfig: external authorizers, and where metrics, access logs and traces go. */
import type { Schema } from './schema.ts'
import { durationSchema } from './targets.ts'

export interface RequestBodyCheck {
  maxRequestBytes?: number
  allowPartialMessage?: boolean
  packAsBytes?: boolean
}

export interface ExtAuthz {
  /** A host name, or `NAMESPACE/HOST`. */
  service: string
  port: number
  timeout?: string
  failOpen?: boolean
  clearRouteCache?: boolean
  statusOnError?: string
  includeRequestBodyInCheck?: RequestBodyCheck
}

export interface ExtAuthzHttp extends ExtAuthz {
  pathPrefix?: string
  includeRequestHeadersInCheck?: string[]
  /** Istio's older name for the same. */
  includeHeadersInCheck?: string[]
  includeAdditionalHeadersInCheck?: Record<string, string>
  headersToUpstreamOnAllow?: string[]
  headersToDownstreamOnAllow?: string[]
  headersToDownstreamOnDeny?: string[]
}

export interface ExtensionProvider {
  name: string
  envoyExtAuthzHttp?: ExtAuthzHttp
  envoyExtAuthzGrpc?: ExtAuthz
  prometheus?: object
  envoyFileAccessLog?: FileAccessLog
  zipkin?: Tracer & {
    path?: string
    traceContextOption?: 'USE_B3' | 'USE_B3_WITH_W3C_PROPAGATION'
    timeout?: string
    headers?: HttpHeader[]
  }
  opentelemetry?: Tracer & { http?: { path?: string; timeout?: string; headers?: HttpHeader[] }; grpc?: object }
  datadog?: Tracer
}

export interface FileAccessLog {
  path?: string
  logFormat?: { text?: string; labels?: Record<string, unknown> }
  omitEmptyValues?: boolean
}

/** One that requests to a provider have. */
export interface HttpHeader {
  name: string
  value?: string
  /** A variable of the proxy's environment in place of `value`. */
  envName?: string
}

/** Who takes spans. */
export interface Tracer {
  /** A host name, or `NAMESPACE/HOST`. */
  service: string
  port: number
}

const text: Schema = { type: 'string' }
/** Header names with a star in front or behind, but no star alone. */
const headers: Schema = {
  type: 'array',
  items: {
    ...text,
    minLength: 1,
    pattern: { test: /^(?!\*$)/, expected: 'the name of a header', hint: 'write a prefix "x-*" or suffix "*-x"' },
  },
}

const common: Record<string, Schema> = {
  service: { ...text, minLength: 1 },
  port: { type: 'integer', minimum: 1, maximum: 65535 },
  timeout: durationSchema,
  failOpen: { type: 'boolean' },
  clearRouteCache: { type: 'boolean' },
  statusOnError: { ...text, pattern: { test: /^[1-5]\d\d$/, expected: 'a status', hint: 'write e.g. "503"' } },
  includeRequestBodyInCheck: {
    type: 'object',
    properties: {
      maxRequestBytes: { type: 'integer', minimum: 1, maximum: 2 ** 32 - 1 },
      allowPartialMessage: { type: 'boolean' },
      packAsBytes: { type: 'boolean' },
    },
  },
}
const required = ['service', 'port']
const httpHeaders: Schema = {
  type: 'array',
  items: {
    type: 'object',
    required: ['name'],
    properties: { name: { ...text, minLength: 1 }, value: text, envName: text },
  },
}
const open: Schema = { type: 'object', additionalProperties: {} }
const tracer = (properties: Record<string, Schema>): Schema => ({
  type: 'object',
  required,
  properties: {
    service: { ...text, minLength: 1 },
    port: { type: 'integer', minimum: 1, maximum: 65535 },
    maxTagLength: { type: 'integer' },
    ...properties,
  },
})

export const extensionProvidersSchema: Schema = {
  type: 'array',
  uniqueBy: 'name',
  items: {
    type: 'object',
    required: ['name'],
    properties: {
      name: { ...text, minLength: 1 },
      envoyExtAuthzHttp: {
        type: 'object',
        required,
        properties: {
          ...common,
          pathPrefix: { ...text, pattern: { test: /^(\/.*)?$/, expected: 'a path', hint: 'begin it with "/"' } },
          includeRequestHeadersInCheck: headers,
          includeHeadersInCheck: headers,
          includeAdditionalHeadersInCheck: { type: 'object', additionalProperties: text },
          headersToUpstreamOnAllow: headers,
          headersToDownstreamOnAllow: headers,
          headersToDownstreamOnDeny: headers,
        },
      },
      envoyExtAuthzGrpc: { type: 'object', required, properties: common },
      prometheus: { type: 'object', additionalProperties: {} },
      envoyFileAccessLog: {
        type: 'object',
        properties: {
          path: text,
          logFormat: { type: 'object', atMostOneOf: ['text', 'labels'], properties: { text, labels: open } },
          omitEmptyValues: { type: 'boolean' },
        },
      },
      zipkin: tracer({
        path: text,
        enable64bitTraceId: { type: 'boolean' },
        traceContextOption: { type: 'string', enum: ['USE_B3', 'USE_B3_WITH_W3C_PROPAGATION'] },
        timeout: durationSchema,
        headers: httpHeaders,
      }),
      opentelemetry: tracer({
        http: { ...open, properties: { path: text, timeout: durationSchema, headers: httpHeaders } },
        grpc: open,
        resourceDetectors: open,
        dynatraceSampler: open,
        serviceAttributeEnrichment: { type: 'string' },
      }),
      datadog: tracer({}),
    },
    // Others are no matter here.
    additionalProperties: {},
  },
}
