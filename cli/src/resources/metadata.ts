/** `metadata` of every Kubernetes resource. */
import type { Schema } from './schema.ts'

const text: Schema = { type: 'string' }
const texts: Schema = { type: 'object', additionalProperties: text }

export const labelSchema: Schema = {
  type: 'string',
  maxLength: 63,
  pattern: { test: /^([A-Za-z0-9]([\w.-]*[A-Za-z0-9])?)?$/, expected: 'a valid label value' },
}

/** Names go into the ids of decisions, so that they must be what Kubernetes accepts. */
const name: Schema = {
  type: 'string',
  minLength: 1,
  maxLength: 253,
  pattern: {
    test: /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/,
    expected: 'a valid name: lower-case letters, digits, "-" and "."',
  },
}

const namespace: Schema = {
  type: 'string',
  minLength: 1,
  maxLength: 63,
  pattern: {
    test: /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/,
    expected: 'a valid namespace: lower-case letters, digits and "-"',
  },
}

export const metadataSchema: Schema = {
  type: 'object',
  required: ['name'],
  properties: {
    name,
    namespace,
    labels: { type: 'object', additionalProperties: labelSchema },
    annotations: texts,
    // What the API server adds; of no consequence here.
    creationTimestamp: {},
    deletionGracePeriodSeconds: {},
    deletionTimestamp: {},
    finalizers: {},
    generateName: {},
    generation: {},
    managedFields: {},
    ownerReferences: {},
    resourceVersion: {},
    selfLink: {},
    uid: {},
  },
}
