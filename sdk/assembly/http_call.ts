import { BufferType, MapType, Status } from './abi/enums'
import * as host from './abi/hostcalls'
import { Buffer } from './body'
import { addCall, Call, forgetLostCalls, takeCall } from './calls'
import { Context } from './context'
import { HeaderMap } from './headers'
import { ByteString, slot, view } from './memory/bytes'
import { Headers } from './memory/pairs'

/**
 * The answer to an HTTP callout. Readable while its callback runs.
 *
 * Envoy makes up an answer for most failures: status 503 when the cluster refuses the connection or has no host, 504 when the time is out.
 */
// @ts-ignore: decorator
@unmanaged
@final
export class HttpCallResponse {
  /** True when there is no answer at all: the connection broke in the middle of it. */
  failed: bool

  /** HTTP status; 0 when the call has failed or the answer has none. */
  get status(): i32 {
    return <i32>this.headers.getOrEmpty(':status').parseInt(0)
  }

  /** The answer's headers. */
  // @ts-ignore: decorator
  @inline
  get headers(): HeaderMap {
    return HeaderMap.of(MapType.HttpCallResponseHeaders)
  }

  /** The answer's body. */
  // @ts-ignore: decorator
  @inline
  get body(): Buffer {
    return Buffer.of(BufferType.HttpCallResponseBody)
  }

  /** The answer's trailers. */
  // @ts-ignore: decorator
  @inline
  get trailers(): HeaderMap {
    return HeaderMap.of(MapType.HttpCallResponseTrailers)
  }
}

@final
class HttpCall extends Call {
  constructor(
    context: Context,
    private callback: (context: Context, response: HttpCallResponse) => void,
  ) {
    super(context)
  }

  answer(headerCount: u32): void {
    if (!this.enterContext()) return
    const response = changetype<HttpCallResponse>(slot())
    response.failed = headerCount == 0
    this.callback(this.context, response)
  }
}

/** Status of the last `httpCall` that was not sent. */
export let httpCallStatus: Status = Status.Ok

/**
 * Sends a request to a cluster of the proxy; `callback` gets the answer later, with `context` (mostly `this`) as its first argument,
 * since AssemblyScript has no closures. A stream that waits for it returns `Action.Pause` and is continued in the callback.
 *
 *     httpCall(this, 'auth', headers, 500, (self: Auth, response: HttpCallResponse): void => { … })
 *
 * @param context Who asks. When it is gone by then, the answer is dropped.
 * @param cluster Name of a cluster that the proxy has.
 * @param headers `:method`, `:path` and `:authority` must be there.
 * @param timeout Milliseconds.
 * @param body Or null.
 * @param trailers Or null.
 * @returns False when the call was not sent (`httpCallStatus` says why): an unknown cluster, or a missing pseudo-header.
 */
export function httpCall<C extends Context, N>(
  context: C,
  cluster: N,
  headers: Headers,
  timeout: u32,
  callback: (context: C, response: HttpCallResponse) => void,
  body: ByteString | null = null,
  trailers: Headers | null = null,
): bool {
  return send(
    context,
    view(cluster),
    headers,
    timeout,
    changetype<(context: Context, response: HttpCallResponse) => void>(callback),
    body ? body : ByteString.empty,
    trailers,
  )
}

function send(
  context: Context,
  cluster: ByteString,
  headers: Headers,
  timeout: u32,
  callback: (context: Context, response: HttpCallResponse) => void,
  body: ByteString,
  trailers: Headers | null,
): bool {
  const h = headers.encode()
  const t = trailers ? trailers.encode() : ByteString.empty
  const id = changetype<usize>(slot())
  httpCallStatus = host.http_call(
    cluster.ptr,
    cluster.length,
    h.ptr,
    h.length,
    body.ptr,
    body.length,
    t.ptr,
    t.length,
    timeout,
    id,
  )
  if (httpCallStatus != Status.Ok) return false
  const call = new HttpCall(context, callback)
  call.id = load<u32>(id)
  addCall(call)
  return true
}

/** The host delivers an answer. */
export function deliverHttpCall(id: u32, headerCount: u32): void {
  forgetLostCalls()
  const call = takeCall(id)
  if (call instanceof HttpCall) (<HttpCall>call).answer(headerCount)
}
