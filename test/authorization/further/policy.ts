/** Short forms for the cases: resources are JSON, which YAML is too. */
import type { CaseSource, SentRequest } from '../cases.ts'

export type FurtherCase = CaseSource & { requests: SentRequest[] }

interface Meta {
  name?: string
  namespace?: string
  labels?: Record<string, string>
  dryRun?: boolean
}

export type Rule = Record<string, unknown>

/** An AuthorizationPolicy. */
export function policy(action: string, rules: Rule[], meta: Meta = {}): string {
  const { name = 'p0', namespace = 'foo', labels, dryRun } = meta
  return JSON.stringify({
    apiVersion: 'security.istio.io/v1',
    kind: 'AuthorizationPolicy',
    metadata: { name, namespace, ...(dryRun && { annotations: { 'istio.io/dry-run': 'true' } }) },
    spec: { ...(labels && { selector: { matchLabels: labels } }), action, rules },
  })
}

export const policies = (...documents: string[]) => documents.join('\n---\n')

export const source = (fields: Record<string, string[]>): Rule => ({ from: [{ source: fields }] })
export const operation = (fields: Record<string, string[]>): Rule => ({ to: [{ operation: fields }] })
export const when = (key: string, values?: string[], notValues?: string[]): Rule => ({
  when: [{ key, ...(values && { values }), ...(notValues && { notValues }) }],
})

/** A rule for each path, so that a request chooses what it is asked about. */
export const byPath = (rules: Record<string, Rule>): Rule[] =>
  Object.entries(rules).map(([path, rule]) => ({ ...operation({ paths: [path] }), ...rule }))

/** All requests with all paths. */
export const product = (paths: readonly string[], requests: readonly SentRequest[]): SentRequest[] =>
  paths.flatMap((path) => requests.map((request) => ({ path, ...request })))

export const identity = (namespace: string, account: string, domain = 'cluster.local') =>
  `spiffe://${domain}/ns/${namespace}/sa/${account}`
