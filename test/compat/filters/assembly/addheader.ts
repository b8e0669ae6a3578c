// Greets by headers: what is read, added, replaced and removed in both directions, a metric and a property.

export * from '@solo-io/proxy-runtime/proxy' // this exports the required functions for the proxy to interact with us.
import {
  RootContext,
  Context,
  registerRootContext,
  FilterHeadersStatusValues,
  FilterDataStatusValues,
  GrpcStatusValues,
  HeaderPair,
  Headers,
  LogLevelValues,
  log,
  stream_context,
  send_local_response,
  Counter,
} from '@solo-io/proxy-runtime'
import { get_property, set_property } from '@solo-io/proxy-runtime/runtime'

class GreeterRoot extends RootContext {
  greetings!: Counter

  onConfigure(configuration_size: u32): bool {
    if (!super.onConfigure(configuration_size)) return false
    this.greetings = new Counter('greetings')
    return this.getConfiguration() != 'refuse'
  }

  createContext(context_id: u32): Context {
    return new Greeter(context_id, this)
  }
}

class Greeter extends Context {
  greeting: string
  bytes: usize = 0

  constructor(context_id: u32, root: GreeterRoot) {
    super(context_id, root)
    this.greeting = root.getConfiguration()
  }

  onRequestHeaders(count: u32, end_of_stream: bool): FilterHeadersStatusValues {
    const request = stream_context.headers.request
    const name = request.get('x-name')
    const isAll = <u32>request.get_headers().length == count
    set_property('greeted', String.UTF8.encode(name))
    if (name == 'mallory') {
      const headers: Headers = []
      headers.push(new HeaderPair(String.UTF8.encode('x-refused'), String.UTF8.encode('yes')))
      send_local_response(
        403,
        'not_greeted',
        String.UTF8.encode('no ' + this.greeting),
        headers,
        GrpcStatusValues.InvalidCode,
      )
      return FilterHeadersStatusValues.StopIteration
    }
    if (name == 'wild') {
      const all = request.get_headers()
      for (let i = 0; i < all.length; i++) {
        const key = String.UTF8.decode(all[i].key)
        if (key.startsWith('x-wild-')) {
          log(LogLevelValues.info, 'tamed ' + key + '=' + String.UTF8.decode(all[i].value))
          request.remove(key)
        }
      }
    }
    request.add('x-list', 'added')
    request.replace('x-replaced', name + ' ✓')
    request.remove('x-removed')
    request.add('x-seen', isAll.toString() + (end_of_stream ? ' end' : ' more'))
    request.add('x-path', String.UTF8.decode(get_property('request\0path')))
    request.add('x-missing', '[' + request.get('x-not-there') + ']')
    log(LogLevelValues.info, 'greeting ' + name)
    ;(this.root_context as GreeterRoot).greetings.increment(1)
    return FilterHeadersStatusValues.Continue
  }

  onRequestBody(body_buffer_length: usize, end_of_stream: bool): FilterDataStatusValues {
    this.bytes += body_buffer_length
    return FilterDataStatusValues.Continue
  }

  onResponseHeaders(count: u32, end_of_stream: bool): FilterHeadersStatusValues {
    const response = stream_context.headers.response
    response.add('hello', this.greeting)
    response.replace('server', 'greeter')
    response.remove('x-internal')
    response.add('x-body-bytes', this.bytes.toString())
    response.add('x-greeted', String.UTF8.decode(get_property('greeted')))
    return FilterHeadersStatusValues.Continue
  }
}

registerRootContext((context_id: u32) => {
  return new GreeterRoot(context_id)
}, 'greeter')
