/** `selector` and `targetRefs`: what a policy of Istio applies to. The same in all its kinds. */
import type { Diagnostics } from './diagnostics.ts'
import { labelSchema } from './metadata.ts'
import type { Resource } from './resource.ts'
import type { Schema } from './schema.ts'

export interface TargetRef {
  group?: string
  kind: string
  name: string
  namespace?: string
}

export interface Targets {
  selector?: { matchLabels?: Record<string, string> }
  targetRef?: TargetRef
  targetRefs?: TargetRef[]
}

export const selectorSchema: Schema = {
  type: 'object',
  properties: {
    matchLabels: {
      type: 'object',
      keys: { test: /^[^*]+$/, expected: 'the key of a label', hint: 'write the whole key: there are no wildcards' },
      additionalProperties: labelSchema,
    },
  },
}

export const targetRefSchema: Schema = {
  type: 'object',
  required: ['kind', 'name'],
  properties: {
    group: { type: 'string', maxLength: 253 },
    kind: { type: 'string', minLength: 1, maxLength: 63 },
    name: { type: 'string', minLength: 1, maxLength: 253 },
    namespace: { type: 'string' },
  },
}

export const targetRefsSchema: Schema = { type: 'array', maxItems: 16, items: targetRefSchema }

/** What all kinds but PeerAuthentication have. */
export const targetFields: Record<string, Schema> = {
  selector: selectorSchema,
  targetRef: targetRefSchema,
  targetRefs: targetRefsSchema,
}

const units: Record<string, number> = { ns: 1e-6, us: 1e-3, µs: 1e-3, ms: 1, s: 1e3, m: 6e4, h: 3.6e6 }

/** A duration as Go writes it, e.g. `1h30m`, in milliseconds; undefined if it is none. */
export function parseDuration(text: string): number | undefined {
  if (!/^((\d+\.?\d*|\.\d+)(ns|us|µs|ms|s|m|h))+$/.test(text)) return undefined
  const parts = text.matchAll(/([\d.]+)([^\d.]+)/g)
  return [...parts].reduce((sum, [, count, unit]) => sum + Number(count) * units[unit!]!, 0)
}

export const durationSchema: Schema = {
  type: 'string',
  pattern: {
    test: { test: (text) => (parseDuration(text) ?? 0) >= 1 },
    expected: 'a duration of at least 1ms',
    hint: 'write e.g. 500ms, 5s or 1m30s',
  },
}

/** Kinds that a policy can be attached to, with their groups. */
const groups: Record<string, string> = {
  Gateway: 'gateway.networking.k8s.io',
  GatewayClass: 'gateway.networking.k8s.io',
  Service: '',
  ServiceEntry: 'networking.istio.io',
}

/** Checks that a policy says in one way only what it applies to, and can be attached to it. */
export function checkTargets(policy: Resource<Targets>, diagnostics: Diagnostics) {
  const { selector, targetRef, targetRefs = [] } = policy.spec
  // The API server counts an empty list, too.
  const given = (['selector', 'targetRef', 'targetRefs'] as const).filter((name) => policy.spec[name])
  if (given.length > 1) {
    const message = `only one of ${given.join(' and ')} can be set`
    policy.report(diagnostics, 'error', 'MS1204', ['spec', given[1]!], message, 'write two policies')
  }
  if (selector && Object.keys(selector.matchLabels ?? {}).length === 0) {
    const message = 'a selector without labels selects every workload'
    policy.report(diagnostics, 'warning', 'MS1408', ['spec', 'selector'], message, 'write matchLabels, or remove it')
  }
  const places = [
    ...(targetRef ? [{ target: targetRef, path: ['spec', 'targetRef'] }] : []),
    ...targetRefs.map((target, index) => ({ target, path: ['spec', 'targetRefs', index] })),
  ]
  for (const { target, path } of places) {
    const error = (field: string, message: string, hint: string) =>
      policy.report(diagnostics, 'error', 'MS1207', [...path, field], message, hint)
    if (target.namespace) {
      error('namespace', "a target is in the policy's own namespace", 'remove it, and set metadata.namespace')
    }
    const { kind } = target
    const group = Object.hasOwn(groups, kind) ? groups[kind]! : undefined
    if (group === undefined) {
      error('kind', `a policy cannot be attached to a ${kind}`, `write one of ${Object.keys(groups).join(', ')}`)
    } else if ((target.group === 'core' ? '' : (target.group ?? '')) !== group) {
      const hint = group ? `write group: ${group}` : 'write group: ""'
      error('group', `${kind} is not of the group ${JSON.stringify(target.group ?? '')}`, hint)
    }
  }
}

export const dryRunAnnotation = 'istio.io/dry-run'

/** Only an AuthorizationPolicy can be tried out. */
export function checkNoDryRun(resource: Resource, diagnostics: Diagnostics) {
  if (resource.metadata.annotations?.[dryRunAnnotation] === undefined) return
  const message = `a ${resource.kind} has no dry run`
  const path = ['metadata', 'annotations', dryRunAnnotation]
  resource.report(diagnostics, 'error', 'MS1206', path, message, 'remove the annotation')
}
