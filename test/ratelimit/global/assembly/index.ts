import { Action, Bytes, Configuration, GrpcStatus, Headers, RootContext } from '@meshscript/sdk'
import { GlobalAnswer } from '../../../../filters/ratelimit/assembly/global/answer'
import { GlobalContext } from '../../../../filters/ratelimit/assembly/global/context'
import { LimitOverride, readOverride } from '../../../../filters/ratelimit/assembly/global/override'
import { GlobalService } from '../../../../filters/ratelimit/assembly/global/service'

class Rule {
  constructor(
    readonly key: Bytes,
    readonly header: Bytes,
    readonly cost: u32,
    readonly limit: LimitOverride | null,
  ) {}
}

/** Asks about each request, with a descriptor for each rule whose header it has; tells all that the answer says. */
export class AskRoot extends RootContext {
  service: GlobalService | null = null
  rules: Rule[] = []

  onConfigure(configuration: Configuration): bool {
    const json = configuration.json()
    this.service = new GlobalService(json.get('global'))
    const rules = json.get('rules').array()
    for (let i = 0; i < rules.length; i++) {
      const rule = rules[i]
      const cost = <u32>rule.get('cost').integer(1)
      this.rules.push(
        new Rule(rule.get('key').bytes(), rule.get('header').bytes(), cost, readOverride(rule.get('limit'))),
      )
    }
    return json.refuseUnknown()
  }
}

export class AskContext extends GlobalContext {
  onRequestHeaders(endOfStream: bool): Action {
    const root = changetype<AskRoot>(this.rootContext)
    const service = root.service!
    service.begin()
    for (let i = 0; i < root.rules.length; i++) {
      const rule = root.rules[i]
      const value = this.requestHeaders.get(rule.header)
      if (!value) continue
      service.beginDescriptor(i, rule.cost, rule.limit)
      service.addEntry(rule.key.view, value)
      service.endDescriptor()
    }
    return service.count ? this.askGlobal(service) : Action.Continue
  }

  onGlobalAnswer(answer: GlobalAnswer, service: GlobalService): bool {
    if (answer.isError && service.failsOpen) return true
    if (!answer.isError && !answer.isOverLimit) {
      this.requestHeaders.set('x-answer', told(answer))
      return true
    }
    const headers = new Headers().add('x-answer', told(answer))
    const added = answer.responseHeaders
    if (added) added.addTo(headers)
    const status = answer.isError ? service.statusOnError : 429
    this.sendLocalResponse(status, answer.body, headers, GrpcStatus.None)
    return false
  }
}

function told(answer: GlobalAnswer): string {
  if (answer.isError) return 'error'
  const numbers = `rule=${answer.rule} limit=${<i32>answer.limit} remaining=${<i32>answer.remaining} per=${<i32>answer.per} reset=${<i32>answer.reset}`
  return answer.isCached ? `cached ${numbers}` : numbers
}
