/** Linkerd's Server (policy.linkerd.io): a port of some pods, to which policies are attached. */
import type { ReadKind } from '../kind.ts'
import { selectorSchema, type LabelSelector } from '../kubernetes/label-selector.ts'
import type { Resource } from '../resource.ts'
import type { Schema } from '../schema.ts'

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
const spec: Schema = {
  type: 'object',
  required: ['port'],
  properties: {
    podSelector: selectorSchema,
    externalWorkloadSelector: selectorSchema,
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
