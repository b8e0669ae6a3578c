import { Action, ByteString, Configuration, Counter, filterState, JsonValue, RootContext } from '@meshscript/sdk'
import { decimal } from '../../common/assembly/decimal'
import { random } from '../../common/assembly/random'
import { CurrentRequest, currentRequest } from '../../common/assembly/request/request'
import { RouteTable } from '../../common/assembly/routes/route_table'
import { Abort } from './abort'
import { Delay } from './delay'
import { Fault, FaultReader, FaultRoute, Kind, Tally } from './fault'
import { TimerQueue, WaitingContext } from './timer_queue'
import { Trigger } from './trigger'

/** Bytes of a chunk among which those to be changed are chosen: all before the last of them is read and written. */
const CORRUPTED_PART: u32 = 65536

/** A configuration, read. */
@final
export class Faults {
  readonly request: CurrentRequest = currentRequest()
  readonly routes: RouteTable<FaultRoute> = new RouteTable<FaultRoute>()
  trigger: Trigger | null = null
  /** False: nothing is injected. */
  isEnabled: bool = true
  /** Whether there is nothing to do to any request. */
  isIdle: bool = false
  /** Whether some route has a fault. */
  hasFaults: bool = false

  /** `seesResponses`: whether faults of responses can be injected. */
  constructor(json: JsonValue, seesResponses: bool) {
    json.get('$schema').string('')
    const version = json.get('version')
    if (version.integer() != 1) version.fail('expected 1, the version of this format')
    this.isEnabled = json.get('enabled').bool(true)
    const headers = json.get('headers')
    if (headers.exists) this.trigger = new Trigger(headers, this.request)
    const reader = new FaultReader(seesResponses)
    this.routes.read(json.get('virtualHosts'), reader)
    this.hasFaults = this.isEnabled && reader.hasFaults
    this.isIdle = !this.hasFaults && !headers.exists
  }
}

export class FaultRoot extends RootContext {
  /** Null until a configuration was accepted; then all passes. */
  faults: Faults | null = null
  readonly requests: Counter = new Counter('fault_requests_total', ['fault', 'route'])
  private waiting: TimerQueue | null = null

  onConfigure(configuration: Configuration): bool {
    return this.configure(configuration.json())
  }

  /** Reads a configuration: a document, or a part of one. */
  configure(json: JsonValue): bool {
    const faults = new Faults(json, this.seesResponses)
    if (!json.refuseUnknown()) return false
    this.faults = faults
    return true
  }

  /** Whether the module has callbacks for responses, which cost every request. */
  get seesResponses(): bool {
    return false
  }

  /** The streams that wait. */
  get queue(): TimerQueue {
    let queue = this.waiting
    if (!queue) this.waiting = queue = new TimerQueue(this)
    return queue
  }

  onTick(): void {
    this.queue.onTick()
  }
}

/** Delays, aborts and damages, by what the configuration says of a request's route. */
export class FaultContext extends WaitingContext {
  /** How the request is answered once it has waited; null: it goes on. */
  private abort: Abort | null = null
  /** What is done to the response; null for nothing. */
  private fault: Fault | null = null
  /** Bytes of the response that are still to be changed. */
  private corruptible: u32 = 0
  private chunkDelay: Delay | null = null
  /** A chunk was held. */
  private isSlow: bool = false

  private get plugin(): FaultRoot {
    return changetype<FaultRoot>(this.rootContext)
  }

