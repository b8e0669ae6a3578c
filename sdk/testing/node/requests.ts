/** A client's request as the connection manager hands it to the filters. */
import { randomUUID } from 'node:crypto'
import { isIP, SocketAddress } from 'node:net'
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
import { codecError, isKnownMethod, parseRequest, splitTarget } from './raw_request.ts'
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
  if (init.raw !== undefined) return prepareRaw(init.raw, connection, open, options)
  const http2 = init.protocol === 'http2' || init.trailers !== undefined
  const pieces = bodyPieces(init.body)
  const request = {
    method: toBinary(init.method ?? 'GET'),
    path: toBinary(init.path ?? '/'),
    authority: toBinary(init.authority ?? 'localhost'),
    scheme: init.scheme,
    headers: binaryEntries(init.headers),
  }
  const headers = clientHeaders(request, http2, connection)
  const sized = !open && init.body !== undefined && !Array.isArray(init.body)
  if (sized && !http2) headers.assign('content-length', String(pieces[0]!.length))
  const refused = http2 ? checkPath(headers, true, options) : checkHttp1(headers, options)
  if (!refused) manage(headers, connection)
  const trailers = init.trailers && new HeaderMap('trailers', binaryEntries(init.trailers))
  const empty = pieces.every((piece) => piece.length === 0)
  // An empty body is a frame of its own only in HTTP/2.
  const headersOnly = !open && !trailers && (init.body === undefined || (empty && !http2))
  return { headers, pieces: pieces.filter((piece) => piece.length > 0), trailers, http2, headersOnly, refused }
}

/** The same for bytes of HTTP/1.1. */
function prepareRaw(
  raw: string | Uint8Array,
  connection: ConnectionInfo,
  open: boolean,
  options: Pick<HostOptions, 'connectionManager' | 'bootstrap'>,
): PreparedRequest {
  const parsed = parseRequest(raw)
  if ('details' in parsed) {
    return { headers: new HeaderMap('request'), pieces: [], http2: false, headersOnly: true, refused: parsed }
  }
  const headers = clientHeaders(parsed, false, connection)
  const refused = checkHttp1(headers, options)
  if (!refused) manage(headers, connection)
  const { body } = parsed
  const headersOnly = !open && body.length === 0
  return { headers, pieces: body.length > 0 ? [body] : [], http2: false, headersOnly, refused }
}

export function binaryEntries(init: RequestInit['headers']): Pair[] {
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

/** In bytes. */
interface ClientRequest {
  method: string
  path: string
  authority: string
  scheme?: string
  headers: readonly Pair[]
}

/** In the order in which Envoy's codecs have them. */
function clientHeaders(request: ClientRequest, http2: boolean, { tls }: ConnectionInfo): HeaderMap {
  const { method, headers } = request
  const { path, authority = request.authority } = http2 ? request : splitTarget(request.path)
  const scheme = request.scheme ?? (tls ? 'https' : 'http')
  const pseudo: Pair[] = http2
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
  const map = new HeaderMap('request', pseudo)
  // Space around a value is not part of it.
  for (const [name, value] of headers) map.add(name, value.replace(OUTER_SPACE, ''))
  return map
}

const OUTER_SPACE = /^[ \t]+|[ \t]+$/g

function checkHttp1(
  headers: HeaderMap,
  options: Pick<HostOptions, 'connectionManager' | 'bootstrap'>,
): LocalResponse | undefined {
  const known = isKnownMethod(headers.get(':method')!) && /^[/*]/.test(headers.get(':path')!)
  return known ? checkPath(headers, false, options) : codecError()
}

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
  if (last === undefined) return undefined
  const [text, zone, ...rest] = last.split('%')
  const version = isIP(text!)
  if (version === 0 || rest.length > 0) return undefined
  // Zones of IPv6 by number are taken; names of interfaces are a matter of the machine.
  if (zone !== undefined && (version === 4 || !/^\d+$/.test(zone) || Number(zone) >= 2 ** 32)) return undefined
  // Addresses are printed in the short form, however they were written.
  const { address } = new SocketAddress({ address: text!, family: version === 4 ? 'ipv4' : 'ipv6' })
  return { address: Number(zone ?? 0) > 0 ? `${address}%${Number(zone)}` : address, port: 0 }
}
