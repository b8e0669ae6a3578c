/** What a cluster's handler returned, as headers, pieces of a body and trailers. */
import type { BodyInit, Cluster, GrpcHandler, GrpcResult, HandlerResult, UpstreamRequest } from '../types.ts'
import { grpcFrame, grpcMessages } from '../grpc_frames.ts'
import { headerPairs } from '../headers.ts'
import { toBinary, toBuffer } from './bytes.ts'
import type { Pair } from './pairs.ts'

export type Answer =
  | { kind: 'hang' }
  | { kind: 'reset'; afterHeaders: boolean }
  | {
      kind: 'response'
      headers: Pair[]
      pieces: Buffer[]
      trailers: Pair[]
      delay: number
      /** No body can follow. */
      bodyless: boolean
    }

const UNIMPLEMENTED = 12

/** Asks the cluster. Only what the handler itself does asynchronously is a promise. */
export function askCluster(cluster: Cluster, request: UpstreamRequest): Answer | Promise<Answer> {
  try {
    if (cluster.kind === 'grpc') return then(askGrpc(cluster.methods, request), grpcAnswer)
    if (cluster.kind !== 'http') return { kind: 'reset', afterHeaders: false }
    const http2 = cluster.protocol === 'http2'
    return then(cluster.handler(request), (result) => httpAnswer(result, request.method, http2))
  } catch (error) {
    return failed(error)
  }
}

function then<T>(value: T | Promise<T>, make: (value: T) => Answer): Answer | Promise<Answer> {
  return value instanceof Promise ? value.then(make).catch(failed) : make(value)
}

/** Visible as what it is: a mistake in the test. */
function failed(error: unknown): Answer {
  return httpAnswer({ status: 500, body: `handler failed: ${String(error)}` }, 'GET', false)
}

function httpAnswer(result: HandlerResult, method: string, http2: boolean): Answer {
  if (typeof result === 'number') return response({ status: result }, method, http2)
  if (typeof result === 'string' || result instanceof Uint8Array) return response({ body: result }, method, http2)
  if ('reset' in result) return { kind: 'reset', afterHeaders: result.afterHeaders ?? false }
  if ('hang' in result) return { kind: 'hang' }
  return response(result, method, http2)
}

function response(
  result: Exclude<HandlerResult, number | string | Uint8Array | { reset: true } | { hang: true }>,
  method: string,
  http2: boolean,
): Answer {
  const { status = 200, body, delay = 0 } = result
  const own = binaryPairs(headerPairs(result.headers))
  const trailers = binaryPairs(headerPairs(result.trailers))
  const pieces = bodyPieces(body)
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0)
  const bodyless = status < 200 || status === 204 || status === 304
  const chunked = Array.isArray(body) || trailers.length > 0
  const framed = own.some(([name]) => name === 'content-length' || name === 'transfer-encoding')
  const headers: Pair[] = [[':status', String(status)], ...own]
  if (!framed && !bodyless && !chunked) headers.push(['content-length', String(length)])
  if (!framed && !bodyless && chunked && !http2 && method !== 'HEAD') headers.push(['transfer-encoding', 'chunked'])
  return {
    kind: 'response',
    headers,
    pieces: pieces.filter((piece) => piece.length > 0),
    // An HTTP/1.1 upstream's trailers are dropped.
    trailers: http2 ? trailers : [],
    delay,
    bodyless: bodyless || method === 'HEAD',
  }
}

export function bodyPieces(body: BodyInit | undefined): Buffer[] {
  if (body === undefined) return []
  const list = typeof body === 'string' || body instanceof Uint8Array ? [body] : body
  return list.map(toBuffer)
}

export function binaryPairs(pairs: readonly (readonly [string, string])[]): Pair[] {
  return pairs.map(([name, value]) => [toBinary(name), toBinary(value)])
}

function askGrpc(methods: Record<string, GrpcHandler>, request: UpstreamRequest): GrpcResult | Promise<GrpcResult> {
  const handler = methods[request.path.slice(1)]
  if (!handler) return { status: UNIMPLEMENTED, message: `no method ${request.path}` }
  return handler(grpcMessages(request.body), request.headers)
}

function grpcAnswer(result: GrpcResult): Answer {
  const { messages = [], status = 0, message, delay = 0 } = result
  const trailersOnly = result.trailersOnly ?? (messages.length === 0 && status !== 0)
  const headers: Pair[] = [
    [':status', '200'],
    ['content-type', 'application/grpc'],
    ...binaryPairs(headerPairs(result.initialMetadata)),
  ]
  const trailers: Pair[] = [['grpc-status', String(status)]]
  if (message !== undefined) trailers.push(['grpc-message', encodeURIComponent(message)])
  trailers.push(...binaryPairs(headerPairs(result.trailingMetadata)))
  if (trailersOnly) headers.push(...trailers)
  return {
    kind: 'response',
    headers,
    pieces: trailersOnly ? [] : messages.map(grpcFrame),
    trailers: trailersOnly ? [] : trailers,
    delay,
    bodyless: trailersOnly,
  }
}
