import { Action, BufferType, StreamType } from '../abi/enums'
import * as host from '../abi/hostcalls'
import { setCallback } from '../abort'
import { Buffer } from '../body'
import { isBodyChanged, showBodyFrom } from '../bundle_hooks'
import { Context, ContextKind, HttpContextBase } from '../context'
import { isEnded, Phase, setPhase, settle } from '../phase'
import { Half } from './half'
import { PartTraits, parts } from './parts'
import { BundleRoot, enter } from './root'

enum Event {
  Headers,
  Body,
  Trailers,
}

/**
 * A stream of a bundle: the contexts of its filters, which get what a chain of filters in the host would give them. Requests pass
 * in the order of the parts, responses in reverse. A part has a context once a request's headers have come to it; one that has none is
 * left out everywhere but in the log.
 *
 * The build makes a subclass with a field for each part: an object for the stream, and one for each filter, is all that is allocated.
 */
export abstract class BundleStream extends HttpContextBase {
  /** Null as long as nothing waits. */
  private requestHalf: Half | null = null
  private responseHalf: Half | null = null
  /** Parts that have asked to go on, a bit for each. */
  private requestBits: u32 = 0
  private responseBits: u32 = 0

  get plugin(): BundleRoot {
    return changetype<BundleRoot>(this.rootContext)
  }

  /** Address of the field of a part. */
  // @ts-ignore: decorator
  @inline
  private field(index: i32): usize {
    return changetype<usize>(this) + ((offsetof<BundleStream>() + 3) & ~3) + ((<usize>index) << 2)
  }

  // @ts-ignore: decorator
  @inline
  private part(index: i32): HttpContextBase | null {
    return load<HttpContextBase | null>(this.field(index))
  }

  /** Makes the context of a part. Null where its filter is off, or wants none. */
  private start(index: i32): HttpContextBase | null {
    const root = unchecked(this.plugin.roots[index])
    if (!root) return null
    const kind = unchecked(parts[index])
    const make = kind.makeHttp
    const part = kind.traits & PartTraits.MakesContexts ? root.createHttpContext() : make ? make() : null
    if (!part) return null
    part.rootContext = root
    part.id = this.id
    part.kind = ContextKind.Http
    store<usize>(this.field(index), changetype<usize>(part))
    return part
  }

  // What most requests take: nothing waits, nothing is noted.

  onRequestHeaders(endOfStream: bool): Action {
    const plugin = this.plugin
    for (let i = 0, count = parts.length; i < count; i++) {
      const part = this.start(i)
      if (!part) continue
      enter(plugin, i)
      const action = settle(part.onRequestHeaders(endOfStream))
      if (!isHeld(action)) continue
      part.isRequestPaused = true
      return this.hold(true, i, action, endOfStream)
    }
    return Action.Continue
  }

  onResponseHeaders(endOfStream: bool): Action {
    const plugin = this.plugin
    for (let i = parts.length - 1; i >= 0; i--) {
      const part = this.part(i)
      if (!part) continue
      enter(plugin, i)
      const action = settle(part.onResponseHeaders(endOfStream))
      if (!isHeld(action)) continue
      part.isResponsePaused = true
      return this.hold(false, parts.length - 1 - i, action, endOfStream)
    }
    return Action.Continue
  }

  onRequestBody(size: u32, endOfStream: bool): Action {
    return this.body(true, 0, size, endOfStream)
  }

  onResponseBody(size: u32, endOfStream: bool): Action {
    return this.body(false, 0, size, endOfStream)
  }

  onRequestTrailers(): Action {
    return this.trailers(true, 0)
  }

  onResponseTrailers(): Action {
    return this.trailers(false, 0)
  }

  onRequestMetadata(): Action {
    for (let i = 0; i < parts.length; i++) {
      const part = this.part(i)
      if (part) part.onRequestMetadata()
    }
    return Action.Continue
  }

  onResponseMetadata(): Action {
    for (let i = parts.length - 1; i >= 0; i--) {
      const part = this.part(i)
      if (part) part.onResponseMetadata()
    }
    return Action.Continue
  }

  onLog(): void {
    for (let i = 0; i < parts.length; i++) {
      if (!(parts[i].traits & PartTraits.Log)) continue
      let part = this.part(i)
      // Envoy makes one for the log.
      if (!part) part = this.start(i)
      if (part) part.onLog()
    }
  }

  onDone(): bool {
    for (let i = 0; i < parts.length; i++) {
      const part = this.part(i)
      if (part) part.onDone()
    }
    return true
  }

  onDelete(): void {
    for (let i = 0; i < parts.length; i++) {
      const part = this.part(i)
      if (!part) continue
      part.isDeleted = true
      part.onDelete()
    }
  }

