import {
  Action,
  Bytes,
  Configuration,
  Counter,
  filterState,
  GrpcStatus,
  Headers,
  JsonValue,
  log,
  RootContext,
  utf8,
} from '@meshscript/sdk'
import { monotonicNanoseconds } from '../../common/assembly/clock'
import { DecisionLog } from '../../common/assembly/decision_log'
import { Asked } from './asked'
import { RateLimits } from './configuration'
import { GlobalAnswer } from './global/answer'
import { GlobalContext } from './global/context'
import { GlobalService } from './global/service'
import { countUnder, nameOf, Rule, Verdict } from './rule'
import { Outcome } from './store'

/** Nanoseconds. */
const MILLISECOND: f64 = 1_000_000
/** In the place of a rule's name where the global service has not said which. */
const GLOBAL = 'global'

export class RateLimitRoot extends RootContext {
  /** Null until a configuration was accepted; then no request passes. */
  limits: RateLimits | null = null
  readonly requests: Counter = new Counter('ratelimit_requests_total', ['verdict', 'rule'])
  readonly decisions: DecisionLog = new DecisionLog(Bytes.from('rule'))
  /** Keys of the rules that have counted the current request. */
  keys: StaticArray<u64> = new StaticArray<u64>(8)

  /** Whether all responses tell the quota, or only refusals. */
  get changesResponses(): bool {
    return false
  }

  onConfigure(configuration: Configuration): bool {
    return this.configure(configuration.json())
  }

  /** Reads a configuration: a document, or a part of one. */
  configure(json: JsonValue): bool {
    const limits = new RateLimits(json)
    if (!json.refuseUnknown()) return false
    if (limits.headers.isShown && !this.changesResponses)
      log.info('quotas are told with refusals: ratelimit-headers.wasm adds them to all responses')
    this.limits = limits
    return true
  }
}

/** Lets a request pass if all rules that are for it have enough left. */
export class RateLimitContext extends GlobalContext {
  /** The rule that leaves the request the least, where clients are told. */
  private shown: Rule | null = null
  private left: f64 = 0
  private wait: f64 = 0
  /** Null where the global service is not asked. */
  private asked: Asked | null = null

  private get plugin(): RateLimitRoot {
    return changetype<RateLimitRoot>(this.rootContext)
  }

  onRequestHeaders(endOfStream: bool): Action {
    const plugin = this.plugin
    const limits = plugin.limits
    if (!limits) {
      this.sendLocalResponse(
        503,
        utf8('not configured'),
        null,
        GrpcStatus.Unavailable,
        utf8('ratelimit_not_configured'),
      )
      return Action.Pause
    }
    if (limits.needsRequest) limits.request.begin(this.requestHeaders)
    const rules = limits.matching()
    return rules.length ? this.ask(plugin, limits, rules) : Action.Continue
  }

  private ask(plugin: RateLimitRoot, limits: RateLimits, rules: Rule[]): Action {
    const now = monotonicNanoseconds()
    const isShown = limits.headers.isShown && plugin.changesResponses
    const service = limits.service
    if (service) service.begin()
    let keys = plugin.keys
    if (keys.length < rules.length) plugin.keys = keys = new StaticArray<u64>(rules.length)
    for (let i = 0; i < rules.length; i++) {
      const rule = unchecked(rules[i])
      if (rule.isGlobal) {
        rule.addTo(service!, limits.request)
        unchecked((keys[i] = 0))
        continue
      }
      const key = rule.keyOf(limits.request)
      unchecked((keys[i] = key))
      const outcome = rule.take(key, now)
      if (isShown) this.note(rule, rule.limiter!.left, rule.limiter!.wait)
      if (outcome == Outcome.Taken) continue
      this.report(plugin, limits, rule)
      if (limits.isAudit) {
        // Nothing was taken, so that there is nothing to be given back should a later rule refuse.
        unchecked((keys[i] = 0))
        continue
      }
      // What a request that does not pass has cost elsewhere it gets back.
      for (let n = 0; n < i; n++) if (unchecked(keys[n])) unchecked(rules[n]).giveBack(unchecked(keys[n]), now)
      return this.refuse(limits, rule)
    }
    if (!service || !service.count) return Action.Continue
    const asked = new Asked(limits, now)
    asked.keep(rules, keys, rules.length)
    this.asked = asked
    return this.askGlobal(service)
  }

