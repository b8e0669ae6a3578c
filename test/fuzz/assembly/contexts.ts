// Contexts that use every part of the SDK, in an order and with arguments that the host's own bytes decide.

import {
  Action,
  Buffer,
  ByteString,
  Bytes,
  Configuration,
  Headers,
  HttpContext,
  log,
  LogLevel,
  PeerType,
  RootContext,
  SharedQueue,
  StreamContext,
} from '@meshscript/sdk'
import { consume, useBytes, useOptional } from './bytes'
import { startCall } from './calls'
import { readDocument } from './configure'
import { Metrics, useForeignFunctions, useProperties, useShared, useTheRest } from './host_operations'
import { Input, isPolite } from './input'
import { someHeaders, useBuffer, useMap } from './stream_operations'

/** A call of this foreign function reports what the managed heap holds; no host calls one by itself. So does a configuration with `report`. */
const REPORT_MEMORY: u32 = 0x6d656d6f

export class FuzzRoot extends RootContext {
  metrics: Metrics = new Metrics()
  kept: Headers | null = null

  onStart(): bool {
    useTheRest(Input.read())
    return true
  }

  onConfigure(configuration: Configuration): bool {
    this.kept = new Headers().add('x-kept', 'yes').persist()
    const json = configuration.json()
    if (!readDocument(json)) return false
    if (json.get('report').bool(false)) reportMemory()
    consume(configuration.bytes.length + configuration.text.length)
    return true
  }

  onTick(): void {
    const input = Input.read()
    useHost(input, this)
    if (input.below(16) == 0) this.setTickPeriod(isPolite ? 200 + input.below(2000) : input.integer())
    startCall(input, this)
  }

  onQueueReady(queueId: u32): void {
    const input = Input.read()
    const queue = SharedQueue.of(queueId)
    let message = queue.dequeue()
    for (let i = 0; i < 8 && message; i++) {
      useBytes(input, message)
      message = queue.dequeue()
    }
  }

  onForeignFunction(functionId: u32, argumentsSize: u32): void {
    if (functionId == REPORT_MEMORY) reportMemory()
  }

  onStatsUpdate(stats: Buffer): void {
    useBuffer(Input.read(), stats)
  }

  onDone(): bool {
    // A plugin that is never done is kept for ever.
    return isPolite || Input.read().flag() || this.done() == 0
  }
}

/** Call it where locals hold nothing that the SDK does not hold too. */
function reportMemory(): void {
  __collect()
  // Whatever level the host claims to log from.
  log.write(LogLevel.Critical, `managed ${__managed_bytes()}`)
}

/** One of the things that contexts of every kind do. */
function useHost(input: Input, root: FuzzRoot): void {
  switch (input.below(5)) {
    case 0:
      root.metrics.use(input)
      break
    case 1:
      useProperties(input)
      break
    case 2:
      useShared(input)
      break
    case 3:
      useForeignFunctions(input)
      break
    default:
      useTheRest(input)
  }
}

export class FuzzStream extends HttpContext<FuzzRoot> {
  /** Of an earlier callback. */
  private kept: Bytes | null = null
  /** Whether this callback may answer, continue or reset. */
  private mayDecide: bool = false

  onRequestHeaders(endOfStream: bool): Action {
    return this.run(true)
  }

  onRequestBody(size: u32, endOfStream: bool): Action {
    return this.run(true)
  }

  onRequestTrailers(): Action {
    return this.run(true)
  }

  onRequestMetadata(): Action {
    return this.run(true)
  }

  onResponseHeaders(endOfStream: bool): Action {
    return this.run()
  }

  onResponseBody(size: u32, endOfStream: bool): Action {
    return this.run()
  }

  onResponseTrailers(): Action {
    return this.run()
  }

  onResponseMetadata(): Action {
    return this.run()
  }

  onLog(): void {
    this.run()
  }

  onDone(): bool {
    return this.run() == Action.Continue
  }

  onDelete(): void {
    this.run()
  }

  private run(isRequest: bool = false): Action {
    this.mayDecide = isRequest || !isPolite
    const input = Input.read()
    for (let i = input.below(4); ; i--) {
      this.step(input)
      if (!i) break
    }
    return input.below(8) ? Action.Continue : Action.Pause
  }

  private step(input: Input): void {
    switch (input.below(12)) {
      case 0:
        useMap(input, this.requestHeaders)
        break
      case 1:
        useMap(input, this.responseHeaders)
        break
      case 2:
        useMap(input, input.flag() ? this.requestTrailers : this.responseTrailers)
        break
      case 3:
        useBuffer(input, this.requestBody)
        break
      case 4:
        useBuffer(input, this.responseBody)
        break
      case 5:
        if (this.mayDecide) this.answer(input)
        break
      case 6:
        startCall(input, this)
        break
      case 7:
        if (this.mayDecide) this.control(input)
        break
      case 8: {
        const kept = this.kept
        useOptional(input, kept ? kept.view : null)
        this.kept = input.text().persist()
        break
      }
      default:
        useHost(input, this.root)
    }
  }

  private answer(input: Input): void {
    const root = this.root
    const lines = input.flag() ? root.kept : someHeaders(input)
    const details: ByteString | null = input.flag() ? input.text() : null
    const status = isPolite ? 200 + input.below(400) : input.integer()
    if (input.flag()) this.sendLocalResponse(status, input.text(), lines, input.integer(), details)
    else this.sendLocalResponse(503, 'no')
  }

  private control(input: Input): void {
    switch (input.below(5)) {
      case 0:
        this.continueRequest()
        break
      case 1:
        if (!isPolite) this.continueResponse()
        break
      case 2:
        this.resetStream()
        break
      case 3:
        this.done()
        break
      default:
        this.becomeEffective()
    }
  }
}

export class FuzzConnection extends StreamContext<FuzzRoot> {
  onNewConnection(): Action {
    return this.run()
  }

  onDownstreamData(size: u32, endOfStream: bool): Action {
    return this.run()
  }

  onUpstreamData(size: u32, endOfStream: bool): Action {
    return this.run()
  }

  onDownstreamClose(peer: PeerType): void {
    this.run()
  }

  onUpstreamClose(peer: PeerType): void {
    this.run()
  }

  onLog(): void {
    this.run()
  }

  private run(): Action {
    const input = Input.read()
    switch (input.below(8)) {
      case 0:
        useBuffer(input, this.downstreamData)
        break
      case 1:
        useBuffer(input, this.upstreamData)
        break
      case 2:
        startCall(input, this)
        break
      case 3:
        this.continueDownstream()
        break
      case 4:
        if (input.flag()) this.closeDownstream()
        else this.closeUpstream()
        break
      default:
        useHost(input, this.root)
    }
    return input.flag() ? Action.Continue : Action.Pause
  }
}
