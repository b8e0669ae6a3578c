// Says what it is called with, and works on bodies and trailers.

export * from '@solo-io/proxy-runtime/proxy'
import {
  Context,
  FilterDataStatusValues,
  FilterHeadersStatusValues,
  FilterTrailersStatusValues,
  LogLevelValues,
  RootContext,
  continue_response,
  log,
  registerRootContext,
  stream_context,
} from '@solo-io/proxy-runtime'
import * as runtime from '@solo-io/proxy-runtime/runtime'

function say(text: string): void {
  log(LogLevelValues.info, text)
}

class BodiesRoot extends RootContext {
  held: Bodies | null = null

  onStart(vm_configuration_size: usize): bool {
    say('start ' + vm_configuration_size.toString())
    return true
  }

  onConfigure(configuration_size: u32): bool {
    super.onConfigure(configuration_size)
    say('configure ' + this.getConfiguration())
    runtime.set_tick_period_milliseconds(10)
    return true
  }

  onTick(): void {
    const held = this.held
    if (held != null) {
      held.setEffectiveContext()
      this.held = null
      say('resume')
      continue_response()
    }
  }

  createContext(context_id: u32): Context {
    return new Bodies(context_id, this)
  }
}

class Bodies extends Context {
  constructor(context_id: u32, root: BodiesRoot) {
    super(context_id, root)
  }

  onRequestBody(body_buffer_length: usize, end_of_stream: bool): FilterDataStatusValues {
    const buffered = runtime.get_buffer_status(runtime.BufferTypeValues.HttpRequestBody)
    const body = runtime.get_buffer_bytes(runtime.BufferTypeValues.HttpRequestBody, 1, 3)
    say('request body ' + (buffered.length == body_buffer_length).toString() + ' ' + String.UTF8.decode(body))
    return end_of_stream ? FilterDataStatusValues.Continue : FilterDataStatusValues.StopIterationAndBuffer
  }

  onRequestTrailers(count: u32): FilterTrailersStatusValues {
    say('request trailers ' + count.toString() + ' ' + stream_context.trailers.request.get('x-sum'))
    stream_context.trailers.request.replace('x-sum', 'checked')
    stream_context.trailers.request.add('x-more', 'yes')
    return FilterTrailersStatusValues.Continue
  }

  onResponseHeaders(count: u32, end_of_stream: bool): FilterHeadersStatusValues {
    say('response headers ' + end_of_stream.toString())
    ;(this.root_context as BodiesRoot).held = this
    return FilterHeadersStatusValues.StopIteration
  }

  onResponseTrailers(count: u32): FilterTrailersStatusValues {
    say('response trailers ' + stream_context.trailers.response.get_headers().length.toString())
    stream_context.trailers.response.remove('x-private')
    return FilterTrailersStatusValues.Continue
  }

  onDone(): bool {
    say('done')
    return true
  }

  onLog(): void {
    say('log ' + stream_context.headers.response.get(':status'))
  }

  onDelete(): void {
    say('delete')
  }
}

registerRootContext((context_id: u32) => {
  return new BodiesRoot(context_id)
}, 'bodies')
