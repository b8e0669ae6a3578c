/** The external authorizers of a mesh: `extensionProviders` of MeshConfig with envoyExtAuthzHttp or envoyExtAuthzGrpc. */
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
    },
    // Providers of traces and logs are no matter here.
    additionalProperties: {},
  },
}
