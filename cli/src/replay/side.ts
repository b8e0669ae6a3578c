/** One of the two sets of policies that are compared: its verdicts on requests that are only partly known. */
import type { AuthorizationConfig } from '../compile/authorization-config.ts'
import { fieldsOf, type Subject } from '../explain/fields.ts'
import type { FilterMesh } from '../explain/filter.ts'
import { Judge, type Judgement, type Verdict } from '../explain/judge.ts'
import type { PolicyRequest } from '../requests/request.ts'
import { isUnknown, type Unknown } from './record.ts'
import { bound, enforced, originalRule } from './residual.ts'

export interface SideVerdict {
  /** One; or the least and the most favourable, where that depends on what is not known. */
  verdicts: [Verdict] | [Verdict, Verdict]
  /** Where there is one verdict: the rule that decided. */
  rule?: string
  provider?: string
}

interface Judges {
  deny: Judge
  allow: Judge
}

export class Side {
  readonly configuration: AuthorizationConfig
  readonly mesh: FilterMesh
  readonly #judges = new Map<Unknown, Judges>()

  constructor(configuration: AuthorizationConfig, mesh: FilterMesh) {
    this.mesh = mesh
    this.configuration = configuration
  }

  /** What the policies look at. */
  get subjects(): Subject[] {
    const rules = enforced(this.configuration).flatMap(({ rules }) => rules)
    return rules.flatMap((rule) => fieldsOf(rule).map(({ subject }) => subject))
  }

  async judge(request: PolicyRequest, unknown: Unknown): Promise<SideVerdict> {
    const { deny, allow } = this.#judgesFor(unknown)
    const worst = await deny.judge(request)
    const best = deny === allow ? worst : await allow.judge(request)
    if (worst.verdict !== best.verdict) return { verdicts: [worst.verdict, best.verdict] }
    return { verdicts: [worst.verdict], ...decider(worst, best) }
  }

  async close(): Promise<void> {
    for (const { deny, allow } of this.#judges.values()) {
      await deny.close()
      if (allow !== deny) await allow.close()
    }
  }

  #judgesFor(unknown: Unknown): Judges {
    const known = this.#judges.get(unknown)
    if (known) return known
    const isOpen = (subject: Subject) => isUnknown(subject, unknown)
    const deny = new Judge(bound(this.configuration, isOpen, 'deny'), this.mesh)
    const isDecided = !this.subjects.some(isOpen)
    const allow = isDecided ? deny : new Judge(bound(this.configuration, isOpen, 'allow'), this.mesh)
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