  onGlobalAnswer(answer: GlobalAnswer, service: GlobalService): bool {
    const asked = this.asked!
    const limits = asked.limits
    if (answer.isError) return this.onNoAnswer(asked, service)
    const rule = limits.at(answer.rule)
    if (rule && answer.limit >= 0) {
      rule.requests = answer.limit
      rule.per = answer.per * MILLISECOND
      if (limits.headers.isShown) this.note(rule, answer.remaining, answer.reset * MILLISECOND)
    }
    if (answer.isOverLimit) {
      this.report(this.plugin, limits, rule)
      if (!limits.isAudit) return this.refuseGlobally(asked, answer, rule)
    }
    asked.added = answer.responseHeaders
    return true
  }

  private onNoAnswer(asked: Asked, service: GlobalService): bool {
    countUnder(GLOBAL, this.plugin.requests, Verdict.Failed)
    filterState.set('ratelimit.verdict', nameOf(Verdict.Failed))
    if (service.failsOpen || asked.limits.isAudit) return true
    asked.giveBack()
    this.shown = null
    this.sendLocalResponse(service.statusOnError, '', null, GrpcStatus.Unavailable, utf8('rate_limiter_error'))
    return false
  }

  private refuseGlobally(asked: Asked, answer: GlobalAnswer, rule: Rule | null): bool {
    asked.giveBack()
    const limits = asked.limits
    let headers: Headers | null = null
    if (rule && answer.limit >= 0) headers = limits.headers.ofRefusal(rule, 0, answer.reset * MILLISECOND)
    const added = answer.responseHeaders
    if (added) {
      if (!headers) headers = new Headers()
      added.addTo(headers)
    }
    const body = answer.body.isEmpty ? limits.globalBody.view : answer.body
    const name = rule ? rule.name.view : utf8(GLOBAL)
    const details = utf8('request_rate_limited[').concat(name).concat(utf8(']'))
    this.sendLocalResponse(limits.status, body, headers, GrpcStatus.ResourceExhausted, details)
    this.shown = null
    return false
  }

  /** Keeps what clients are told, if it is less than that of the rules before. */
  private note(rule: Rule, left: f64, wait: f64): void {
    if (this.shown && left >= this.left) return
    this.shown = rule
    this.left = left
    this.wait = wait
  }

  /** `rule`: null where the global service has not said which. */
  private report(plugin: RateLimitRoot, limits: RateLimits, rule: Rule | null): void {
    const verdict = limits.isAudit ? Verdict.Audited : Verdict.Limited
    if (rule) rule.count(plugin.requests, verdict)
    else countUnder(GLOBAL, plugin.requests, verdict)
    const name = rule ? rule.name.view : utf8(GLOBAL)
    filterState.set('ratelimit.rule', name)
    filterState.set('ratelimit.verdict', nameOf(verdict))
    limits.request.begin(this.requestHeaders)
    plugin.decisions.refused(nameOf(verdict), name, limits.request)
  }

  private refuse(limits: RateLimits, rule: Rule): Action {
    const limiter = rule.limiter!
    const headers = limits.headers.ofRefusal(rule, limiter.left, limiter.wait)
    const details = utf8('local_rate_limited[').concat(rule.name).concat(utf8(']'))
    this.sendLocalResponse(limits.status, limits.body, headers, GrpcStatus.ResourceExhausted, details)
    // The headers of an answer of our own are complete.
    this.shown = null
    return Action.Pause
  }

  /** Adds the quota to the response, and what the global service wants there: `ratelimit-headers.wasm` does. */
  protected tellQuota(): void {
    const rule = this.shown
    const limits = this.plugin.limits
    if (rule && limits) limits.headers.addTo(this.responseHeaders, rule, this.left, this.wait)
    const asked = this.asked
    const added = asked ? asked.added : null
    if (added) added.apply(this.responseHeaders)
  }
}
