import { Bytes, ByteString, Counter, CounterSeries, JsonValue, utf8 } from '@meshscript/sdk'
import { CurrentRequest } from '../../common/assembly/request/request'
import { IndexedRule } from '../../common/assembly/rules/rule_index'
import { sipHash } from '../../common/assembly/siphash'
import { Descriptor, readDescriptor } from './descriptor'
import { Limiter } from './limiter'
import { Outcome, Store } from './store'

/** What became of a request that a rule was for. */
export enum Verdict {
  /** Refused: there was not enough left. */
  Limited,
  /** It would have been refused. */
  Audited,
}

export function nameOf(verdict: Verdict): ByteString {
  return verdict == Verdict.Limited ? utf8('limited') : utf8('audited')
}

/** Which requests are counted together, and how many of them may pass. */
@final
export class Rule extends IndexedRule {
  /** The last request that it was for. */
  seen: u32 = 0
  private series: StaticArray<CounterSeries | null> = new StaticArray<CounterSeries | null>(2)

  constructor(
    /** Its place in the configuration. */
    place: i32,
    readonly name: Bytes,
    readonly descriptors: Descriptor[],
    /** Null for a limit that only the global service knows. */
    readonly limiter: Limiter | null,
    /** Null for a global rule. */
    readonly store: Store | null,
    readonly cost: f64,
    /** The key where there are no descriptors, and what others are made from: it is the same only for the same name and limit. */
    private tag: u64,
    private seed: u64,
  ) {
    super(place, name)
  }

  get isGlobal(): bool {
    return this.store === null
  }

  /** The counter that the request counts in. */
  keyOf(request: CurrentRequest): u64 {
    const descriptors = this.descriptors
    let key = this.tag
    for (let i = 0; i < descriptors.length; i++) {
      const value = unchecked(descriptors[i]).value(request)
      // Requests without the value share a counter of their own: to leave it out is no way past the limit.
      key = value ? sipHash(value, this.seed, key) : ~key
    }
    return key ? key : 1
  }

  take(key: u64, now: u64): Outcome {
    return this.store!.take(this.limiter!, key, now, this.cost)
  }

  giveBack(key: u64, now: u64): void {
    this.store!.giveBack(this.limiter!, key, now, this.cost)
  }

  count(counter: Counter, verdict: Verdict): void {
    let series = unchecked(this.series[verdict])
    if (!series) {
      series = counter.with2(nameOf(verdict), this.name)
      unchecked((this.series[verdict] = series))
    }
    series.increment()
  }
}

export function readDescriptors(json: JsonValue): Descriptor[] {
  const descriptors: Descriptor[] = []
  const entries = json.optionalArray()
  for (let i = 0; i < entries.length; i++) descriptors.push(readDescriptor(entries[i]))
  return descriptors
}
