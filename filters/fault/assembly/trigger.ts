import { Bytes, ByteString, HeaderMap, JsonValue } from '@meshscript/sdk'
import { parseDuration } from '../../common/assembly/duration'
import { CurrentRequest } from '../../common/assembly/request/request'
import { MatchReader } from '../../common/assembly/routes/match'
import { IndexedRule, RuleIndex } from '../../common/assembly/rules/rule_index'
import { Abort } from './abort'
import { readWait } from './delay'
import { headerName, isOver, readEnd, Tally } from './fault'

/** Milliseconds. */
const MAX_DELAY: f64 = 10_000

@final
class AllowRule extends IndexedRule {}

/** Faults that requests ask for themselves, by headers, where they may. */
@final
export class Trigger {
  readonly tally: Tally = new Tally(Bytes.from('headers'))
  /** What the request that was read last asks for: milliseconds, 0 for no delay. */
  delay: f64 = 0
  abort: Abort | null = null
  private delayHeader: Bytes | null = null
  private abortHeader: Bytes | null = null
  private allowed: RuleIndex<AllowRule> = new RuleIndex<AllowRule>()
  private maxDelay: f64 = MAX_DELAY
  private end: i64 = i64.MAX_VALUE

  constructor(
    json: JsonValue,
    private request: CurrentRequest,
  ) {
    const delay = json.get('delay')
    const abort = json.get('abort')
    if (!delay.exists && !abort.exists) {
      json.object()
      json.fail('expected at least one of "delay" and "abort"')
    }
    if (delay.exists) this.delayHeader = headerName(delay)
    if (abort.exists) this.abortHeader = headerName(abort)
    const allow = json.get('allow')
    allow.array()
    new MatchReader<AllowRule>(request, this.allowed).add(allow, new AllowRule(0, Bytes.from('')))
    // An index of what could not be read can't be made.
    if (!json.hasError) this.allowed.compile()
    this.maxDelay = readWait(json.get('maxDelay'), MAX_DELAY)
    this.end = readEnd(json.get('until'))
  }

  /** Reads what the current request asks for, and takes it from `headers`: another proxy, which trusts this one, shall not obey it. */
  take(headers: HeaderMap, isEnabled: bool): void {
    this.delay = 0
    this.abort = null
    const delay = this.valueOf(this.delayHeader)
    const abort = this.valueOf(this.abortHeader)
    if (!delay && !abort) return
    if (isEnabled && !isOver(this.end) && this.allowed.first()) {
      if (delay) this.delay = min<f64>(max<f64>(0, milliseconds(delay)), this.maxDelay)
      if (abort) this.abort = Abort.parse(abort)
    }
    if (delay) headers.remove(this.delayHeader!)
    if (abort) headers.remove(this.abortHeader!)
  }

  private valueOf(name: Bytes | null): ByteString | null {
    return name ? this.request.headers.get(name) : null
  }
}

/** A duration, or a number of milliseconds as in Envoy's headers; negative where the text is neither. */
function milliseconds(text: ByteString): f64 {
  const duration = parseDuration(text)
  return duration >= 0 ? duration : <f64>text.parseInt(-1)
}
