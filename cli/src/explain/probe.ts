/**
 * Which of many rules match a request, asked of the filter itself: every rule becomes a policy of its own, named so that the least
 * id, which the filter answers, is that of the first rule that matches. Those before it do not match; those after it are asked again.
 */
import type { AuthorizationConfig, PolicyConfig, RuleConfig } from '../compile/authorization-config.ts'
import type { PolicyRequest } from '../requests/request.ts'
import type { Filter } from './filter.ts'

/** An attribute that Envoy does not know makes a difference: it must not allow, and must refuse. */
export type Stage = 'ALLOW' | 'DENY'

export interface Probe {
  stage: Stage
  rule: RuleConfig
}

export const stageOf = (action: PolicyConfig['action']): Stage => (action === 'ALLOW' ? 'ALLOW' : 'DENY')

/** Few enough that rules which all match are not read too often, enough that those which don't are few questions. */
const TOGETHER = 32

/** Calls `onProgress` with how much is answered, up to 1. */
export async function matching(
  filter: Filter,
  request: PolicyRequest,
  probes: readonly Probe[],
  onProgress: (done: number) => void,
): Promise<boolean[]> {
  // Many rules have parts in common: each is asked once.
  const keys = probes.map(({ stage, rule }) => `${stage} ${JSON.stringify(rule)}`)
  const distinct = [...new Map(keys.map((key, index) => [key, probes[index]!]))]
  const matched = new Set<string>()
  let done = 0
  for (const stage of ['ALLOW', 'DENY'] as const) {
    const asked = distinct.filter(([, probe]) => probe.stage === stage)
    for (let start = 0; start < asked.length; start += TOGETHER) {
      const group = asked.slice(start, start + TOGETHER)
      for (const index of await matchingOf(
        filter,
        request,
        stage,
        group.map(([, { rule }]) => rule),
      )) {
        matched.add(group[index]![0])
      }
      done += group.length
      onProgress(done / distinct.length)
    }
  }
  return keys.map((key) => matched.has(key))
}

async function matchingOf(
  filter: Filter,
  request: PolicyRequest,
  stage: Stage,
  rules: RuleConfig[],
): Promise<number[]> {
  const policies = rules.map((rule, index): PolicyConfig => {
    // What a rule does to headers is no part of what it matches.
    const { headerActions: _, ...matches } = rule
    return { name: String(index).padStart(4, '0'), action: stage, rules: [matches] }
  })
  const found: number[] = []
  let next = 0
  while (next < policies.length) {
    const configuration: AuthorizationConfig = { version: 1, mode: 'enforce', policies: policies.slice(next) }
    const { rule } = await filter.decide(configuration, request)
    if (rule === undefined) break
    found.push(parseInt(rule, 10))
    next = found.at(-1) + 1
  }
  return found
}
