/** A request as policies see it, whatever it was read from. */
import { isIP } from 'node:net'
import { nearest } from '../resources/nearest.ts'

export interface PolicyRequest {
  method: string
  /** With the query. */
  path: string
  /** `:authority`, with the port where one is written. */
  host: string
  /** In order; names in lower case; a repeated header has several entries. */
  headers: [name: string, value: string][]
  /** SANs of the client's certificate; none: plaintext. */
  peer: string[]
  /** The direct peer's address. */
  sourceIp?: string
  sni?: string
  /** The workload's port. */
  port?: number
  /** The workload's address. */
  destinationIp?: string
  /** Payload of the JWT that `jwt_authn` has verified. */
  claims?: Record<string, unknown>
  /** Other dynamic metadata: filter → key → value. */
  metadata?: Record<string, Record<string, unknown>>
}

/** What a reader of requests cannot make sense of. Its caller says in which file. */
export class RequestError extends Error {
  override name = 'RequestError'
}

export function emptyRequest(): PolicyRequest {
  return { method: 'GET', path: '/', host: 'localhost', headers: [], peer: [] }
}

/** Adds a header line; `Host` is the authority, and pseudo-headers have fields of their own. */
export function addHeader(request: PolicyRequest, name: string, value: string): void {
  const lower = name.trim().toLowerCase()
  const trimmed = value.trim()
  if (lower === 'host' || lower === ':authority') request.host = trimmed
  else if (lower === ':method') request.method = trimmed
  else if (lower === ':path') request.path = trimmed
  else if (lower.startsWith(':')) return
  else if (!/^[\w!#$%&'*+.^`|~-]+$/.test(lower)) throw new RequestError(`${JSON.stringify(name)} is not a header name`)
  else request.headers.push([lower, trimmed])
}

/** What would quietly match nothing is a mistake. */
export function checkRequest(request: PolicyRequest): void {
  for (const peer of request.peer) {
    if (/^[^:]+\/ns\/[^/]+\/sa\//.test(peer))
      throw new RequestError(`the peer ${peer} has no scheme: write spiffe://${peer}`)
  }
  for (const address of [request.sourceIp, request.destinationIp]) checkAddress(address)
  if (!request.path.startsWith('/') && request.method !== 'CONNECT') throw new RequestError('a path begins with /')
}

function checkAddress(address: string | undefined): void {
  if (address !== undefined && isIP(address) === 0)
    throw new RequestError(`${JSON.stringify(address)} is no IP address`)
}

/** Envoy's remote address is the last one in X-Forwarded-For. */
export function setRemoteIp(request: PolicyRequest, address: string): void {
  if (request.headers.some(([name]) => name === 'x-forwarded-for')) {
    throw new RequestError('the remote address is already given by the header x-forwarded-for')
  }
  checkAddress(address)
  request.headers.push(['x-forwarded-for', address])
}

/** The claims as Istio has `jwt_authn` leave them: two of them are lists of words. */
export function jwtPayload({ claims }: PolicyRequest): Record<string, unknown> | undefined {
  const lists = ['permission', 'scope'].flatMap((name) => {
    const value = claims?.[name]
    return typeof value === 'string' ? [[name, value.split(' ').filter(Boolean)] as const] : []
  })
  return claims && { ...claims, ...Object.fromEntries(lists) }
}

/** Values of a header; none: it is not there. */
export function headerValues({ headers }: PolicyRequest, name: string): string[] {
  return headers.filter(([each]) => each === name).map(([, value]) => value)
}

const fields = [
  'method',
  'path',
  'host',
  'headers',
  'peer',
  'sourceIp',
  'remoteIp',
  'sni',
  'port',
  'destinationIp',
  'claims',
  'metadata',
]

/** Reads the JSON form of a request (docs/explain.md). */
export function requestFromJson(value: unknown): PolicyRequest {
  const given = object(value, 'a request')
  for (const key of Object.keys(given)) {
    if (fields.includes(key)) continue
    const near = nearest(key, fields)
    throw new RequestError(
      `unknown field ${JSON.stringify(key)}; ${near ? `did you mean ${near}?` : `known: ${fields.join(', ')}`}`,
    )
  }
  const request = emptyRequest()
  const text = (key: string): string | undefined => {
    const found = given[key]
    if (found !== undefined && typeof found !== 'string') throw new RequestError(`${key} has to be a string`)
    return found
  }
  request.method = text('method') ?? request.method
  request.path = text('path') ?? request.path
  request.host = text('host') ?? request.host
  request.sourceIp = text('sourceIp')
  request.sni = text('sni')
  request.destinationIp = text('destinationIp')
  request.peer = texts(given['peer'], 'peer')
  for (const [name, values] of Object.entries(object(given['headers'] ?? {}, 'headers'))) {
    for (const each of texts(values, `headers.${name}`)) addHeader(request, name, each)
  }
  const remote = text('remoteIp')
  if (remote !== undefined) setRemoteIp(request, remote)
  const port = given['port']
  if (port !== undefined) request.port = parsePort(port)
  if (given['claims'] !== undefined) request.claims = object(given['claims'], 'claims')
  if (given['metadata'] !== undefined) {
    const metadata = object(given['metadata'], 'metadata')
    request.metadata = Object.fromEntries(
      Object.entries(metadata).map(([filter, keys]) => [filter, object(keys, `metadata.${filter}`)]),
    )
  }
  return request
}

export function parsePort(value: unknown): number {
  const port = Number(value)
  if (Number.isInteger(port) && port > 0 && port < 65536) return port
  throw new RequestError('a port is a number from 1 to 65535')
}

export function object(value: unknown, what: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  throw new RequestError(`${what} has to be a JSON object`)
}

function texts(value: unknown, what: string): string[] {
  const list = value === undefined ? [] : Array.isArray(value) ? value : [value]
  if (list.every((each): each is string => typeof each === 'string')) return list
  throw new RequestError(`${what} has to be a string or a list of strings`)
}

/** Splits an absolute `http(s)://` URL as a client sends it: what goes into the request line and into Host. */
export function splitUrl(url: string): { scheme: string; user?: string; host: string; path: string } {
  const [, scheme, user, host, rest] = /^(?:([a-z]+):\/\/)?(?:([^/?#@]*)@)?([^/?#]+)([^#]*)/i.exec(url) ?? []
  if (!host || (scheme && !/^https?$/i.test(scheme))) throw new RequestError(`${JSON.stringify(url)} is no http URL`)
  const lower = (scheme ?? 'http').toLowerCase()
  const standard = lower === 'https' ? ':443' : ':80'
  const path = rest || '/'
  return {
    scheme: lower,
    user,
    host: host.endsWith(standard) ? host.slice(0, -standard.length) : host,
    path: path.startsWith('/') ? path : `/${path}`,
  }
}
