/** A client's request as the connection manager hands it to the filters. */
import { randomUUID } from 'node:crypto'
import { isIP } from 'node:net'
import { headerPairs } from '../headers.ts'
import type { HostOptions, RequestInit } from '../types.ts'
import { bodyPieces } from './answer.ts'
import { toBinary } from './bytes.ts'
import { forwardedClientCert } from './connection.ts'
import type { LocalResponse } from './context.ts'
import { HeaderMap } from './header_map.ts'
import { plainReply } from './local_reply.ts'
import type { Pair } from './pairs.ts'
import { normalizePath } from './path_normalization.ts'
import type { ConnectionInfo, HttpInfo } from './stream_info.ts'

export interface PreparedRequest {
  headers: HeaderMap
  pieces: Buffer[]
  trailers?: HeaderMap
  http2: boolean
  /** The headers are all there is. */
  headersOnly: boolean
  /** Refused before any filter sees it. */
  refused?: LocalResponse
}

/** `open`: the body will come piece by piece. */
export function prepareRequest(
  init: RequestInit,
  connection: ConnectionInfo,
  open: boolean,
  options: Pick<HostOptions, 'connectionManager' | 'bootstrap'> = {},
): PreparedRequest {
  if (init.raw !== undefined) throw new Error('`raw` requests are for real Envoy only')
  const http2 = init.protocol === 'http2' || init.trailers !== undefined
  const tls = connection.tls !== undefined
  const pieces = bodyPieces(init.body)
  const headers = new HeaderMap('request', pseudoHeaders(init, http2, tls))
  // Space around a value is not part of it.
  for (const [name, value] of headerPairs(init.headers))
    headers.add(toBinary(name), toBinary(value).replace(OUTER_SPACE, ''))
  const sized = !open && init.body !== undefined && !Array.isArray(init.body)
  if (sized && !http2) headers.assign('content-length', String(pieces[0]!.length))
  const refused = checkPath(headers, http2, options)
  if (!refused) manage(headers, connection)
  const trailers = init.trailers && new HeaderMap('trailers', binaryEntries(init.trailers))
  const empty = pieces.every((piece) => piece.length === 0)
  // An empty body is a frame of its own only in HTTP/2.
  const headersOnly = !open && !trailers && (init.body === undefined || (empty && !http2))
  return { headers, pieces: pieces.filter((piece) => piece.length > 0), trailers, http2, headersOnly, refused }
}

export function binaryEntries(init: NonNullable<RequestInit['headers']>): Pair[] {
  return headerPairs(init).map(([name, value]) => [toBinary(name), toBinary(value)])
}

export function httpInfo(now: number, { http2, headers }: PreparedRequest): HttpInfo {
  return {
    protocol: http2 ? 'HTTP/2' : 'HTTP/1.1',
    source: forwardedAddress(headers),
    start: now,
    requestSize: 0,
    responseSize: 0,
    attempts: 0,
    details: '',
    flags: 0,
    route: undefined,
  }
}

/** In the order in which Envoy's codecs have them. */
function pseudoHeaders(init: RequestInit, http2: boolean, tls: boolean): Pair[] {
  const method = toBinary(init.method ?? 'GET')
  const path = toBinary(init.path ?? '/')
  const authority = toBinary(init.authority ?? 'localhost')
  const scheme = init.scheme ?? (tls ? 'https' : 'http')
  const first: Pair[] = http2
    ? [
        [':method', method],
        [':scheme', scheme],
        [':authority', authority],
        [':path', path],
      ]
    : [
        [':authority', authority],
        [':path', path],
        [':method', method],
        [':scheme', scheme],
      ]
  return first
}

const OUTER_SPACE = /^[ \t]+|[ \t]+$/g

/** Puts the normalized path in place, or answers what Envoy says to a path that it refuses. */
function checkPath(
  headers: HeaderMap,
  http2: boolean,
  { connectionManager = {}, bootstrap }: Pick<HostOptions, 'connectionManager' | 'bootstrap'>,
): LocalResponse | undefined {
  const path = headers.get(':path')!

  if (!http2 && /[^\x21-\x7e]/.test(path)) return plainReply(400, 'Bad Request', 'http1.codec_error')
  if (!http2 && path === '*') return plainReply(400, 'Bad Request', 'http1.invalid_url')
  const normal = path.includes('#') && rejectsFragments(bootstrap) ? undefined : normalizePath(path, connectionManager)
  if (normal === undefined) return plainReply(400, '', 'path_normalization_failed')
  if (normal !== path) headers.assign(':path', normal)
  return undefined
}

/** Envoy's default, which Istio's runtime turns off. */
function rejectsFragments(bootstrap: HostOptions['bootstrap']): boolean {
  const { layers = [] } = (bootstrap?.['layered_runtime'] ?? {}) as { layers?: { static_layer?: object }[] }
  const runtime = Object.assign({}, ...layers.map((layer) => layer.static_layer)) as Record<string, unknown>
  return runtime['envoy.reloadable_features.http_reject_path_with_fragment'] !== false
}

/** Clients may not tell the router what to do. */
const INTERNAL = [
  'retry-on',
  'retry-grpc-on',
  'max-retries',
  'retriable-status-codes',
  'retriable-header-names',
  'upstream-alt-stat-name',
  'upstream-rq-timeout-ms',
  'upstream-rq-per-try-timeout-ms',
  'upstream-rq-timeout-alt-response',
  'expected-rq-timeout-ms',
  'force-trace',
  'ip-tags',
  'original-url',
  'hedge-on-per-try-timeout',
].map((name) => `x-envoy-${name}`)

/** What the connection manager adds and removes. */
function manage(headers: HeaderMap, { tls }: ConnectionInfo): void {
  for (const name of ['connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'te']) {
    if (name !== 'te' || headers.get(name) !== 'trailers') headers.remove(name)
  }
  for (const name of INTERNAL) headers.remove(name)
  if (!headers.has('x-forwarded-proto')) headers.add('x-forwarded-proto', tls ? 'https' : 'http')
  if (!headers.has('x-request-id')) headers.add('x-request-id', randomUUID())
  if (!tls) return headers.remove('x-forwarded-client-cert')
  headers.add('x-forwarded-client-cert', forwardedClientCert(tls))
}

/** The last address that the request says it came through, if it is one. */
function forwardedAddress(headers: HeaderMap): { address: string; port: number } | undefined {
  const last = headers.get('x-forwarded-for')?.split(',').at(-1)?.trim()
  return last !== undefined && isIP(last) ? { address: last, port: 0 } : undefined
}
