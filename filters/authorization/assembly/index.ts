import {
  Action,
  ByteString,
  Configuration,
  Counter,
  CounterSeries,
  filterState,
  GrpcStatus,
  log,
  RootContext,
  utf8,
} from '@meshscript/sdk'
import { DecisionLog } from '../../common/assembly/decision_log'
import { readPolicies } from './configuration'
import { Decision, nameOf, Verdict } from './decision'
import { CheckedContext } from './ext_authz/checked_context'
import { Provider, Providers, readProviders } from './ext_authz/provider'
import { HeaderAction, Mismatch } from './header_action'
import { Denial, PolicySet, Stage } from './policy_set'

/** Answers requests as long as there is no configuration. */
const NOT_CONFIGURED = new Denial()

export class AuthorizationRoot extends RootContext {
  /** Null until a configuration was accepted; then no request passes. */
  policies: PolicySet | null = null
  providers: Providers = new Providers()
  /** Who is asked about requests that CUSTOM rules match; null where there is no such service, or not only one. */
  provider: Provider | null = null
  log: DecisionLog = new DecisionLog()
  private requests: Counter = new Counter('authorization_requests_total', ['verdict', 'policy', 'dry_run'])
  /** Of requests that no rule decided, by verdict and dry run. */
  private undecided: StaticArray<CounterSeries | null> = new StaticArray<CounterSeries | null>(6)

  onConfigure(configuration: Configuration): bool {
    const json = configuration.json()
    const policies = readPolicies(json)
    const providers = readProviders(json.get('providers'))
    if (!json.refuseUnknown()) return false
    const asked = policies.provider
    this.provider = asked && !policies.hasSeveralProviders ? providers.find(asked.view) : null
    providers.start(this, this.providers)
    this.providers = providers
    if (this.provider && this.provider!.changesResponses && !this.changesResponses)
      log.warn('headersToDownstreamOnAllow needs authorization-custom.wasm: this module adds no headers to responses')
    this.policies = policies
    return true
  }

  /** Whether headers that a provider wants in responses get there. */
  get changesResponses(): bool {
    return false
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
    const policies = this.plugin.policies
    if (!policies) return this.refuse(utf8('not configured'))
    policies.request.begin(this.requestHeaders)
    const asked = policies.first(Stage.Custom)
    return asked ? this.checkBy(policies, asked, endOfStream) : this.decide(policies)
  }

  /** The provider lets the request pass: the other policies see it as it is now. */
  onCheckAllowed(): bool {
    const policies = this.plugin.policies
    if (!policies) return this.refuse(utf8('not configured')) == Action.Continue
    policies.request.begin(this.requestHeaders)
    return this.decide(policies) == Action.Continue
  }

  onCheckRefused(status: u32, isError: bool): bool {
    const asked = this.asked
    const policies = this.plugin.policies
    if (!asked || !policies) return true
    policies.request.begin(this.requestHeaders)
    this.report(policies, asked.id.view, asked)
    return !policies.isAudit
  }

  /** CUSTOM: an external service decides. */
  private checkBy(policies: PolicySet, asked: Decision, endOfStream: bool): Action {
    const root = this.plugin
    const provider = root.provider
    if (provider) {
      this.asked = asked
      return this.askProvider(provider, root.providers, endOfStream)
    }
    const id = utf8('istio-ext-authz-').concat(asked.policy.provider).concat(utf8('-')).concat(asked.id)
    return this.deny(policies, id.concat(utf8('-deny-due-to-bad-CUSTOM-action')), asked)
  }

  /** DENY and ALLOW, and what AUDIT and dry run say beside them. */
  private decide(policies: PolicySet): Action {
    const root = this.plugin
    // First, so that what the others have to read of the peer plays no part.
    const isAllowed = policies.allows()
    if (policies.first(Stage.Audit)) filterState.set('authorization.audit', 'true')
    this.tryOut(policies)
    const id = policies.decisionId
    if (!isAllowed) return this.deny(policies, id, policies.decision)
    root.count(Verdict.Allowed, policies.decision, false)
    if (policies.recordsAllowed) this.record(Verdict.Allowed, id)
    if (policies.hasActions) this.runActions(policies)
    return Action.Continue
  }

  /** Says what policies that are only tried out would do. */
  private tryOut(policies: PolicySet): void {
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
  private runActions(policies: PolicySet): void {
    const acting = policies.acting()
    for (let i = 0; i < acting.length; i++) {
      const actions = acting[i].actions!
      for (let n = 0; n < actions.length; n++) this.run(actions[n], acting[i], policies)
    }
  }

  private run(action: HeaderAction, decision: Decision, policies: PolicySet): void {
    const isAsWanted = action.run(this.requestHeaders)
    if (isAsWanted || action.onMismatch != Mismatch.Log) return
    this.plugin.log.mismatched(action.header.view, decision.id.view, policies.request)
  }

  private deny(policies: PolicySet, id: ByteString, decision: Decision | null): Action {
    this.report(policies, id, decision)
    return policies.isAudit ? Action.Continue : this.refuse(id)
  }

  /** Tells metrics, access logs and the log of a request that is refused, or in audit mode would be. */
  private report(policies: PolicySet, id: ByteString, decision: Decision | null): void {
    const root = this.plugin
    const verdict = policies.isAudit ? Verdict.Audited : Verdict.Denied
    root.count(verdict, decision, false)
    this.record(verdict, id)
    root.log.refused(nameOf(verdict), id, policies.request)
  }

  /** Tells access logs who decided. */
  private record(verdict: Verdict, id: ByteString): void {
    filterState.set('authorization.policy', id)
    filterState.set('authorization.verdict', nameOf(verdict))
  }

  private refuse(id: ByteString): Action {
    const details = utf8('rbac_access_denied_matched_policy[').concat(id).concat(utf8(']'))
    const policies = this.plugin.policies
    const denial = policies ? policies.denial : NOT_CONFIGURED
    this.sendLocalResponse(denial.status, denial.body, null, GrpcStatus.PermissionDenied, details)
    return Action.Pause
  }
}

function idOf(decision: Decision | null): ByteString {
  return decision ? decision.id.view : utf8('none')
}
