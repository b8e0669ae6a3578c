import { Bytes, ByteString, JsonValue, property, sharedData, utf8 } from '@meshscript/sdk'
import { decimal } from '../../common/assembly/decimal'
import { hostRandom } from '../../common/assembly/random'
import { CurrentRequest, currentRequest } from '../../common/assembly/request/request'
import { MatchReader } from '../../common/assembly/routes/match'
import { RuleIndex } from '../../common/assembly/rules/rule_index'
import { sipHash } from '../../common/assembly/siphash'
import { Descriptor } from './descriptor'
import { readOverride } from './global/override'
import { GlobalService } from './global/service'
import { HeaderStyle, QuotaHeaders } from './headers'
import { Limiter, readLimiter } from './limiter'
import { readDescriptors, Rule } from './rule'
import { ProxyStore, Store, WorkerStore } from './store'

enum Scope {
  Worker,
  Proxy,
  Global,
}

/** How many keys a rule's counters have room for, unless the configuration says otherwise. */
const MAX_KEYS: i64 = 16_384
/** Bytes that the counters of a rule may take in each worker. */
const MAX_MEMORY: u64 = 256 << 20
/** As Envoy's local rate limit. */
const BODY = 'local_rate_limited'
const ABSENT: u32 = 0xffffffff

/** A configuration, read. */
@final
export class RateLimits {
  readonly request: CurrentRequest = currentRequest()
  readonly isAudit: bool
  readonly status: u32
  readonly body: Bytes
  /** Of what the global service refuses; Envoy's own filter has none. */
  readonly globalBody: Bytes
  /** Null where no rule is global. */
  service: GlobalService | null = null
  readonly headers: QuotaHeaders
  /** Whether there is anything to look at in a request. */
  needsRequest: bool = false
  /** Rules for all requests. */
  private always: Rule[] = []
  private all: Rule[] = []
  private index: RuleIndex<Rule> | null = null
  private found: Rule[] = []
  private groups: Bytes[] = []
  /** The last request that a rule of each group was for. */
  private groupSeen: StaticArray<u32> = new StaticArray<u32>(1)
  private requests: u32 = 0

  constructor(json: JsonValue) {
    json.get('$schema').string('')
    const version = json.get('version')
    if (version.integer() != 1) version.fail('expected 1, the version of this format')
    this.isAudit = json.get('mode').oneOf(['enforce', 'audit'], 0) == 1
    this.status = <u32>json.get('status').integer(429, 400, 599)
    this.body = json.get('body').bytes(BODY)
    this.globalBody = json.get('body').bytes('')
    this.headers = new QuotaHeaders(<HeaderStyle>json.get('headers').oneOf(['none', 'draft-03', 'rfc'], 0))
    const maxKeys = <u32>json.get('maxKeys').integer(MAX_KEYS, 1, 10_000_000)
    const service = json.get('global')
    if (service.exists) this.service = new GlobalService(service)
    this.readRules(json.get('rules').array(), maxKeys)
  }

  /** The rule at this place of the configuration; null where there is none. */
  at(place: i32): Rule | null {
    return <u32>place < <u32>this.all.length ? this.all[place] : null
  }

  private readRules(rules: JsonValue, maxKeys: u32): void {
    const index = new RuleIndex<Rule>()
    const matches = new MatchReader<Rule>(this.request, index)
    const reader = new RuleReader(maxKeys)
    for (let i = 0; i < rules.length; i++) {
      const json = rules[i]
      const rule = reader.read(json, i)
      this.all.push(rule)
      if (rule.isGlobal && !this.service)
        json.get('scope').fail('expected a service at "global", which counts for this rule')
      const group = json.get('group')
      const match = json.get('match')
      if (group.exists) {
        rule.group = this.groupOf(group.bytes())
        if (this.isClosed(rule.group))
          group.fail('the rule never counts: one of its group before it is for all requests')
      }
      if (match.exists) matches.add(match, rule)
      else this.always.push(rule)
      if (rule.descriptors.length) this.needsRequest = true
    }
    this.groupSeen = new StaticArray<u32>(this.groups.length + 1)
    // Of what is wrong there may be too little to make an index of.
    if (!index.size || rules.hasError) return
    index.compile()
    this.index = index
    this.needsRequest = true
  }

  private groupOf(name: Bytes): i32 {
    const groups = this.groups
    for (let i = 0; i < groups.length; i++) if (groups[i].view.equals(name)) return i + 1
    return groups.push(name)
  }

  private isClosed(group: i32): bool {
    for (let i = 0; i < this.always.length; i++) if (this.always[i].group == group) return true
    return false
  }

