/** One of the two sets of policies that are compared: its verdicts on requests that are only partly known. */
import type { AuthorizationConfig, PolicyConfig } from '../compile/authorization-config.ts'
import { fieldsOf, type Subject } from '../explain/fields.ts'
import { Filter } from '../explain/filter.ts'
import { Judge, type Judgement, type Verdict } from '../explain/judge.ts'
import { matching, stageOf } from '../explain/probe.ts'
import type { PolicyRequest } from '../requests/request.ts'
import { isUnknown, type Unknown } from './record.ts'
import { assume, bound, enforced, originalRule, unknownFields } from './residual.ts'

export interface SideVerdict {
  /** One; or the least and the most favourable, where that depends on what is not known. */
  verdicts: [Verdict] | [Verdict, Verdict]
  /** Where there is one verdict: the rule that decided. */
  rule?: string
  provider?: string
}

/** A rule that matches if what is not known about the request does. */
export interface Candidate {
  /** Equal where two rules do the same. */
  key: string
  unknown: Subject[]
}

interface Judges {
  deny: Judge
  allow: Judge
}

export class Side {
  readonly #configuration: AuthorizationConfig
  readonly #judges = new Map<Unknown, Judges>()
  readonly #probes = new Filter()

  constructor(configuration: AuthorizationConfig) {
    this.#configuration = configuration
  }

  /** What the policies look at. */
  get subjects(): Subject[] {
    const rules = enforced(this.#configuration).flatMap(({ rules }) => rules)
    return rules.flatMap((rule) => fieldsOf(rule).map(({ subject }) => subject))
  }

  async judge(request: PolicyRequest, unknown: Unknown): Promise<SideVerdict> {
    const { deny, allow } = this.#judgesFor(unknown)
    const worst = await deny.judge(request)
    const best = deny === allow ? worst : await allow.judge(request)
    if (worst.verdict !== best.verdict) return { verdicts: [worst.verdict, best.verdict] }
    return { verdicts: [worst.verdict], ...decider(worst, best) }
  }

  /** The rules that may match. */
  async candidates(request: PolicyRequest, unknown: Unknown): Promise<Candidate[]> {
    const isOpen = (subject: Subject) => isUnknown(subject, unknown)
    const rules = enforced(this.#configuration).flatMap((policy) => policy.rules.map((rule) => ({ policy, rule })))
    const probes = rules.map(({ policy, rule }) => ({
      stage: stageOf(policy.action),
      rule: assume(rule, isOpen, true)!,
    }))
    const matches = await matching(this.#probes, request, probes, () => {})
    return rules
      .filter((_, index) => matches[index])
      .map(({ policy, rule }) => ({
        key: JSON.stringify([policy.action, this.#provider(policy), { ...rule, headerActions: undefined }]),
        unknown: unknownFields(rule, isOpen).map(({ subject }) => subject),
      }))
  }

  get hasAllow(): boolean {
    return enforced(this.#configuration).some(({ action }) => action === 'ALLOW')
  }

  async close(): Promise<void> {
    for (const { deny, allow } of this.#judges.values()) {
      await deny.close()
      if (allow !== deny) await allow.close()
    }
    await this.#probes.close()
  }

  #provider({ provider }: PolicyConfig): unknown {
    return provider === undefined ? undefined : [provider, this.#configuration.providers?.[provider]]
  }

  #judgesFor(unknown: Unknown): Judges {
    const known = this.#judges.get(unknown)
    if (known) return known
    const isOpen = (subject: Subject) => isUnknown(subject, unknown)
    const deny = new Judge(bound(this.#configuration, isOpen, 'deny'))
    const isDecided = !this.subjects.some(isOpen)
    const allow = isDecided ? deny : new Judge(bound(this.#configuration, isOpen, 'allow'))
    const made = { deny, allow }
    this.#judges.set(unknown, made)
    return made
  }
}

/** Of two judgements with the same verdict the one that surely names the rule: what allows at worst, what refuses at best. */
function decider(worst: Judgement, best: Judgement): { rule?: string; provider?: string } {
  const { verdict, rule, provider } = worst.verdict === 'denied' ? best : worst
  return { rule: originalRule(rule), ...(verdict === 'external' && { provider }) }
}
