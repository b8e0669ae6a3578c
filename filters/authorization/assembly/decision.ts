import { Bytes, ByteString, Counter, CounterSeries, utf8 } from '@meshscript/sdk'
import { IndexedRule } from '../../common/assembly/rules/rule_index'
import { HeaderAction } from './header_action'

/** What becomes of a request. */
export enum Verdict {
  Allowed,
  Denied,
  /** Would be denied, but mode `audit` lets it pass. */
  Audited,
}

/** The verdict in metrics and filter state. */
export function nameOf(verdict: Verdict): ByteString {
  if (verdict == Verdict.Allowed) return utf8('allowed')
  return verdict == Verdict.Denied ? utf8('denied') : utf8('audited')
}

/** A policy, as far as decisions name it. */
@final
export class Policy {
  private series: StaticArray<CounterSeries | null> = new StaticArray<CounterSeries | null>(3)

  constructor(
    readonly name: Bytes,
    /** Of CUSTOM; else empty. */
    readonly provider: Bytes,
  ) {}

  /** Counts a request that one of its rules has decided. The names of the series are put together once. */
  count(requests: Counter, verdict: Verdict, isDryRun: bool): void {
    let series = unchecked(this.series[verdict])
    if (!series) {
      const name = nameOf(verdict)
      series = requests.with3(name, this.name, isDryRun ? utf8('true') : utf8('false'))
      unchecked((this.series[verdict] = series))
    }
    series.increment()
  }
}

/** A rule that decides. */
@final
export class Decision extends IndexedRule {
  constructor(
    readonly policy: Policy,
    /** `ns[NAMESPACE]-policy[NAME]-rule[INDEX]` */
    id: Bytes,
    readonly isDeny: bool,
    /** What is done to headers when an ALLOW rule matches. */
    readonly actions: HeaderAction[] | null,
  ) {
    super(isDeny ? 0 : 1, id)
  }
}
