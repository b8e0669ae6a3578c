import { Bytes, ByteString, Counter, CounterSeries, JsonValue, utf8 } from '@meshscript/sdk'
import { CurrentRequest } from '../../common/assembly/request/request'
import { IndexedRule } from '../../common/assembly/rules/rule_index'
import { sipHash } from '../../common/assembly/siphash'
import { Descriptor, readDescriptor } from './descriptor'
import { LimitOverride } from './global/override'
import { GlobalService } from './global/service'
import { Limiter } from './limiter'
import { Outcome, Store } from './store'

/** What became of a request that a rule was for. */
export enum Verdict {
  /** Refused: there was not enough left. */
  Limited,
  /** It would have been refused. */
  Audited,
  /** It could not be said: the global service gave no answer. */
  Failed,
}

export function nameOf(verdict: Verdict): ByteString {
  if (verdict == Verdict.Failed) return utf8('failed')
  return verdict == Verdict.Limited ? utf8('limited') : utf8('audited')
}

/** Which requests are counted together, and how many of them may pass. */
@final
export class Rule extends IndexedRule {
  /** What its limit lets pass, and in how many nanoseconds; of a global rule, as the service said last. */
  requests: f64 = 0
  per: f64 = 0
  /** Of the rules of a group only the first that matches counts. 0: of none. */
  group: i32 = 0
  /** The last request that it was for. */
  seen: u32 = 0
  private series: StaticArray<CounterSeries | null> = new StaticArray<CounterSeries | null>(2)

  constructor(
    /** Its place in the configuration. */
    place: i32,
    readonly name: Bytes,
    readonly descriptors: Descriptor[],
    /** Null for a global rule. */
    readonly limiter: Limiter | null,
    /** Null for a global rule. */
    readonly store: Store | null,
    readonly cost: f64,
    /** The key where there are no descriptors, and what others are made from: it is the same only for the same name and limit. */
    private tag: u64,
    private seed: u64,
    /** The limit that a global rule brings along; null where the service has it. */
    private limit: LimitOverride | null,
  ) {
    super(place, name)
    if (limiter) {
      this.requests = limiter.requests
      this.per = limiter.per
    }
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

  /** Of a global rule: has the service asked about the request. */
  addTo(service: GlobalService, request: CurrentRequest): void {
    const descriptors = this.descriptors
    service.beginDescriptor(this.rank, <u32>this.cost, this.limit)
    for (let i = 0; i < descriptors.length; i++) {
      const descriptor = unchecked(descriptors[i])
      const value = descriptor.value(request)
      // As with local rules, those without the value share a counter: to leave it out is no way past the limit.
      service.addEntry(descriptor.key.view, value ? value : ByteString.empty)
    }
    service.endDescriptor()
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

/** Counts a request under a name that is no rule's. Not for the hot path. */
export function countUnder(name: string, counter: Counter, verdict: Verdict): void {
  counter.with2(nameOf(verdict), utf8(name)).increment()
}

export function readDescriptors(json: JsonValue): Descriptor[] {
  const descriptors: Descriptor[] = []
  const entries = json.optionalArray()
  for (let i = 0; i < entries.length; i++) descriptors.push(readDescriptor(entries[i]))
  return descriptors
}
