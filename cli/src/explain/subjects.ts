/** What a request has of what a field looks at, in words. */
import { headerValues, jwtPayload, type PolicyRequest } from '../requests/request.ts'
import type { Subject } from './fields.ts'
import { DEFAULT_DESTINATION_IP, DEFAULT_PORT, DEFAULT_SOURCE_IP } from './filter.ts'

/** The values; none where the request has nothing of the kind. */
export function valuesOf(subject: Subject, request: PolicyRequest): string[] {
  switch (subject.kind) {
    case 'principal':
      return request.peer.map((peer) => peer.replace(/^spiffe:\/\//, ''))
    case 'requestPrincipal':
      return requestPrincipal(request)
    case 'method':
      return [request.method]
    case 'path':
      return [request.path.replace(/[?#].*$/s, '')]
    case 'host':
      return [request.host]
    case 'port':
      return [String(request.port ?? DEFAULT_PORT)]
    case 'sni':
      return request.sni === undefined ? [] : [request.sni]
    case 'sourceIp':
      return [request.sourceIp ?? DEFAULT_SOURCE_IP]
    case 'remoteIp':
      return [remoteIp(request)]
    case 'destinationIp':
      return [request.destinationIp ?? DEFAULT_DESTINATION_IP]
    case 'header':
      return header(request, subject.name)
    case 'claim':
      return texts(follow(jwtPayload(request), subject.path))
    case 'metadata':
      return texts(follow(request.metadata?.[subject.filter], subject.path))
  }
}

/** Why there are no values. */
export function absenceOf(subject: Subject, request: PolicyRequest): string {
  switch (subject.kind) {
    case 'principal':
      return 'no client certificate'
    case 'requestPrincipal':
      return request.claims ? 'claims without iss and sub' : 'no claims'
    case 'claim':
      return request.claims ? 'no such claim' : 'no claims'
    case 'sni':
      return 'no server name'
    case 'metadata':
      return 'no such metadata'
    default:
      return 'none'
  }
}

function header(request: PolicyRequest, name: string): string[] {
  if (name === ':path') return [request.path]
  if (name === ':method') return [request.method]
  return name === ':authority' ? [request.host] : headerValues(request, name)
}

function requestPrincipal({ claims }: PolicyRequest): string[] {
  const { iss, sub } = claims ?? {}
  return typeof iss === 'string' && typeof sub === 'string' ? [`${iss}/${sub}`] : []
}

function remoteIp(request: PolicyRequest): string {
  return (
    headerValues(request, 'x-forwarded-for').join(',').split(',').at(-1)?.trim() ||
    request.sourceIp ||
    DEFAULT_SOURCE_IP
  )
}

const follow = (value: unknown, path: readonly string[]): unknown =>
  path.reduce<unknown>((at, key) => (at as Record<string, unknown> | null | undefined)?.[key], value)

function texts(value: unknown): string[] {
  if (value === undefined || value === null) return []
  return (Array.isArray(value) ? value : [value]).map((each) =>
    typeof each === 'string' ? each : JSON.stringify(each),
  )
}
