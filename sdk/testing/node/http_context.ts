/** The context of an HTTP stream in one VM: a filter in both directions. */
import { BufferType, MapType, Status, StreamType } from './abi.ts'
import { Body } from './body.ts'
import { type AttributeHeaders, type BufferAccess, Context, EMPTY_BUFFER, type LocalResponse } from './context.ts'
import {
  DataStatus,
  type Direction,
  type DirectionFilter,
  HeadersStatus,
  type Slot,
  TrailersStatus,
} from './filter_chain.ts'
import { HeaderMap } from './header_map.ts'
import type { RootContext } from './root_context.ts'
import type { HttpInfo, StreamInfo } from './stream_info.ts'

/** What a filter may do to its stream. */
export interface HttpStreamControl {
  readonly info: StreamInfo & { http: HttpInfo }
  readonly requestHeaders: HeaderMap
  readonly responseHeaders: HeaderMap | undefined
  readonly responseTrailers: HeaderMap | undefined
  readonly decode: Direction
  readonly encode: Direction
  localReply(response: LocalResponse): void
  reset(details: string): void
  clearRouteCache(): void
}

export class HttpContext extends Context {
  readonly #root: RootContext
  readonly #stream: HttpStreamControl
  readonly #index: number
  /** What may be seen now. */
  #requestHeaders: HeaderMap | undefined
  #requestTrailers: HeaderMap | undefined
  #requestBody: Body | undefined
  #responseHeaders: HeaderMap | undefined
  #responseTrailers: HeaderMap | undefined
  #responseBody: Body | undefined
  #bufferingRequest = false
  #bufferingResponse = false
  #end = false
  #logging = false
  #replied = false
  #failed = false
  #destroyed = false

  constructor(root: RootContext, stream: HttpStreamControl, index: number) {
    super(root.vm, root.plugin, root.host)
    this.#root = root
    this.#stream = stream
    this.#index = index
  }

  override get root(): RootContext {
    return this.#root
  }
  override get info(): StreamInfo {
    return this.#stream.info
  }
  override get logging(): boolean {
    return this.#logging
  }

