/** SMI's TrafficSplit (split.smi-spec.io), v1alpha1 to v1alpha4. */
import type { Diagnostics } from '../diagnostics.ts'
import type { Fields, ReadKind } from '../kind.ts'
import { parseQuantity } from '../quantity.ts'
import type { Resource } from '../resource.ts'
import type { Schema } from '../schema.ts'

export interface TrafficSplitSpec {
  /** The root service: clients ask for it. A name, or a full one of the same namespace. */
  service: string
  backends: { service: string; weight: number | string }[]
  /** From v1alpha3 on: which requests are split. All others go to the root service. */
  matches?: { kind: 'HTTPRouteGroup'; name: string }[]
}

export type TrafficSplit = Resource<TrafficSplitSpec>

const versions = ['v1alpha1', 'v1alpha2', 'v1alpha3', 'v1alpha4']
const text: Schema = { type: 'string', minLength: 1 }
const matches: Schema = {
  type: 'array',
  items: {
    type: 'object',
    required: ['kind', 'name'],
    properties: {
      kind: { type: 'string', enum: ['HTTPRouteGroup'] },
      name: text,
      // Some examples of the specification name it.
      apiGroup: { type: 'string' },
    },
  },
}

function fields(version: string): Fields {
  const hasMatches = version === 'v1alpha3' || version === 'v1alpha4'
  const backends: Schema = {
    type: 'array',
    minItems: 1,
    uniqueBy: 'service',
    items: {
      type: 'object',
      required: ['service', 'weight'],
      properties: { service: text, weight: { type: ['number', 'string'] } },
    },
  }
  return {
    spec: {
      type: 'object',
      required: ['service', 'backends'],
      properties: { service: text, backends, ...(hasMatches && { matches }) },
    },
  }
}

export const trafficSplit: ReadKind = {
  use: 'read',
  versions,
  fields,
  required: ['spec'],
  check: checkTrafficSplit,
  about: 'traffic',
}

/** The weight of a backend; undefined if it is none. Only v1alpha1 has quantities. */
export function weightOf(weight: number | string, version: string): number | undefined {
  const value = typeof weight === 'number' ? weight : version === 'v1alpha1' ? parseQuantity(weight) : undefined
  if (value === undefined || !Number.isFinite(value) || value < 0) return undefined
  return version === 'v1alpha1' || Number.isInteger(value) ? value : undefined
}

/** The name alone of a service of the split's namespace; undefined if it is none. */
export function serviceName(service: string, namespace: string): string | undefined {
  const name = service.replace(new RegExp(`\\.${namespace}\\.svc\\.cluster\\.local\\.?$`), '')
  return /^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/.test(name) ? name : undefined
}

function checkTrafficSplit(split: TrafficSplit, diagnostics: Diagnostics): void {
  const { version, spec, metadata } = split
  const report = (path: (string | number)[], message: string, hint: string) =>
    split.report(diagnostics, 'error', 'MS1106', ['spec', ...path], message, hint)
  const checkService = (service: string, path: (string | number)[]) => {
    if (serviceName(service, metadata.namespace) !== undefined) return
    const hint = `write its name alone, or NAME.${metadata.namespace}.svc.cluster.local`
    report(path, `${JSON.stringify(service)} is not the name of a Service of ${metadata.namespace}`, hint)
  }
  checkService(spec.service, ['service'])
  let total = 0
  spec.backends.forEach(({ service, weight }, index) => {
    const at = ['backends', index]
    checkService(service, [...at, 'service'])
    const value = weightOf(weight, version)
    total += value ?? 1
    if (value !== undefined) return
    if (version === 'v1alpha1') {
      report([...at, 'weight'], `${JSON.stringify(weight)} is not a weight`, 'write e.g. 1, 500m or 0')
    } else {
      const near = typeof weight === 'number' ? Math.round(Math.abs(weight)) : parseInt(weight, 10)
      const hint = `write e.g. ${Number.isFinite(near) ? near : 50}: weights are parts of their sum`
      report([...at, 'weight'], `${JSON.stringify(weight)} is not a whole number from 0 on`, hint)
    }
  })
  if (total === 0) report(['backends'], 'the weights add up to 0', 'give at least one of them a weight')
}