  onRequestHeaders(endOfStream: bool): Action {
    const plugin = this.plugin
    const faults = plugin.faults
    if (!faults || faults.isIdle) return Action.Continue
    faults.request.begin(this.requestHeaders)
    let delay: f64 = 0
    let abort: Abort | null = null
    let delayedBy: Tally | null = null
    let abortedBy: Tally | null = null
    const route = faults.hasFaults ? faults.routes.find() : null
    const fault = route ? route.fault : null
    if (fault && !fault.isOver) {
      const key = fault.keyOf(faults.request)
      const ofRoute = fault.delay
      if (ofRoute && ofRoute.chance.hits(key)) delay = ofRoute.next()
      if (fault.abortChance && fault.abortChance!.hits(key)) abort = fault.abort
      delayedBy = abortedBy = fault.tally
      if (!abort) this.prepareResponse(fault, key)
    }
    const trigger = faults.trigger
    if (trigger) {
      trigger.take(this.requestHeaders, faults.isEnabled)
      if (trigger.delay > 0) {
        delay = trigger.delay
        delayedBy = trigger.tally
      }
      if (trigger.abort) {
        abort = trigger.abort
        abortedBy = trigger.tally
        this.fault = null
      }
    }
    if (abort) {
      abortedBy!.add(plugin.requests, Kind.Abort)
      this.abort = abort
    }
    if (delay > 0 && plugin.queue.add(this, delay)) {
      delayedBy!.add(plugin.requests, Kind.Delay)
      filterState.set('fault.delay', decimal(<u64>Math.round(delay)))
      // Not `Pause`: where the plugin has `allow_on_headers_stop_iteration`, a body would let the headers go.
      return Action.StopAllIterationAndWatermark
    }
    if (!abort) return Action.Continue
    abort.answer(this)
    return Action.Pause
  }

  /** Decides what will be done to the response, while the request's headers are there. */
  private prepareResponse(fault: Fault, key: ByteString | null): void {
    const corrupt = fault.corruptChance
    const chunkDelay = fault.chunkDelay
    if (corrupt && corrupt.hits(key)) {
      this.corruptible = fault.corruptBytes
      this.fault = fault
    }
    if (chunkDelay && chunkDelay.chance.hits(key)) {
      this.chunkDelay = chunkDelay
      this.fault = fault
    }
  }

  onDue(): void {
    if (!this.isRequestPaused) {
      this.continueResponse()
      return
    }
    const abort = this.abort
    if (abort) abort.answer(this)
    else this.continueRequest()
  }

  /** For `onResponseBody`, where a filter has one: damages a chunk and holds it. */
  protected changeChunk(size: u32): Action {
    const fault = this.fault
    if (this.isRequestPaused) {
      // The request still waits: somebody else has answered it.
      if (this.isWaiting) this.plugin.queue.remove(this)
      return Action.Continue
    }
    if (!fault || !size) return this.isWaiting ? Action.StopIterationAndWatermark : Action.Continue
    if (this.corruptible) this.corrupt(fault, size)
    if (this.isWaiting) return Action.StopIterationAndWatermark
    const chunkDelay = this.chunkDelay
    const wait = chunkDelay ? chunkDelay.next() : 0
    const plugin = this.plugin
    if (!(wait > 0) || !plugin.queue.add(this, wait)) return Action.Continue
    if (!this.isSlow) {
      this.isSlow = true
      fault.tally.add(plugin.requests, Kind.ChunkDelay)
    }
    return Action.StopIterationAndWatermark
  }

  /** For `onResponseTrailers`: they wait behind a chunk. */
  protected holdTrailers(): Action {
    return this.isWaiting && !this.isRequestPaused ? Action.Pause : Action.Continue
  }

  /** Changes bytes of a chunk, each to another value: one in each of as many parts of the same length. */
  private corrupt(fault: Fault, size: u32): void {
    if (this.corruptible == fault.corruptBytes) fault.tally.add(this.plugin.requests, Kind.Corrupt)
    const length = min(size, CORRUPTED_PART)
    const count = min(this.corruptible, length)
    const body = this.responseBody
    const bytes = body.read(0, length)
    if (<u32>bytes.length < length) return
    const numbers = random()
    for (let i: u32 = 0; i < count; i++) {
      const start = <u32>((<u64>length * i) / count)
      const end = <u32>((<u64>length * (i + 1)) / count)
      const byte = bytes.ptr + start + <u32>(numbers.next() * <f64>(end - start))
      store<u8>(byte, load<u8>(byte) ^ (1 + <u8>(numbers.next() * 255)))
    }
    this.corruptible -= count
    body.replaceStart(length, bytes)
  }
}
