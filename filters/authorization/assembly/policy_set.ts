// All policies of a configuration, asked about one request at a time.

import { Bytes, ByteString, HeaderMap, utf8 } from '@meshscript/sdk'
import { CurrentRequest, currentRequest } from '../../common/assembly/request/request'
import { RuleIndex } from '../../common/assembly/rules/rule_index'
import { Decision, Verdict } from './decision'

/** What becomes of a policy. Each has an index of its own. */
export enum Stage {
  /** ALLOW and DENY. */
  Enforced,
  Custom,
  Audit,
  DryRunDeny,
  DryRunAllow,
}
export const STAGES: i32 = 5

/** What a refused request is answered. */
@final
export class Denial {
  status: u32 = 403
  body: Bytes = utf8('RBAC: access denied').persist()
}

/**
 * The policies of a configuration, as `readPolicies` makes them.
 *
 * ```ts
 * onRequestHeaders(): Action {
 *   const policies = this.root.policies
 *   if (policies.decide(this.requestHeaders) != Verdict.Denied) return Action.Continue
 *   this.sendLocalResponse(policies.denial.status, policies.denial.body)
 *   return Action.Pause
 * }
 * ```
 */
@final
export class PolicySet {
  /** What the configuration wants refused requests to be answered. */
  readonly denial: Denial = new Denial()
  /** Mode `audit`: every request goes on. */
  isAudit: bool = false
  /** Allowed requests leave a record, too. */
  recordsAllowed: bool = false
  /** With an ALLOW policy, what no rule allows is refused. */
  hasAllow: bool = false
  /** With header actions, all rules that match are run, not only the first. */
  hasActions: bool = false
  /** Whom CUSTOM policies ask. Requests are refused where they name several. */
  provider: Bytes | null = null
  hasSeveralProviders: bool = false
  /** The rule that has decided on the request that was asked about last; null where none has. */
  decision: Decision | null = null
  /** What the rules look at. */
  readonly request: CurrentRequest = currentRequest()

  /** By stage; null where no policy is of it. */
  private indexes: StaticArray<RuleIndex<Decision> | null> = new StaticArray<RuleIndex<Decision> | null>(STAGES)

  /**
   * Decides on the request whose headers callback runs, and runs the header actions of rules that allow it.
   * A CUSTOM rule that matches refuses: there is nobody to ask. Policies that only mark or are only tried out change nothing; `first` tells of them.
   */
  decide(headers: HeaderMap): Verdict {
    this.request.begin(headers)
    const custom = this.first(Stage.Custom)
    if (!custom && this.allows()) {
      if (this.hasActions) this.runActions(headers)
      return Verdict.Allowed
    }
    if (custom) this.decision = custom
    return this.isAudit ? Verdict.Audited : Verdict.Denied
  }

  /** Id of the rule that has decided, `NAME-rule[I]`, or `none`. */
  get decisionId(): ByteString {
    const decision = this.decision
    return decision ? decision.id.view : utf8('none')
  }

  /** The first rule of a stage that the request matches; null when it matches none. */
  first(stage: Stage): Decision | null {
    const index = this.at(stage)
    return index ? index.first() : null
  }

  /** Whether DENY and ALLOW let the request pass. */
  allows(): bool {
    const decision = this.first(Stage.Enforced)
    // Neither an ALLOW rule that matched nor a DENY rule that did not says anything of a peer that can't be read.
    const isUnreadable = this.request.hasUnreadablePeer
    this.decision = isUnreadable ? null : decision
    if (isUnreadable) return false
    return decision ? !decision.isDeny : !this.hasAllow
  }

  /** All rules with header actions that the request matches, each once. */
  acting(): Decision[] {
    const acting: Decision[] = []
    const index = this.at(Stage.Enforced)
    if (!this.hasActions || !index) return acting
    const found: Decision[] = []
    index.all(found)
    for (let i = 0; i < found.length; i++) {
      // A rule may match in several ways.
      if (found[i].actions && !acting.includes(found[i])) acting.push(found[i])
    }
    return acting
  }

  private runActions(headers: HeaderMap): void {
    const acting = this.acting()
    for (let i = 0; i < acting.length; i++) {
      const actions = acting[i].actions!
      for (let n = 0; n < actions.length; n++) actions[n].run(headers)
    }
  }

  /** The rules of a stage; null where there are none. */
  // @ts-ignore: decorator
  @inline
  at(stage: Stage): RuleIndex<Decision> | null {
    return unchecked(this.indexes[stage])
  }

  /** Puts the rules of a stage in place. */
  set(stage: Stage, index: RuleIndex<Decision>): void {
    this.indexes[stage] = index
  }

  /** Notes an external authorizer that CUSTOM policies name. */
  addProvider(name: Bytes): void {
    const known = this.provider
    if (known && !known.equals(name)) this.hasSeveralProviders = true
    this.provider = name
  }
}
