/** What an attack is, and how its request is put together. */

import type { Normalization } from '../rbac/arena.ts'
import type { Connection, WireRequest } from '../rbac/requests.ts'
import type { PolicyName } from './policies.ts'

/**
 * What must happen. `refused`: the policy refuses. `answered`: Envoy answers itself, before any filter.
 * `passes`: Istio lets it pass, so we do; `why` says what to make of it.
 */
export type Expected = 'refused' | 'answered' | 'passes'

export interface Attack {
  group: string
  name: string
  policy: PolicyName
  /** Default Istio's: BASE. */
  normalization?: Normalization
  connection: Partial<Connection>
  /** Bytes of HTTP/1.1, each a character; or for HTTP/2 a request. */
  send: string | WireRequest
  expected: Expected
  why?: string
}

export interface Sent {
  method?: string
  target?: string
  host?: string | null
  headers?: string[]
}

/** A request line and header lines, as they are. */
const http1 = ({ method = 'GET', target = '/', host = 'example.com', headers = [] }: Sent): string =>
  [`${method} ${target} HTTP/1.1`, ...(host === null ? [] : [`Host: ${host}`]), ...headers, '', ''].join('\r\n')

export const http2 = (request: Partial<WireRequest>): WireRequest => ({
  ...{ method: 'GET', path: '/', authority: 'example.com', headers: [] },
  ...request,
})

export type Options = Partial<Pick<Attack, 'normalization' | 'connection' | 'why'>> & { expected?: Expected }

export function attack(
  group: string,
  name: string,
  policy: PolicyName,
  sent: Sent | string | WireRequest,
  options: Options = {},
): Attack {
  const send = typeof sent === 'string' || 'authority' in sent ? sent : http1(sent)
  const isHttp2 = typeof send !== 'string'
  const { connection = {}, expected = 'refused', ...rest } = options
  return { group, name, policy, send, expected, ...rest, connection: { ...connection, http2: isHttp2 } }
}