  override get attributeHeaders(): AttributeHeaders {
    const { requestHeaders, responseHeaders, responseTrailers } = this.#stream
    if (this.#logging) return { request: requestHeaders, response: responseHeaders, responseTrailers }
    return {
      request: this.#requestHeaders,
      response: this.#responseHeaders,
      responseTrailers: this.#responseTrailers,
    }
  }

  readonly decoder: DirectionFilter = {
    headers: (map, end) => {
      this.create()
      this.#requestHeaders = map
      this.#end = end
      const status = this.#run('on_request_headers', [map.size, Number(end)], this.#headersStatus, 4)
      if (status === HeadersStatus.Continue) this.#requestHeaders = undefined
      return status
    },
    data: (body, end) => {
      if (!this.created) return DataStatus.Continue
      if (this.#bufferingRequest) this.#stream.decode.hold(body)
      this.#requestBody = body
      this.#end = end
      const size = this.buffer(BufferType.RequestBody)!.bytes.length
      const status = this.#run('on_request_body', [size, Number(end)], this.#dataStatus, 3)
      this.#bufferingRequest = status === DataStatus.StopAndBuffer
      if (status === DataStatus.Continue) this.#requestBody = undefined
      return status
    },
    trailers: (map) => {
      if (!this.created) return TrailersStatus.Continue
      this.#requestTrailers = map
      const status = this.#run('on_request_trailers', [map.size], this.#trailersStatus, 1)
      if (status === TrailersStatus.Continue) this.#requestTrailers = undefined
      return status
    },
  }

  readonly encoder: DirectionFilter = {
    headers: (map, end) => {
      if (!this.created) return HeadersStatus.Continue
      this.#responseHeaders = map
      this.#end = end
      const status = this.#run('on_response_headers', [map.size, Number(end)], this.#headersStatus, 4)
      if (status === HeadersStatus.Continue) this.#responseHeaders = undefined
      return status
    },
    data: (body, end) => {
      if (!this.created) return DataStatus.Continue
      if (this.#bufferingResponse) this.#stream.encode.hold(body)
      this.#responseBody = body
      this.#end = end
      const size = this.buffer(BufferType.ResponseBody)!.bytes.length
      const status = this.#run('on_response_body', [size, Number(end)], this.#dataStatus, 3)
      this.#bufferingResponse = status === DataStatus.StopAndBuffer
      if (status === DataStatus.Continue) this.#responseBody = undefined
      return status
    },
    trailers: (map) => {
      if (!this.created) return TrailersStatus.Continue
      this.#responseTrailers = map
      const status = this.#run('on_response_trailers', [map.size], this.#trailersStatus, 1)
      if (status === TrailersStatus.Continue) this.#responseTrailers = undefined
      return status
    },
  }

  /** The access log, which also filters get that saw nothing else of the stream. */
  writeLog(): void {
    this.create()
    this.#logging = true
    this.callback('on_log')
    this.#logging = false
  }

  destroy(): void {
    if (this.#destroyed || !this.created) return this.dispose()
    this.#destroyed = true
    this.callback('on_done')
    this.callback('on_delete')
    this.dispose()
  }

  dispose(): void {
    this.vm.contexts.delete(this.id)
  }

  override map(type: number): HeaderMap | undefined {
    const logged = this.#logging
    switch (type) {
      case MapType.RequestHeaders:
        return logged ? this.#stream.requestHeaders : this.#requestHeaders
      case MapType.RequestTrailers:
        return logged ? undefined : this.#requestTrailers
      case MapType.ResponseHeaders:
        return logged ? this.#stream.responseHeaders : this.#responseHeaders
      case MapType.ResponseTrailers:
        return logged ? this.#stream.responseTrailers : this.#responseTrailers
      default:
        return super.map(type)
    }
  }

  override mutableMap(type: number): HeaderMap | undefined {
    switch (type) {
      case MapType.RequestHeaders:
        return this.#requestHeaders
      case MapType.RequestTrailers:
        // At the end of a body there may be trailers, even if none came.
        if (!this.#requestTrailers && this.#requestBody && this.#end) {
          this.#requestTrailers = this.#stream.decode.addTrailers(new HeaderMap('trailers'))
        }
        return this.#requestTrailers
      case MapType.ResponseHeaders:
        return this.#responseHeaders
      case MapType.ResponseTrailers:
        if (!this.#responseTrailers && this.#responseBody && this.#end) {
          this.#responseTrailers = this.#stream.encode.addTrailers(new HeaderMap('trailers'))
        }
        return this.#responseTrailers
      default:
        return undefined
    }
  }

  override buffer(type: number): BufferAccess | undefined {
    if (type === BufferType.RequestBody) {
      return access(this.#bufferingRequest ? this.#stream.decode.buffered : this.#requestBody)
    }
    if (type === BufferType.ResponseBody) {
      return access(this.#bufferingResponse ? this.#stream.encode.buffered : this.#responseBody)
    }
    return super.buffer(type)
  }

  override headersChanged(type: number): void {
    if (type === MapType.RequestHeaders) this.clearRouteCache()
  }

  override clearRouteCache(): void {
    this.#stream.clearRouteCache()
  }

  override continueStream(type: number): number {
    if (type === StreamType.Request) this.vm.defer(() => this.#stream.decode.resume(this.#decodeSlot))
    else if (type === StreamType.Response) this.vm.defer(() => this.#continueResponse())
    else return super.continueStream(type)
    this.#requestHeaders = undefined
    this.#requestBody = undefined
    this.#requestTrailers = undefined
    return Status.Ok
  }

  override closeStream(type: number): number {
    if (type === StreamType.Request || type === StreamType.Response) {
      this.vm.defer(() => {
        this.#checkAlive('close_stream')
        if (!this.created)
          this.host.fault('close_stream while the context is created: real Envoy creates contexts without end')
        this.#stream.reset('wasm_close_stream')
      })
      return Status.Ok
    }
    return super.closeStream(type)
  }

  override sendLocalResponse(response: LocalResponse): number {
    const details = response.details.replace(/\s/g, '_')
    this.vm.defer(() => {
      this.#checkAlive('send_local_response')
      this.#stream.info.http.details = details
      if (this.#replied) return
      this.#replied = true
      this.#stream.localReply({ ...response, details })
    })
    return Status.Ok
  }

  #continueResponse(): void {
    if (!this.#stream.responseHeaders && !this.#replied) {
      this.host.fault('continue_stream(response) before there is a response: real Envoy crashes')
    }
    this.#stream.encode.resume(this.#encodeSlot)
  }

  #checkAlive(call: string): void {
    if (this.#logging) this.host.fault(`${call} in on_log: real Envoy logs again without end, and crashes`)
    if (this.#destroyed) this.host.fault(`${call} in on_done or on_delete: real Envoy crashes`)
  }

  get #decodeSlot(): Slot {
    return this.#stream.decode.slots[this.#index]!
  }

  /** The response goes the other way. */
  get #encodeSlot(): Slot {
    return this.#stream.encode.slots[this.#stream.encode.slots.length - 1 - this.#index]!
  }

  /** Calls the guest. In a VM that failed, or fails by this call, the stream ends and `closed` is the status. */
  #run(
    name:
      | 'on_request_headers'
      | 'on_request_body'
      | 'on_request_trailers'
      | 'on_response_headers'
      | 'on_response_body'
      | 'on_response_trailers',
    args: readonly number[],
    convert: (result: number) => number,
    closed: number,
  ): number {
    // The response that the failure itself caused passes.
    if (this.vm.failed) return this.#failed && name.startsWith('on_response') ? 0 : this.#fail(closed)
    if (!this.vm.has(name)) return 0
    const all = [this.id, ...args]
    if (this.vm.abi === '0.1.0' && name.endsWith('_headers')) all.pop()
    return this.vm.call(this, name, all, (result) => (this.vm.failed ? this.#fail(closed) : convert(result)))
  }

  #fail(status: number): number {
    if (!this.#failed && !this.#replied) {
      this.#replied = true
      this.#stream.localReply({
        status: 503,
        details: 'wasm_fail_stream',
        body: Buffer.alloc(0),
        headers: [],
        grpcStatus: 14,
      })
    }
    this.#failed = true
    return status
  }

  readonly #headersStatus = (result: number): number => {
    if (this.vm.stopIteration || result > HeadersStatus.StopAllAndWatermark) return HeadersStatus.StopAllAndWatermark
    if (result === HeadersStatus.StopIteration && !this.plugin.allowOnHeadersStopIteration) {
      return HeadersStatus.StopAllAndWatermark
    }
    return result === 2 ? HeadersStatus.Continue : result
  }

  readonly #dataStatus = (result: number): number =>
    this.vm.stopIteration || result > DataStatus.StopNoBuffer ? DataStatus.StopNoBuffer : result

  readonly #trailersStatus = (result: number): number =>
    this.vm.stopIteration || result > TrailersStatus.StopIteration ? TrailersStatus.StopIteration : result
}

function access(body: Body | undefined): BufferAccess {
  return body ? { bytes: body.bytes, body } : EMPTY_BUFFER
}

export { Body }
