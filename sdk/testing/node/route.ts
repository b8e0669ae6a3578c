/** Which route a request takes. */
import type { RouteSpec } from '../types.ts'
import { toBinary } from './bytes.ts'
import type { HeaderMap } from './header_map.ts'

export type Route =
  | { kind: 'cluster'; name: string; cluster: string }
  | { kind: 'direct'; name: string; status: number; body: Buffer; location: boolean }

const EVERYTHING: readonly RouteSpec[] = [{ cluster: 'upstream' }]

/** Undefined: none matches. */
export function findRoute(specs: readonly RouteSpec[] = EVERYTHING, headers: HeaderMap): Route | undefined {
  const path = headers.get(':path')
  // Without this one, which every request has at first, Envoy does not even look for a route.
  if (path === undefined || !headers.has('x-forwarded-proto')) return undefined
  const spec = specs.find((candidate) => matches(candidate, headers, path))
  if (!spec) return undefined
  const name = toBinary(spec.name ?? '')
  if (spec.directResponse) {
    const { status, body = '' } = spec.directResponse
    return { kind: 'direct', name, status, body: Buffer.from(body), location: status === 201 || isRedirect(status) }
  }
  const cluster = spec.clusterHeader === undefined ? spec.cluster : (headers.get(spec.clusterHeader) ?? '')
  return { kind: 'cluster', name, cluster: cluster ?? 'upstream' }
}

function matches(spec: RouteSpec, headers: HeaderMap, path: string): boolean {
  if (
    spec.path !== undefined
      ? path.split(/[?#]/)[0] !== toBinary(spec.path)
      : !path.startsWith(toBinary(spec.prefix ?? '/'))
  ) {
    return false
  }
  if (spec.authority !== undefined && headers.get(':authority') !== toBinary(spec.authority)) return false
  return Object.entries(spec.headers ?? {}).every(([name, value]) => headers.joined(name) === toBinary(value))
}

function isRedirect(status: number): boolean {
  return status >= 300 && status < 400
}
