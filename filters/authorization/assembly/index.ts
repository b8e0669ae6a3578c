import {
  Action,
  Bytes,
  ByteString,
  Configuration,
  Counter,
  CounterSeries,
  filterState,
  GrpcStatus,
  RootContext,
  utf8,
} from '@meshscript/sdk'
import { Policies, readPolicies, Stage } from './configuration'
import { Decision, nameOf, Verdict } from './decision'
import { DecisionLog } from './decision_log'
import { CheckedContext } from './ext_authz/checked_context'
import { Provider, Providers, readProviders } from './ext_authz/provider'
import { HeaderAction, Mismatch } from './header_action'
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
  providers: Providers = new Providers()
  /** Who is asked about requests that CUSTOM rules match; null where there is no such service, or not only one. */
  provider: Provider | null = null
  log: DecisionLog = new DecisionLog()
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
    const providers = readProviders(json.get('providers'))
    if (!json.refuseUnknown()) return false
    this.request = request
    this.isAudit = isAudit
    this.recordsAllowed = recordsAllowed
    this.denial = denial
    const asked = policies.provider
    this.provider = asked && !policies.hasSeveralProviders ? providers.find(asked.view) : null
    this.providers = providers
    providers.start(this)
    this.policies = policies
    return true
  }

  onTick(): void {
    this.providers.onTick()
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
export class AuthorizationContext extends CheckedContext {
  /** The rule that has asked a provider. */
  private asked: Decision | null = null

  private get plugin(): AuthorizationRoot {
    return changetype<AuthorizationRoot>(this.rootContext)
  }

  onRequestHeaders(endOfStream: bool): Action {
    const root = this.plugin
    const policies = root.policies
    if (!policies) return this.refuse(utf8('not configured'))
    const request = root.request
    request.begin(this.requestHeaders)
    const custom = policies.at(Stage.Custom)
    if (custom) {
      const asked = custom.first()
      if (asked) return this.checkBy(asked, endOfStream)
    }
    return this.decide(policies)
  }

  /** The provider lets the request pass: the other policies see it as it is now. */
  onCheckAllowed(): bool {
    const root = this.plugin
    const policies = root.policies
    if (!policies) return false
    root.request.begin(this.requestHeaders)
    return this.decide(policies) == Action.Continue
  }

  onCheckRefused(status: u32, isError: bool): bool {
    const asked = this.asked!
    this.plugin.request.begin(this.requestHeaders)
    this.report(asked.id.view, asked)
    return !this.plugin.isAudit
  }

  /** CUSTOM: an external service decides. */
  private checkBy(asked: Decision, endOfStream: bool): Action {
    const root = this.plugin
    const provider = root.provider
    if (provider) {
      this.asked = asked
      return this.askProvider(provider, root.providers, endOfStream)
    }
    const id = utf8('istio-ext-authz-').concat(asked.policy.provider).concat(utf8('-')).concat(asked.id)
    return this.deny(id.concat(utf8('-deny-due-to-bad-CUSTOM-action')), asked)
  }

  /** AUDIT, dry run, then DENY and ALLOW. */
  private decide(policies: Policies): Action {
    const root = this.plugin
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
    this.plugin.count(isDenied ? Verdict.Denied : Verdict.Allowed, denied ? denied : allowed, true)
  }

  /** Runs the header actions of all rules that allow the request. */
  private runActions(policies: Policies): void {
    const found: Decision[] = []
    policies.at(Stage.Enforced)!.all(found)
    for (let i = 0; i < found.length; i++) {
      const actions = found[i].actions
      // A rule may match in several ways.
      if (!actions || found.indexOf(found[i]) < i) continue
      for (let n = 0; n < actions.length; n++) this.run(actions[n], found[i])
    }
  }

  private run(action: HeaderAction, decision: Decision): void {
    const isAsWanted = action.run(this.requestHeaders)
    if (isAsWanted || action.onMismatch != Mismatch.Log) return
    this.plugin.log.mismatched(action.header.view, decision.id.view, this.plugin.request)
  }

  private deny(id: ByteString, decision: Decision | null): Action {
    this.report(id, decision)
    return this.plugin.isAudit ? Action.Continue : this.refuse(id)
  }

  /** Tells metrics, access logs and the log of a request that is refused, or in audit mode would be. */
  private report(id: ByteString, decision: Decision | null): void {
    const root = this.plugin
    const verdict = root.isAudit ? Verdict.Audited : Verdict.Denied
    root.count(verdict, decision, false)
    this.record(verdict, id)
    root.log.refused(nameOf(verdict), id, root.request)
  }

  /** Tells access logs who decided. */
  private record(verdict: Verdict, id: ByteString): void {
    filterState.set('authorization.policy', id)
    filterState.set('authorization.verdict', nameOf(verdict))
  }

  private refuse(id: ByteString): Action {
    const details = utf8('rbac_access_denied_matched_policy[').concat(id).concat(utf8(']'))
    const denial = this.plugin.denial
    this.sendLocalResponse(denial.status, denial.body, null, GrpcStatus.PermissionDenied, details)
    return Action.Pause
  }
}

function idOf(decision: Decision | null): ByteString {
  return decision ? decision.id.view : utf8('none')
}