  // What waits.

  private hold(isRequest: bool, at: i32, action: Action, endOfStream: bool): Action {
    const half = this.openHalf(isRequest)
    half.headersEnd = endOfStream
    return this.holdHeaders(half, isRequest, at, action)
  }

  private holdHeaders(half: Half, isRequest: bool, at: i32, action: Action): Action {
    // Where `Pause` lets the body's callbacks let headers go on, those of other filters must not.
    if (action == Action.Pause && !hasBodyCallback(isRequest, at)) action = Action.StopAllIterationAndWatermark
    half.headersAt = at
    half.holdsAll = action != Action.Pause
    half.isOver = isEnded
    return action
  }

  /** Shows the headers to the filters from a position on. */
  private headers(half: Half, isRequest: bool, from: i32): void {
    half.headersAt = parts.length
    for (let at = from; at < parts.length; at++) {
      const index = indexAt(isRequest, at)
      const part = isRequest ? this.start(index) : this.part(index)
      if (!part) continue
      const action = this.call(part, index, isRequest, Event.Headers, 0, half.headersEnd)
      if (!isHeld(action)) continue
      this.holdHeaders(half, isRequest, at, action)
      return
    }
  }

  /** Shows the body, of which the host has `size` bytes, to the filters from a position on. */
  private body(isRequest: bool, from: i32, size: u32, endOfStream: bool): Action {
    let half = this.half(isRequest)
    if (half && half.isOver) return Action.Pause
    const type = isRequest ? BufferType.HttpRequestBody : BufferType.HttpResponseBody
    for (let at = from; at < parts.length; at++) {
      const index = indexAt(isRequest, at)
      const isFirst = half !== null && half.headersAt == at
      let action = Action.StopIterationAndBuffer
      // A filter whose headers hold all gets nothing, and then everything.
      if (!isFirst || !half!.holdsRest) {
        const part = this.part(index)
        if (!part) continue
        const offset = half ? min(size, half.passed[at]) : 0
        showBodyFrom(offset)
        action = this.call(part, index, isRequest, Event.Body, size - offset, endOfStream)
        if (isBodyChanged) {
          showBodyFrom(0)
          size = Buffer.of(type).size
        }
        showBodyFrom(0)
        if (action == Action.Continue) {
          if (half) {
            if (isFirst) this.headers(half, isRequest, at + 1)
            if (half.bodyAt == at) half.bodyAt = -1
          }
          continue
        }
      }
      if (!half) half = this.openHalf(isRequest)
      return this.holdBody(half, isRequest, at, action, size, endOfStream)
    }
    if (half) {
      half.held = 0
      half.passed.fill(0)
      if (!half.isWaiting) this.closeHalf(isRequest)
    }
    return Action.Continue
  }

  private holdBody(half: Half, isRequest: bool, at: i32, action: Action, size: u32, endOfStream: bool): Action {
    half.isOver = isEnded
    half.bodyAt = at
    half.bodyEnd = endOfStream
    const isDropped = action == Action.StopIterationNoBuffer
    // What the others will want to see later has to lie where it can be seen.
    if (action == Action.StopIterationAndWatermark && hasBodyCallbackFrom(isRequest, at + 1)) {
      action = Action.StopIterationAndBuffer
      half.passed[at] = size
    }
    const isBuffered = action == Action.StopIterationAndBuffer
    if (!isDropped) half.held = isBuffered ? size : 0
    for (let i = 0; i < at; i++) half.passed[i] = half.held
    return action
  }

  private trailers(isRequest: bool, from: i32): Action {
    let half = this.half(isRequest)
    if (half && half.isOver) return Action.Pause
    for (let at = from; at < parts.length; at++) {
      const index = indexAt(isRequest, at)
      const isFirst = half !== null && half.headersAt == at
      if (!isFirst || !half!.holdsRest) {
        const part = this.part(index)
        if (!part) continue
        const action = this.call(part, index, isRequest, Event.Trailers, 0, true)
        if (action == Action.Continue) {
          if (!half) continue
          // A filter that lets the trailers pass has held what comes before them for no longer than that.
          if (isFirst) this.headers(half, isRequest, at + 1)
          if (half.bodyAt == at) this.passBody(half, isRequest, at + 1)
          continue
        }
      }
      if (!half) half = this.openHalf(isRequest)
      half.isOver = isEnded
      half.trailersAt = at
      return Action.Pause
    }
    if (half) this.closeHalf(isRequest)
    return Action.Continue
  }

