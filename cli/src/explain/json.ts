/** An explanation for programs. docs/explain.md describes the form: fields are added to it, never changed. */
import type { Resource } from '../resources/resource.ts'
import type { Span } from '../resources/source.ts'
import type { ExplainedPolicy, Explanation } from './explain.ts'
import { valuesOf } from './subjects.ts'

export function explanationToJson(explanation: Explanation, unselected: readonly Resource[]): Record<string, unknown> {
  const { request, path, judgement, reason, place, policies } = explanation
  const { verdict, status, rule, provider, audit, dryRun } = judgement
  const seen = { ...request, path }
  return {
    verdict,
    reason,
    status: status ?? null,
    rule: rule ?? null,
    place: placeToJson(place),
    provider: provider ?? null,
    audit,
    dryRun: { deny: dryRun.deny ?? null, allow: dryRun.allow ?? null },
    request: { ...request, path },
    policies: policies.map((policy) => policyToJson(policy, seen)),
    unselected: unselected.map((each) => ({
      resource: each.title,
      place: placeToJson(each.locate(['metadata', 'name'])),
    })),
  }
}

function policyToJson({ config, resource, rules }: ExplainedPolicy, request: Explanation['request']) {
  const { name, action, dryRun = false, provider } = config
  return {
    name,
    resource: resource?.title ?? null,
    place: placeToJson(resource?.locate(['metadata', 'name'])),
    action,
    dryRun,
    provider: provider ?? null,
    rules: rules.map(({ id, index, place, matched, fields }) => ({
      id,
      index,
      place: placeToJson(place),
      matched,
      fields: fields.map(({ field, matched }) => ({
        part: field.part,
        entry: field.entry,
        name: field.name,
        subject: field.subject,
        wants: field.wants,
        has: valuesOf(field.subject, request),
        matched,
      })),
    })),
  }
}

export function placeToJson(place: Span | undefined): { file: string; line: number; column: number } | null {
  return place ? { file: place.source.name, ...place.source.position(place.start) } : null
}
