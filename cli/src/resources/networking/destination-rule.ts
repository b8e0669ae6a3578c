/** Istio's DestinationRule (networking.istio.io): the subsets of a host. */
import type { Diagnostics } from '../diagnostics.ts'
import type { Resource } from '../resource.ts'
import type { Schema } from '../schema.ts'
import { checkHost, isLabel } from './hosts.ts'

export interface Subset {
  name: string
  labels?: Record<string, string>
}

export interface DestinationRuleSpec {
  host: string
  subsets?: Subset[]
  exportTo?: string[]
  workloadSelector?: { matchLabels?: Record<string, string> }
}

export type DestinationRule = Resource<DestinationRuleSpec>

const text: Schema = { type: 'string' }
/** Envoy's part, not the filters': Istio goes on applying it. */
const trafficPolicy: Schema = { type: 'object', additionalProperties: {} }
const labels: Schema = { type: 'object', additionalProperties: text }

/** Schema of `spec`, from Istio's CRD. */
export const destinationRuleSchema: Schema = {
  type: 'object',
  required: ['host'],
  properties: {
    host: text,
    trafficPolicy,
    subsets: {
      type: 'array',
      items: { type: 'object', required: ['name'], properties: { name: text, labels, trafficPolicy } },
    },
    exportTo: { type: 'array', items: text },
    workloadSelector: { type: 'object', properties: { matchLabels: labels } },
  },
}

export function checkDestinationRule(rule: DestinationRule, diagnostics: Diagnostics): void {
  const { host, subsets = [] } = rule.spec
  const problem = checkHost(host)
  if (problem) rule.report(diagnostics, 'error', 'MS1106', ['spec', 'host'], problem)
  subsets.forEach(({ name }, index) => {
    const path = ['spec', 'subsets', index, 'name']
    if (!isLabel(name))
      rule.report(diagnostics, 'error', 'MS1106', path, `${JSON.stringify(name)} is not the name of a subset`)
    if (subsets.findIndex((other) => other.name === name) < index)
      rule.report(diagnostics, 'warning', 'MS1109', path, `the subset ${name} is there twice: the first counts`)
  })
}
