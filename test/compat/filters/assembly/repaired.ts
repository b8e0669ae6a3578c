// What 0.1.8 offers but does not do: functions that did not compile, did the wrong thing or ended the VM; several root contexts.

export * from '@solo-io/proxy-runtime/proxy'
import {
  Context,
  Counter,
  FilterDataStatusValues,
  FilterHeadersStatusValues,
  GrpcStatusValues,
  HeaderPair,
  LogLevelValues,
  RootContext,
  WasmResultValues,
  log,
  registerRootContext,
  send_local_response,
  stream_context,
} from '@solo-io/proxy-runtime'
import * as runtime from '@solo-io/proxy-runtime/runtime'

class Root extends RootContext {
  requests: Counter | null = null
  queue: u32 = 0

  onConfigure(configuration_size: u32): bool {
    super.onConfigure(configuration_size)
    this.requests = new Counter('requests')
    const token = new runtime.Reference<u32>()
    runtime.register_shared_queue('notes', token.ptr() as u32)
    this.queue = token.data
    return true
  }

  createContext(context_id: u32): Context {
    return new Stream(context_id, this)
  }
}

class Stream extends Context {
  constructor(context_id: u32, root: Root) {
    super(context_id, root)
  }

  onRequestHeaders(count: u32, end_of_stream: bool): FilterHeadersStatusValues {
    const root = this.root_context as Root
    const request = stream_context.headers.request
    const path = request.get(':path')
    if (path == '/set-headers') {
      const headers = request.get_headers()
      headers.push(new HeaderPair(String.UTF8.encode('x-set'), String.UTF8.encode('all')))
      request.set_headers(headers)
      log(LogLevelValues.info, headers[headers.length - 1].toString())
    } else if (path == '/shared') {
      const value = new ArrayBuffer(5)
      const cas = new runtime.Reference<u32>()
      const before = runtime.get_shared_data('key', value, cas.ptr())
      const set = runtime.set_shared_data('key', String.UTF8.encode('hello'), cas.data)
      const stale = runtime.set_shared_data('key', String.UTF8.encode('stale'), cas.data + 7)
      const after = runtime.get_shared_data('key', value)
      this.answer(`${before} ${set.result} ${stale.result} ${after} ${String.UTF8.decode(value)}`)
      return FilterHeadersStatusValues.StopIteration
    } else if (path == '/queue') {
      runtime.enqueue_shared_queue(root.queue, String.UTF8.encode('note'))
      const first = runtime.dequeue_shared_queue(root.queue)
      const second = runtime.dequeue_shared_queue(root.queue)
      this.answer(`${first.result} ${String.UTF8.decode(first.data)} ${second.result} ${second.data.byteLength}`)
      return FilterHeadersStatusValues.StopIteration
    } else if (path == '/metric') {
      root.requests!.increment(2)
      const metric = runtime.get_metric(root.requests!.metric_id)
      this.answer(`${metric.result} ${metric.data} ${runtime.get_metric(99999).result != WasmResultValues.Ok}`)
      return FilterHeadersStatusValues.StopIteration
    } else if (path == '/failures') {
      // Each of these ended the VM.
      stream_context.headers.response.replace('x', 'y')
      stream_context.headers.response.remove('x')
      const size = runtime.get_header_map_size(runtime.HeaderMapTypeValues.RequestTrailers)
      const property = runtime.get_property('no\0such')
      const response = stream_context.headers.response.get_headers()
      this.answer(`${size} ${property.byteLength} ${response.length}`)
      return FilterHeadersStatusValues.StopIteration
    } else if (path == '/clear-route-cache') {
      request.replace('x-route', 'other')
      request.add('x-cleared', runtime.clear_route_cache().toString())
    } else if (path == '/configuration') {
      this.answer(`[${root.getConfiguration()}]`)
      return FilterHeadersStatusValues.StopIteration
    }
    return FilterHeadersStatusValues.Continue
  }

  onRequestBody(body_buffer_length: usize, end_of_stream: bool): FilterDataStatusValues {
    if (!end_of_stream) return FilterDataStatusValues.StopIterationAndBuffer
    const status = runtime.get_buffer_status(runtime.BufferTypeValues.HttpRequestBody)
    const body = runtime.get_buffer_bytes(runtime.BufferTypeValues.HttpRequestBody, 0, status.length as u32)
    this.answer(`${status.result} ${status.length} ${String.UTF8.decode(body)}`)
    return FilterDataStatusValues.StopIterationNoBuffer
  }

  private answer(text: string): void {
    send_local_response(200, '', String.UTF8.encode(text), [], GrpcStatusValues.InvalidCode)
  }
}

class OtherRoot extends RootContext {
  createContext(context_id: u32): Context {
    return new Other(context_id, this)
  }
}

class Other extends Context {
  constructor(context_id: u32, root: OtherRoot) {
    super(context_id, root)
  }

  onRequestHeaders(count: u32, end_of_stream: bool): FilterHeadersStatusValues {
    stream_context.headers.request.add('x-other', this.root_context.getConfiguration())
    return FilterHeadersStatusValues.Continue
  }
}

registerRootContext((context_id: u32) => new Root(context_id), 'main')
registerRootContext((context_id: u32) => new OtherRoot(context_id), 'other')
