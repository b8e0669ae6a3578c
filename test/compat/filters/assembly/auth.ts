// Asks a service whether a request may pass, by an HTTP callout.

export * from '@solo-io/proxy-runtime/proxy'
import {
  RootContext,
  Context,
  registerRootContext,
  FilterHeadersStatusValues,
  GrpcStatusValues,
  HeaderPair,
  Headers,
  LogLevelValues,
  WasmResultValues,
  continue_request,
  log,
  send_local_response,
  stream_context,
} from '@solo-io/proxy-runtime'
import { BufferTypeValues, get_buffer_bytes } from '@solo-io/proxy-runtime/runtime'

function header(name: string, value: string): HeaderPair {
  return new HeaderPair(String.UTF8.encode(name), String.UTF8.encode(value))
}

function deny(status: u32, reason: string): void {
  send_local_response(
    status,
    'ext_auth',
    String.UTF8.encode(reason),
    [header('x-auth', 'denied')],
    GrpcStatusValues.PermissionDenied,
  )
}

class AuthRoot extends RootContext {
  answers: u32 = 0

  createContext(context_id: u32): Context {
    return new Auth(context_id, this)
  }
}

class Auth extends Context {
  constructor(context_id: u32, root: AuthRoot) {
    super(context_id, root)
  }

  onRequestHeaders(count: u32, end_of_stream: bool): FilterHeadersStatusValues {
    const headers: Headers = [
      header(':method', 'POST'),
      header(':path', '/check' + stream_context.headers.request.get(':path')),
      header(':authority', 'auth.test'),
      header('x-user', stream_context.headers.request.get('x-user')),
    ]
    let cluster = stream_context.headers.request.get('x-cluster')
    if (cluster == '') cluster = this.root_context.getConfiguration()
    const result = this.root_context.httpCall(
      cluster,
      headers,
      String.UTF8.encode('may I?'),
      [],
      1000,
      this,
      (origin_context: Context, headers: u32, body_size: usize, trailers: u32): void => {
        const auth = origin_context as Auth
        const root = auth.root_context as AuthRoot
        root.answers++
        const status = stream_context.headers.http_callback.get(':status')
        const body = String.UTF8.decode(get_buffer_bytes(BufferTypeValues.HttpCallResponseBody, 0, body_size as u32))
        log(LogLevelValues.info, 'answer ' + status + ' of ' + body_size.toString() + ' bytes')
        if (status == '200') {
          stream_context.headers.request.add('x-auth', stream_context.headers.http_callback.get('x-identity'))
          stream_context.headers.request.add('x-auth-body', body)
          stream_context.headers.request.add('x-answers', root.answers.toString())
          continue_request()
        } else if (headers == 0) {
          deny(500, 'no answer')
        } else {
          deny(401, 'answer ' + status)
        }
      },
    )
    if (result != WasmResultValues.Ok) {
      log(LogLevelValues.warn, 'not sent: ' + result.toString())
      deny(503, 'not sent')
    }
    return FilterHeadersStatusValues.StopIteration
  }
}

registerRootContext((context_id: u32) => {
  return new AuthRoot(context_id)
}, 'auth')
