import {
  Action,
  Bytes,
  ByteString,
  Configuration,
  Counter,
  CounterSeries,
  filterState,
  GrpcStatus,
  HttpContext,
  RootContext,
  utf8,
} from '@meshscript/sdk'
import { Policies, readPolicies, Stage } from './configuration'
import { Decision, nameOf, Verdict } from './decision'
import { CurrentRequest } from './request'

/** What a refused request is answered. */
@final
export class Denial {
  status: u32 = 403
  body: Bytes = utf8('RBAC: access denied').persist()
}

export class AuthorizationRoot extends RootContext {
  /** Null until a configuration was accepted; then no request passes. */
  policies: Policies | null = null
  denial: Denial = new Denial()
  isAudit: bool = false
  recordsAllowed: bool = false
  request: CurrentRequest = new CurrentRequest()
  private requests: Counter = new Counter('authorization_requests_total', ['verdict', 'policy', 'dry_run'])
  /** Of requests that no rule decided, by verdict and dry run. */
  private undecided: StaticArray<CounterSeries | null> = new StaticArray<CounterSeries | null>(6)

  onConfigure(configuration: Configuration): bool {
    const json = configuration.json()
    json.get('$schema').string('')
    const version = json.get('version')
    if (version.integer() != 1) version.fail('expected 1, the version of this format')
    const isAudit = json.get('mode').oneOf(['enforce', 'audit'], 0) == 1
    const recordsAllowed = json.get('record').oneOf(['denied', 'all'], 0) == 1
    const denial = new Denial()
    const answer = json.get('denial')
    if (answer.exists) {
      denial.status = <u32>answer.get('status').integer(403, 400, 599)
      denial.body = answer.get('body').bytes('RBAC: access denied')
    }
    // A request view of its own: the peers that it remembers know what they match in these indexes.
    const request = new CurrentRequest()
    const policies = readPolicies(json.get('policies'), request)
    if (!json.refuseUnknown()) return false
    this.request = request
    this.isAudit = isAudit
    this.recordsAllowed = recordsAllowed
    this.denial = denial
    this.policies = policies
    return true
  }

  /** Counts a request under the policy that decided. */
  count(verdict: Verdict, decision: Decision | null, isDryRun: bool): void {
    if (decision) return decision.policy.count(this.requests, verdict, isDryRun)
    const place = verdict * 2 + i32(isDryRun)
    let series = unchecked(this.undecided[place])
    if (!series) {
      series = this.requests.with3(nameOf(verdict), utf8('none'), isDryRun ? utf8('true') : utf8('false'))
      unchecked((this.undecided[place] = series))
    }
    series.increment()
  }
}

/** Allows or refuses a request by the policies of its plugin. */
export class AuthorizationContext extends HttpContext<AuthorizationRoot> {
  onRequestHeaders(): Action {
    const root = this.root
    const policies = root.policies
    if (!policies) return this.refuse(utf8('not configured'))
    const request = root.request
    request.begin(this.requestHeaders)
    const custom = policies.at(Stage.Custom)
    if (custom) {
      const asked = custom.first()
      if (asked) return this.check(asked)
    }
    return this.decide(policies)
  }

  /** CUSTOM: an external service would decide. */
  private check(asked: Decision): Action {
    const id = utf8('istio-ext-authz-').concat(asked.policy.provider).concat(utf8('-')).concat(asked.id)
    return this.deny(id.concat(utf8('-deny-due-to-bad-CUSTOM-action')), asked)
  }

  /** AUDIT, dry run, then DENY and ALLOW. */
  private decide(policies: Policies): Action {
    const root = this.root
    const audit = policies.at(Stage.Audit)
    if (audit && audit.first()) filterState.set('authorization.audit', 'true')
    this.tryOut(policies)
    const index = policies.at(Stage.Enforced)
    const decision = index ? index.first() : null
    // Neither an ALLOW rule that matched nor a DENY rule that did not says anything of a peer that can't be read.
    if (root.request.hasUnreadablePeer) return this.deny(utf8('none'), null)
    if (decision ? decision.isDeny : policies.hasAllow) return this.deny(idOf(decision), decision)
    root.count(Verdict.Allowed, decision, false)
    if (root.recordsAllowed) this.record(Verdict.Allowed, idOf(decision))
    if (policies.hasActions) this.runActions(policies)
    return Action.Continue
  }

  /** Says what policies that are only tried out would do. */
  private tryOut(policies: Policies): void {
    const deny = policies.at(Stage.DryRunDeny)
    const allow = policies.at(Stage.DryRunAllow)
    if (!deny && !allow) return
    const denied = deny ? deny.first() : null
    const allowed = allow ? allow.first() : null
    if (deny) filterState.set('authorization.dry_run.deny', idOf(denied))
    if (allow) filterState.set('authorization.dry_run.allow', idOf(allowed))
    const isDenied = denied !== null || (allow !== null && allowed === null)
    this.root.count(isDenied ? Verdict.Denied : Verdict.Allowed, denied ? denied : allowed, true)
  }

  /** Runs the header actions of all rules that allow the request. */
  private runActions(policies: Policies): void {
    const found: Decision[] = []
    policies.at(Stage.Enforced)!.all(found)
    for (let i = 0; i < found.length; i++) {
      const actions = found[i].actions
      // A rule may match in several ways.
      if (!actions || found.indexOf(found[i]) < i) continue
      for (let n = 0; n < actions.length; n++) actions[n].run(this.requestHeaders)
    }
  }

  private deny(id: ByteString, decision: Decision | null): Action {
    const isAudit = this.root.isAudit
    const verdict = isAudit ? Verdict.Audited : Verdict.Denied
    this.root.count(verdict, decision, false)
    this.record(verdict, id)
    return isAudit ? Action.Continue : this.refuse(id)
  }

  /** Tells access logs who decided. */
  private record(verdict: Verdict, id: ByteString): void {
    filterState.set('authorization.policy', id)
    filterState.set('authorization.verdict', nameOf(verdict))
  }

  private refuse(id: ByteString): Action {
    const details = utf8('rbac_access_denied_matched_policy[').concat(id).concat(utf8(']'))
    const denial = this.root.denial
    this.sendLocalResponse(denial.status, denial.body, null, GrpcStatus.PermissionDenied, details)
    return Action.Pause
  }
}

function idOf(decision: Decision | null): ByteString {
  return decision ? decision.id.view : utf8('none')
}
