// Counts requests by path in shared data, and passes notes through a shared queue. The functions of 0.1.8 for that do not
// work or do not compile, so this goes to the hostcalls, as a filter has to.

export * from '@solo-io/proxy-runtime/proxy'
import {
  RootContext,
  Context,
  registerRootContext,
  FilterHeadersStatusValues,
  LogLevelValues,
  WasmResultValues,
  log,
  stream_context,
} from '@solo-io/proxy-runtime'
import * as imports from '@solo-io/proxy-runtime/imports'
import { free } from '@solo-io/proxy-runtime/malloc'
import {
  Reference,
  enqueue_shared_queue,
  get_current_time_nanoseconds,
  register_shared_queue,
  set_tick_period_milliseconds,
} from '@solo-io/proxy-runtime/runtime'

class Shared {
  text: string = ''
  cas: u32 = 0
  result: WasmResultValues = WasmResultValues.Ok
}

/** The bytes that the host has left at an address. */
function take(data: usize, size: usize): string {
  if (size == 0) return ''
  const bytes = changetype<ArrayBuffer>(data)
  free(data)
  return String.UTF8.decode(bytes)
}

function read(name: string): Shared {
  const key = String.UTF8.encode(name)
  const data = new Reference<usize>()
  const size = new Reference<usize>()
  const cas = new Reference<u32>()
  const shared = new Shared()
  shared.result = imports.proxy_get_shared_data(
    changetype<usize>(key),
    key.byteLength,
    data.ptr(),
    size.ptr(),
    cas.ptr(),
  )
  if (shared.result != WasmResultValues.Ok) return shared
  shared.text = take(data.data, size.data)
  shared.cas = cas.data
  return shared
}

function write(name: string, text: string, cas: u32): WasmResultValues {
  const key = String.UTF8.encode(name)
  const value = String.UTF8.encode(text)
  return imports.proxy_set_shared_data(
    changetype<usize>(key),
    key.byteLength,
    changetype<usize>(value),
    value.byteLength,
    cas,
  )
}

class CountRoot extends RootContext {
  queue: u32 = 0
  started: u64 = 0

  onConfigure(configuration_size: u32): bool {
    super.onConfigure(configuration_size)
    const token = new Reference<u32>()
    register_shared_queue(this.getConfiguration(), token.ptr() as u32)
    this.queue = token.data
    this.started = get_current_time_nanoseconds()
    set_tick_period_milliseconds(20)
    return true
  }

  onTick(): void {
    const data = new Reference<usize>()
    const size = new Reference<usize>()
    if (imports.proxy_dequeue_shared_queue(this.queue, data.ptr(), size.ptr()) != WasmResultValues.Ok) return
    const note = take(data.data, size.data)
    log(LogLevelValues.info, 'note ' + note + ' ' + (get_current_time_nanoseconds() > this.started).toString())
  }

  createContext(context_id: u32): Context {
    return new Count(context_id, this)
  }
}

class Count extends Context {
  count: string = ''

  constructor(context_id: u32, root: CountRoot) {
    super(context_id, root)
  }

  onRequestHeaders(count: u32, end_of_stream: bool): FilterHeadersStatusValues {
    const root = this.root_context as CountRoot
    const path = stream_context.headers.request.get(':path')
    const before = read(path)
    const next = before.result == WasmResultValues.Ok ? I32.parseInt(before.text) + 1 : 1
    const stale = before.result == WasmResultValues.Ok ? write(path, 'lost', before.cas + 1).toString() : '-'
    this.count = next.toString() + ' ' + write(path, next.toString(), before.cas).toString() + ' ' + stale
    enqueue_shared_queue(root.queue, String.UTF8.encode(path + '=' + next.toString()))
    return FilterHeadersStatusValues.Continue
  }

  onResponseHeaders(count: u32, end_of_stream: bool): FilterHeadersStatusValues {
    stream_context.headers.response.add('x-count', this.count)
    return FilterHeadersStatusValues.Continue
  }
}

registerRootContext((context_id: u32) => {
  return new CountRoot(context_id)
}, 'count')
