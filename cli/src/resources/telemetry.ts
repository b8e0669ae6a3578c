/** Istio's Telemetry (telemetry.istio.io): metrics, access logs and traces. */
import type { Diagnostics } from './diagnostics.ts'
import type { Resource } from './resource.ts'
import type { Schema } from './schema.ts'
import { checkNoDryRun, checkTargets, durationSchema, targetFields, type Targets } from './targets.ts'

interface TagOverride {
  operation?: 'UPSERT' | 'REMOVE'
  value?: string
}

type WorkloadMode = 'CLIENT_AND_SERVER' | 'CLIENT' | 'SERVER'
type Providers = { name: string }[]

interface Metrics {
  providers?: Providers
  reportingInterval?: string
  overrides?: {
    match?: { metric?: string; customMetric?: string; mode?: WorkloadMode }
    disabled?: boolean
    tagOverrides?: Record<string, TagOverride>
  }[]
}

interface AccessLogging {
  providers?: Providers
  match?: { mode?: WorkloadMode }
  disabled?: boolean
  filter?: { expression?: string }
}

interface CustomTag {
  literal?: { value: string }
  environment?: { name: string; defaultValue?: string }
  header?: { name: string; defaultValue?: string }
  formatter?: { value: string }
}

interface Tracing {
  providers?: Providers
  match?: { mode?: WorkloadMode }
  /** 0 to 100. */
  randomSamplingPercentage?: number
  disableSpanReporting?: boolean
  disableContextPropagation?: boolean
  enableIstioTags?: boolean
  useRequestIdForTraceSampling?: boolean
  customTags?: Record<string, CustomTag>
}

export interface TelemetrySpec extends Targets {
  metrics?: Metrics[]
  accessLogging?: AccessLogging[]
  tracing?: Tracing[]
}

const text: Schema = { type: 'string', minLength: 1 }
const truth: Schema = { type: 'boolean' }
const mode: Schema = { type: 'string', enum: ['CLIENT_AND_SERVER', 'CLIENT', 'SERVER'] }
const named = (more: Record<string, Schema> = {}, required = ['name']): Schema => ({
  type: 'object',
  required,
  properties: { name: text, ...more },
})
const value: Schema = { type: 'object', required: ['value'], properties: { value: text } }
const providers: Schema = { type: 'array', items: named() }
const withDefault = named({ defaultValue: { type: 'string' } })

const metrics = [
  'ALL_METRICS',
  'REQUEST_COUNT',
  'REQUEST_DURATION',
  'REQUEST_SIZE',
  'RESPONSE_SIZE',
  'TCP_OPENED_CONNECTIONS',
  'TCP_CLOSED_CONNECTIONS',
  'TCP_SENT_BYTES',
  'TCP_RECEIVED_BYTES',
  'GRPC_REQUEST_MESSAGES',
  'GRPC_RESPONSE_MESSAGES',
]

const override: Schema = {
  type: 'object',
  properties: {
    disabled: truth,
    match: {
      type: 'object',
      atMostOneOf: ['metric', 'customMetric'],
      properties: { metric: { type: 'string', enum: metrics }, customMetric: text, mode },
    },
    tagOverrides: {
      type: 'object',
      additionalProperties: {
        type: 'object',
        properties: { operation: { type: 'string', enum: ['UPSERT', 'REMOVE'] }, value: { type: 'string' } },
      },
    },
  },
}

export const telemetrySchema: Schema = {
  type: 'object',
  properties: {
    ...targetFields,
    metrics: {
      type: 'array',
      items: {
        type: 'object',
        properties: { providers, reportingInterval: durationSchema, overrides: { type: 'array', items: override } },
      },
    },
    accessLogging: {
      type: 'array',
      items: {
        type: 'object',
        properties: {
          disabled: truth,
          filter: { type: 'object', properties: { expression: { type: 'string' } } },
          match: { type: 'object', properties: { mode } },
          providers,
        },
      },
    },
    tracing: {
      type: 'array',
      items: {
        type: 'object',
        properties: {
          providers,
          match: { type: 'object', properties: { mode } },
          randomSamplingPercentage: { type: 'number', minimum: 0, maximum: 100 },
          disableSpanReporting: truth,
          disableContextPropagation: truth,
          enableIstioTags: truth,
          useRequestIdForTraceSampling: truth,
          customTags: {
            type: 'object',
            additionalProperties: {
              type: 'object',
              atMostOneOf: ['literal', 'environment', 'header', 'formatter'],
              properties: { literal: value, environment: withDefault, header: withDefault, formatter: value },
            },
          },
        },
      },
    },
  },
}

export function checkTelemetry(telemetry: Resource<TelemetrySpec>, diagnostics: Diagnostics) {
  checkTargets(telemetry, diagnostics)
  checkNoDryRun(telemetry, diagnostics)
  telemetry.spec.metrics?.forEach(({ overrides = [] }, metric) => {
    overrides.forEach(({ tagOverrides = {} }, index) => {
      for (const [tag, { operation, value }] of Object.entries(tagOverrides)) {
        const at = ['spec', 'metrics', metric, 'overrides', index, 'tagOverrides', tag]
        if (operation === 'REMOVE' && value !== undefined) {
          const message = 'a tag that is removed has no value'
          telemetry.report(diagnostics, 'error', 'MS1204', [...at, 'value'], message, 'remove value, or write UPSERT')
        } else if (operation !== 'REMOVE' && !value) {
          const hint = 'write a CEL expression, or operation: REMOVE'
          telemetry.report(diagnostics, 'error', 'MS1103', [...at, 'value'], 'a tag that is set needs a value', hint)
        }
      }
    })
  })
}
