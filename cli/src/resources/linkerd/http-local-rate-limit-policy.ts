/** Linkerd's HTTPLocalRateLimitPolicy (policy.linkerd.io/v1alpha1). What its admission controller refuses is refused here. */
import type { Diagnostics } from '../diagnostics.ts'
import type { ReadKind } from '../kind.ts'
import type { Path } from '../nodes.ts'
import type { Resource } from '../resource.ts'
import type { Schema } from '../schema.ts'

export interface ClientRef {
  group?: string
  kind: string
  name: string
  /** Default: the policy's. */
  namespace?: string
}

export interface Rate {
  requestsPerSecond: number
}

/** Another rate for some clients, which share it. */
export interface RateOverride extends Rate {
  clientRefs: ClientRef[]
}

export interface RateLimitSpec {
  targetRef: { group?: string; kind: string; name: string }
  /** Of all requests together. */
  total?: Rate
  /** Of each client. */
  identity?: Rate
  overrides?: RateOverride[]
}

export type RateLimitPolicy = Resource<RateLimitSpec>

const text: Schema = { type: 'string', minLength: 1 }
// Linkerd's proxy counts in 32 bits.
const requestsPerSecond: Schema = { type: 'integer', minimum: 1, maximum: 4_000_000_000 }
const rate: Schema = { type: 'object', required: ['requestsPerSecond'], properties: { requestsPerSecond } }

const spec: Schema = {
  type: 'object',
  required: ['targetRef'],
  properties: {
    targetRef: {
      type: 'object',
      required: ['kind', 'name'],
      properties: { group: { type: 'string' }, kind: text, name: text },
    },
    total: rate,
    identity: rate,
    overrides: {
      type: 'array',
      items: {
        type: 'object',
        required: ['requestsPerSecond', 'clientRefs'],
        properties: {
          requestsPerSecond,
          clientRefs: {
            type: 'array',
            minItems: 1,
            items: {
              type: 'object',
              required: ['kind', 'name'],
              properties: { group: { type: 'string' }, kind: text, name: text, namespace: { type: 'string' } },
            },
          },
        },
      },
    },
  },
}

/** The kind. */
export const httpLocalRateLimitPolicy: ReadKind = {
  use: 'read',
  versions: ['v1alpha1'],
  fields: { spec },
  check: checkPolicy,
  about: 'traffic',
}

function checkPolicy(policy: RateLimitPolicy, diagnostics: Diagnostics): void {
  const { targetRef, total, identity, overrides = [] } = policy.spec
  if (targetRef.kind !== 'Server' || targetRef.group !== 'policy.linkerd.io') {
    const message = `a rate limit is for a Server, not for a ${[targetRef.group, targetRef.kind].filter(Boolean).join('/')}`
    const hint = 'write group: policy.linkerd.io, kind: Server'
    policy.report(diagnostics, 'error', 'MS1207', ['spec', 'targetRef'], message, hint)
  }
  const checkRate = ({ requestsPerSecond }: Rate, path: Path) => {
    if (!total || requestsPerSecond <= total.requestsPerSecond) return
    const message = `${requestsPerSecond} is more than the ${total.requestsPerSecond} of all clients together`
    policy.report(diagnostics, 'error', 'MS1106', [...path, 'requestsPerSecond'], message)
  }
  if (identity) checkRate(identity, ['spec', 'identity'])
  overrides.forEach((override, index) => {
    const path = ['spec', 'overrides', index]
    checkRate(override, path)
    override.clientRefs.forEach(({ group, kind }, n) => {
      if (kind === 'ServiceAccount' && !group) return
      const at = [...path, 'clientRefs', n, 'kind']
      policy.report(diagnostics, 'error', 'MS1207', at, 'clients are known by their ServiceAccount only')
    })
  })
}
