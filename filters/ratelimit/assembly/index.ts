import {
  Action,
  Bytes,
  Configuration,
  Counter,
  currentTime,
  filterState,
  GrpcStatus,
  HttpContext,
  JsonValue,
  log,
  RootContext,
  utf8,
} from '@meshscript/sdk'
import { DecisionLog } from '../../common/assembly/decision_log'
import { RateLimits } from './configuration'
import { nameOf, Rule, Verdict } from './rule'
import { Outcome } from './store'

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
export class RateLimitContext extends HttpContext {
  /** The rule that leaves the request the least, where clients are told. */
  private shown: Rule | null = null
  private left: f64 = 0
  private wait: f64 = 0

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
    const now = currentTime()
    const isShown = limits.headers.isShown && plugin.changesResponses
    let keys = plugin.keys
    if (keys.length < rules.length) plugin.keys = keys = new StaticArray<u64>(rules.length)
    for (let i = 0; i < rules.length; i++) {
      const rule = unchecked(rules[i])
      const key = rule.keyOf(limits.request)
      unchecked((keys[i] = key))
      const outcome = rule.take(key, now)
      if (isShown) this.note(rule)
      if (outcome == Outcome.Taken) continue
      this.report(plugin, limits, rule)
      if (limits.isAudit) {
        // Nothing was taken, so that there is nothing to be given back should a later rule refuse.
        unchecked((keys[i] = 0))
        continue
      }
      // What a request that does not pass has cost elsewhere it gets back.
      for (let n = 0; n < i; n++) unchecked(rules[n]).giveBack(unchecked(keys[n]), now)
      return this.refuse(limits, rule)
    }
    return Action.Continue
  }

  /** Keeps what clients are told, if it is less than that of the rules before. */
  private note(rule: Rule): void {
    const limiter = rule.limiter!
    if (this.shown && limiter.left >= this.left) return
    this.shown = rule
    this.left = limiter.left
    this.wait = limiter.wait
  }

  private report(plugin: RateLimitRoot, limits: RateLimits, rule: Rule): void {
    const verdict = limits.isAudit ? Verdict.Audited : Verdict.Limited
    rule.count(plugin.requests, verdict)
    filterState.set('ratelimit.rule', rule.name)
    filterState.set('ratelimit.verdict', nameOf(verdict))
    limits.request.begin(this.requestHeaders)
    plugin.decisions.refused(nameOf(verdict), rule.name.view, limits.request)
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

  /** Adds the quota to the response: `ratelimit-headers.wasm` does. */
  protected tellQuota(): void {
    const rule = this.shown
    const limits = this.plugin.limits
    if (rule && limits) limits.headers.addTo(this.responseHeaders, rule, this.left, this.wait)
  }
}
