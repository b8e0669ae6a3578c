/** What became of a stream, as specs see it. */
import { headerList } from '../headers.ts'
import type { RequestInit, Response } from '../types.ts'
import { toBinary, toText } from './bytes.ts'
import { textEntries } from './exchange.ts'
import type { HttpStream } from './http_stream.ts'
import type { StreamInfo } from './stream_info.ts'

export function isFinished({ ended, received }: HttpStream): boolean {
  return ended && (received.complete || received.reset)
}

/** Filter state is given by the names that `filterState` lists. */
export function toResponse(stream: HttpStream, filterState: readonly string[] = []): Response {
  const { received, info, upstream } = stream
  const headers = headerList(textEntries(received.headers?.entries ?? []))
  const trailers = headerList(textEntries(received.trailers?.entries ?? []))
  const status = Number(headers.get(':status') ?? 0)
  const body = received.body.bytes
  const grpcStatus = trailers.get('grpc-status') ?? headers.get('grpc-status')
  const grpcMessage = trailers.get('grpc-message') ?? headers.get('grpc-message')
  const { details } = info.http
  // A filter that answers need not say why: then the details are empty.
  const local = status > 0 && !received.reset && details !== 'via_upstream'
  return {
    status,
    headers,
    body,
    get text() {
      return body.toString('utf8')
    },
    trailers,
    ...(grpcStatus !== undefined && { grpcStatus: Number(grpcStatus) }),
    ...(grpcMessage !== undefined && { grpcMessage }),
    reset: received.reset,
    ...(local && { localReply: { details } }),
    ...(upstream && { upstream }),
    details,
    filterState: readFilterState(info, filterState),
    trace: stream.trace,
  }
}

function readFilterState({ filterState }: StreamInfo, names: readonly string[]): Record<string, string> {
  const state: Record<string, string> = {}
  for (const name of names) {
    const found = filterState.get(`wasm.${toBinary(name)}`)
    if (found) state[name] = toText(found.value)
  }
  return state
}

/** For a client whom TLS refused. */
export function noResponse(): Response {
  const empty = headerList([])
  const body = Buffer.alloc(0)
  return { status: 0, headers: empty, body, text: '', trailers: empty, reset: true, details: '', filterState: {} }
}

/** Why there is no complete response. `timeout`: it would take longer; undefined: nothing can ever happen. */
export function incomplete(
  stream: HttpStream,
  init: RequestInit,
  timeout: number | undefined,
  stacks: string[],
): Error {
  const { headers, body } = stream.received
  const came = headers
    ? `status ${headers.get(':status')} and ${body.length} bytes of the body came`
    : 'no response headers came'
  const waiting = timeout === undefined ? 'and no timer or callout is pending' : `after ${timeout} ms of virtual time`
  const seen = stream.upstream ? 'the upstream got the request' : 'the upstream did not get the request'
  const text = `${init.method ?? 'GET'} ${init.path ?? '/'} is not complete, ${waiting}: ${came}; ${stream.explain() ?? seen}`
  return new Error([text, ...stacks].join('\n'))
}
