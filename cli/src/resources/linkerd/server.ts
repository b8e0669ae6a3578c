/** Linkerd's Server (policy.linkerd.io): a port of some pods, to which policies are attached. */
import type { ReadKind } from '../kind.ts'
import type { Resource } from '../resource.ts'
import type { Schema } from '../schema.ts'

/** One condition of a selector. */
export interface LabelRequirement {
  key: string
  operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist'
  values?: string[]
}

export interface LabelSelector {
  matchLabels?: Record<string, string>
  matchExpressions?: LabelRequirement[]
}

export interface ServerSpec {
  /** It is about pods, or about ExternalWorkloads. */
  podSelector?: LabelSelector
  externalWorkloadSelector?: LabelSelector
  /** Number or name. */
  port: number | string
  proxyProtocol?: string
  accessPolicy?: string
}

export type Server = Resource<ServerSpec>

const text: Schema = { type: 'string', minLength: 1 }
const selector: Schema = {
  type: 'object',
  properties: {
    matchLabels: { type: 'object', additionalProperties: { type: 'string' } },
    matchExpressions: {
      type: 'array',
      items: {
        type: 'object',
        required: ['key', 'operator'],
        properties: {
          key: text,
          operator: { type: 'string', enum: ['In', 'NotIn', 'Exists', 'DoesNotExist'] },
          values: { type: 'array', items: { type: 'string' } },
        },
      },
    },
  },
}

const spec: Schema = {
  type: 'object',
  required: ['port'],
  properties: {
    podSelector: selector,
    externalWorkloadSelector: selector,
    port: { type: ['integer', 'string'] },
    proxyProtocol: text,
    accessPolicy: text,
  },
  atMostOneOf: ['podSelector', 'externalWorkloadSelector'],
}

/** The kind. */
export const server: ReadKind = {
  use: 'read',
  versions: ['v1alpha1', 'v1beta1', 'v1beta2', 'v1beta3'],
  fields: { spec },
  about: 'traffic',
}

/** Whether a selector of Kubernetes holds for these labels: an empty one does for all. */
export function selectsLabels(selector: LabelSelector, labels: Readonly<Record<string, string>>): boolean {
  const { matchLabels = {}, matchExpressions = [] } = selector
  const has = (key: string) => Object.hasOwn(labels, key)
  return (
    Object.entries(matchLabels).every(([key, value]) => has(key) && labels[key] === value) &&
    matchExpressions.every(({ key, operator, values = [] }) => {
      if (operator === 'Exists' || operator === 'DoesNotExist') return has(key) === (operator === 'Exists')
      return (has(key) && values.includes(labels[key]!)) === (operator === 'In')
    })
  )
}