  /** What the host has of the body goes on from a position. */
  private passBody(half: Half, isRequest: bool, from: i32): void {
    half.bodyAt = -1
    if (!hasBodyCallbackFrom(isRequest, from)) {
      // Nobody else sees it, but headers that wait hold it back.
      if (half.headersAt < parts.length) half.bodyAt = half.headersAt
      return
    }
    const size = Buffer.of(isRequest ? BufferType.HttpRequestBody : BufferType.HttpResponseBody).size
    this.body(isRequest, from, size, half.bodyEnd)
  }

  /** Notes that a part goes on, when the running callback has ended. */
  resumeLater(part: HttpContextBase, type: StreamType): void {
    const index = this.indexOf(part)
    if (index < 0) return
    if (type == StreamType.HttpRequest) this.requestBits |= 1 << index
    else this.responseBits |= 1 << index
  }

  indexOf(part: Context): i32 {
    for (let i = 0; i < parts.length; i++) if (this.part(i) === part) return i
    return -1
  }

  /** Lets go on what was noted. */
  resume(): void {
    if (!this.becomeEffective()) return
    while (this.requestBits) {
      const index = ctz(this.requestBits)
      this.requestBits &= this.requestBits - 1
      this.resumeAt(true, index)
    }
    while (this.responseBits) {
      const index = ctz(this.responseBits)
      this.responseBits &= this.responseBits - 1
      this.resumeAt(false, parts.length - 1 - index)
    }
  }

  private resumeAt(isRequest: bool, at: i32): void {
    const half = this.half(isRequest)
    if (!half || half.isOver) return
    setPhase(isRequest ? Phase.Request : Phase.Response)
    let from = at + 1
    if (half.headersAt == at) {
      // What has come meanwhile the filter has not seen.
      if (half.holdsAll) from = at
      this.headers(half, isRequest, at + 1)
    } else if (half.bodyAt >= 0 && half.bodyAt < at) {
      // An earlier filter holds what comes behind it.
      half.passed[at] = half.held
      return
    }
    if (half.bodyAt == at) this.passBody(half, isRequest, from)
    if (half.trailersAt == at) {
      half.trailersAt = -1
      this.trailers(isRequest, from)
    }
    if (half.isWaiting) return
    this.closeHalf(isRequest)
    this.isRequestPaused = false
    host.continue_stream(isRequest ? StreamType.HttpRequest : StreamType.HttpResponse)
  }

  private call(part: HttpContextBase, index: i32, isRequest: bool, event: Event, size: u32, endOfStream: bool): Action {
    enter(this.plugin, index)
    let action: Action
    if (isRequest) {
      if (event == Event.Headers) {
        setCallback('onRequestHeaders')
        action = part.onRequestHeaders(endOfStream)
      } else if (event == Event.Body) {
        setCallback('onRequestBody')
        action = part.onRequestBody(size, endOfStream)
      } else {
        setCallback('onRequestTrailers')
        action = part.onRequestTrailers()
      }
      action = settle(action)
      part.isRequestPaused = event == Event.Headers ? isHeld(action) : action != Action.Continue
      return action
    }
    if (event == Event.Headers) {
      setCallback('onResponseHeaders')
      action = part.onResponseHeaders(endOfStream)
    } else if (event == Event.Body) {
      setCallback('onResponseBody')
      action = part.onResponseBody(size, endOfStream)
    } else {
      setCallback('onResponseTrailers')
      action = part.onResponseTrailers()
    }
    action = settle(action)
    part.isResponsePaused = event == Event.Headers ? isHeld(action) : action != Action.Continue
    return action
  }

  private half(isRequest: bool): Half | null {
    return isRequest ? this.requestHalf : this.responseHalf
  }

  private openHalf(isRequest: bool): Half {
    const known = this.half(isRequest)
    if (known) return known
    const half = new Half(parts.length)
    if (isRequest) this.requestHalf = half
    else this.responseHalf = half
    return half
  }

  private closeHalf(isRequest: bool): void {
    if (isRequest) this.requestHalf = null
    else this.responseHalf = null
  }
}

/** Whether headers stop here: Envoy takes one further action for Continue. */
function isHeld(action: Action): bool {
  return action != Action.Continue && action != Action.ContinueAndEndStream
}

/** The part at a position of a half. */
// @ts-ignore: decorator
@inline
function indexAt(isRequest: bool, at: i32): i32 {
  return isRequest ? at : parts.length - 1 - at
}

/** Whether the filter at a position is shown bodies. */
function hasBodyCallback(isRequest: bool, at: i32): bool {
  const wanted = isRequest ? PartTraits.RequestBody : PartTraits.ResponseBody
  return (parts[indexAt(isRequest, at)].traits & wanted) != 0
}

function hasBodyCallbackFrom(isRequest: bool, from: i32): bool {
  for (let at = from; at < parts.length; at++) if (hasBodyCallback(isRequest, at)) return true
  return false
}
