// envoy.service.ratelimit.v3.RateLimitRequest:
//
//   domain 1, descriptors 2… { entries 1… { key 1, value 2 }, limit 2 { requests_per_unit 1, unit 2 }, hits_addend 3 { value 1 } }

import { Bytes, ByteString, currentTimeMillis, grpcCall, GrpcResponse, JsonValue, log } from '@meshscript/sdk'
import { readDuration } from '../../../common/assembly/duration'
import { grpcService, wholeMessage } from '../../../common/assembly/grpc'
import { validUtf8 } from '../../../common/assembly/protobuf'
import { hostRandom } from '../../../common/assembly/random'
import { sipHash } from '../../../common/assembly/siphash'
import { GlobalAnswer } from './answer'
import { GlobalContext } from './context'
import { fieldSize, MessageWriter } from './message_writer'
import { LimitOverride } from './override'
import { Question } from './question'
import { Refusals } from './refusals'

/** Milliseconds between lines about a service that does not answer. */
const LOG_INTERVAL: u64 = 10_000

/** The service that counts for all proxies: `RateLimitService/ShouldRateLimit`, asked once for all descriptors of a request. */
@final
export class GlobalService {
  /** Whether requests go on where there is no answer. */
  readonly failsOpen: bool
  /** How they are refused else. */
  readonly statusOnError: u32
  /** Descriptors of the request that are written so far. */
  count: i32 = 0
  private cluster: Bytes
  private target: Bytes
  private timeout: u32
  private start: MessageWriter = new MessageWriter()
  private message: MessageWriter = new MessageWriter()
  private descriptor: MessageWriter = new MessageWriter()
  private part: MessageWriter = new MessageWriter()
  private limit: LimitOverride | null = null
  private cost: u32 = 1
  private hashes: StaticArray<u64> = new StaticArray<u64>(8)
  private rules: StaticArray<i32> = new StaticArray<i32>(8)
  private refusals: Refusals
  private k0: u64 = hostRandom()
  private k1: u64 = hostRandom()
  private loggedAt: u64 = 0
  private failures: u64 = 0

  /** Reads `global`. */
  constructor(json: JsonValue) {
    const cluster = json.get('cluster').bytes()
    this.cluster = cluster
    this.target = grpcService(cluster.view, json.get('authority').byteString('')).persist()
    this.refusals = new Refusals(json.get('cache'))
    this.failsOpen = json.get('failureMode').oneOf(['closed', 'open'], 0) == 1
    this.statusOnError = <u32>json.get('statusOnError').integer(500, 400, 599)
    const timeout = json.get('timeout')
    const milliseconds = readDuration(timeout, 100)
    this.timeout = <u32>milliseconds
    const domain = json.get('domain').byteString()
    this.start.bytes(1, domain)
    if (!cluster.length) json.get('cluster').fail('expected the name of a cluster')
    if (domain.isEmpty) json.get('domain').fail('expected the domain of the limits, as the service is configured')
    if (milliseconds < 1 || milliseconds > 3_600_000) timeout.fail('expected a duration from 1ms to 1h')
  }

  /** Begins the question of a request. */
  begin(): void {
    this.count = 0
    this.message.clear()
    this.message.append(this.start.view)
  }

  /** Begins a descriptor. `rule`: the number by which an answer tells it. */
  beginDescriptor(rule: i32, cost: u32, limit: LimitOverride | null): void {
    if (this.count == this.rules.length) this.grow()
    this.rules[this.count] = rule
    this.cost = cost
    this.limit = limit
    this.descriptor.clear()
  }

  /** Adds an entry of the descriptor. */
  addEntry(key: ByteString, value: ByteString): void {
    // Services refuse a message that is not all text, and a request with such a header would pass where failures do.
    const k = validUtf8(key)
    const v = validUtf8(value)
    this.descriptor.begin(1, fieldSize(k.length) + fieldSize(v.length))
    this.descriptor.bytes(1, k)
    this.descriptor.bytes(2, v)
  }

  /** Ends the descriptor. */
  endDescriptor(): void {
    const part = this.part
    const limit = this.limit
    if (limit) {
      part.clear()
      part.integer(1, limit.requests)
      part.integer(2, limit.unit)
      this.descriptor.bytes(2, part.view)
    }
    if (this.cost != 1) {
      part.clear()
      part.integer(1, this.cost)
      this.descriptor.bytes(3, part.view)
    }
    const descriptor = this.descriptor.view
    this.hashes[this.count++] = sipHash(descriptor, this.k0, this.k1)
    this.message.bytes(2, descriptor)
  }

  /** What is known of the request without asking; null where that is nothing. */
  known(): GlobalAnswer | null {
    const refusals = this.refusals
    if (refusals.isEmpty) return null
    const now = <f64>currentTimeMillis()
    for (let i = 0; i < this.count; i++) {
      if (refusals.find(this.hashes[i], now)) return GlobalAnswer.cached(this.rules[i], refusals, now)
    }
    return null
  }

  /** Asks for the current request; null where the call can't be sent. */
  ask(context: GlobalContext): Question | null {
    const isSent = grpcCall(
      context,
      this.target,
      'envoy.service.ratelimit.v3.RateLimitService/ShouldRateLimit',
      this.message.view,
      this.timeout,
      (self: GlobalContext, response: GrpcResponse): void => self.onAnswer(response),
    )
    return isSent ? new Question(this.hashes, this.rules, this.count, this.refusals) : null
  }

  /** What a call has brought. */
  read(question: Question, response: GrpcResponse): GlobalAnswer {
    const message = wholeMessage(response)
    const answer = message ? GlobalAnswer.read(message, question) : GlobalAnswer.error()
    if (!answer.isError) return answer
    if (message) this.report('an answer that can not be read')
    else this.report(`gRPC status ${response.status} ${response.statusMessage.toString()}`)
    return answer
  }

  /** Tells of a failure, or counts it where one was told of just before. */
  report(reason: string): void {
    this.failures++
    const now = currentTimeMillis()
    if (this.loggedAt && now - this.loggedAt < LOG_INTERVAL) return
    const consequence = this.failsOpen ? 'let pass' : 'refused'
    log.warn(
      `rate limit service ${this.cluster.toString()} failed (${reason}): ${this.failures} requests ${consequence}`,
    )
    this.loggedAt = now
    this.failures = 0
  }

  private grow(): void {
    const hashes = new StaticArray<u64>(this.count * 2)
    const rules = new StaticArray<i32>(this.count * 2)
    for (let i = 0; i < this.count; i++) {
      hashes[i] = this.hashes[i]
      rules[i] = this.rules[i]
    }
    this.hashes = hashes
    this.rules = rules
  }
}