  /** The rules that the request matches, each once, in the order of the configuration. Valid until the next request. */
  matching(): Rule[] {
    const index = this.index
    if (!index) return this.always
    const found = this.found
    found.length = 0
    index.all(found)
    const number = ++this.requests
    let count = 0
    for (let i = 0; i < found.length; i++) {
      const rule = unchecked(found[i])
      if (rule.seen == number) continue
      rule.seen = number
      count = insert(found, rule, count)
    }
    found.length = count
    for (let i = 0; i < this.always.length; i++) {
      const rule = unchecked(this.always[i])
      found.push(rule)
      count = insert(found, rule, count)
    }
    if (this.groups.length) this.keepFirstOfGroups(found, number)
    return found
  }

  private keepFirstOfGroups(rules: Rule[], number: u32): void {
    const seen = this.groupSeen
    let count = 0
    for (let i = 0; i < rules.length; i++) {
      const rule = unchecked(rules[i])
      if (rule.group) {
        if (unchecked(seen[rule.group]) == number) continue
        unchecked((seen[rule.group] = number))
      }
      unchecked((rules[count++] = rule))
    }
    rules.length = count
  }
}

/** Puts a rule among the first `count`, which are in order, none of them behind the place that it was read from. */
function insert(rules: Rule[], rule: Rule, count: i32): i32 {
  let at = count
  for (; at > 0 && unchecked(rules[at - 1]).rank > rule.rank; at--) unchecked((rules[at] = rules[at - 1]))
  unchecked((rules[at] = rule))
  return count + 1
}

/** Reads rules. */
class RuleReader {
  /** Of this plugin, in shared data: several may share that. */
  private prefix: Bytes
  private ownSeed: u64 = hostRandom()
  private sharedSeed: u64 = 0

  constructor(private maxKeys: u32) {
    const name = property.get(utf8('plugin_name'))
    const root = property.get(utf8('plugin_root_id'))
    this.prefix = utf8('meshscript.ratelimit\0')
      .concat(name ? name : ByteString.empty)
      .concat(utf8('\0'))
      .concat(root ? root : ByteString.empty)
      .concat(utf8('\0'))
      .persist()
  }

  read(json: JsonValue, place: i32): Rule {
    const name = json.get('name').bytes(utf8('rules[').concat(decimal(place)).concat(utf8(']')))
    if (!name.length) json.get('name').fail('expected a name')
    const descriptors = readDescriptors(json.get('descriptors'))
    const scope: Scope = json.get('scope').oneOf(['worker', 'proxy', 'global'], Scope.Proxy)
    if (scope == Scope.Global) return readGlobal(json, place, name, descriptors)
    const limiter = readLimiter(json.get('limit'))
    const costJson = json.get('cost')
    const cost = <f64>costJson.integer(1, 1, 4_000_000_000)
    if (cost > limiter.capacity)
      costJson.fail('expected no more than the limit lets pass at once: else nothing ever passes')
    const isSingle = !descriptors.length
    const seed = scope == Scope.Proxy ? this.commonSeed() : this.ownSeed
    let where: Store
    if (scope == Scope.Worker) {
      const bytes = <u64>this.maxKeys * (8 + limiter.stateSize)
      if (!isSingle && bytes > MAX_MEMORY) json.fail('its counters take more than 256 MB: make "maxKeys" less')
      where = new WorkerStore(limiter, json.hasError ? 1 : this.maxKeys, isSingle)
    } else {
      const prefix = this.prefix.view.concat(decimal(place)).concat(utf8('\0'))
      where = new ProxyStore(limiter, prefix, this.maxKeys, isSingle)
    }
    return new Rule(place, name, descriptors, limiter, where, cost, tagOf(name, limiter), seed, null)
  }

  /** What all workers hash with: the first of them has drawn it. */
  private commonSeed(): u64 {
    if (this.sharedSeed) return this.sharedSeed
    const name = this.prefix.view.concat(utf8('seed'))
    const drawn = new StaticArray<u64>(1)
    drawn[0] = this.ownSeed
    sharedData.compareAndSwap(name, ByteString.at(changetype<usize>(drawn), 8), ABSENT)
    const found = sharedData.get(name)
    this.sharedSeed = found && found.value.length == 8 ? load<u64>(found.value.ptr) : this.ownSeed
    return this.sharedSeed
  }
}

/** A rule that the global service counts. */
function readGlobal(json: JsonValue, place: i32, name: Bytes, descriptors: Descriptor[]): Rule {
  const cost = <f64>json.get('cost').integer(1, 1, 4_000_000_000)
  if (!descriptors.length)
    json
      .get('descriptors')
      .fail('expected what the service tells requests apart by; {"constant": …} for one counter for all')
  return new Rule(place, name, descriptors, null, null, cost, 0, 0, readOverride(json.get('limit')))
}

/** The same for the same name and limit: counters of another limit are not gone on with. */
function tagOf(name: Bytes, limiter: Limiter): u64 {
  const limit = reinterpret<u64>(limiter.per) ^ (reinterpret<u64>(limiter.capacity) >> 1)
  const tag = sipHash(name.view, reinterpret<u64>(limiter.requests), limit)
  return tag ? tag : 1
}
