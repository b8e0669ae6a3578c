/** The fault filter, its schema, and configurations and requests for it with what must come of them. */

import { Ajv } from 'ajv'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { compileFaults } from '../../cli/src/compile/traffic/fault.ts'
import { Source } from '../../cli/src/resources/source.ts'
import type { RequestInit } from '../../sdk/testing/types.ts'
import { root } from '../bench/paths.ts'
import type { Random } from '../json/documents.ts'
import type { ByteSource } from './bytes.ts'
import { depth, duration, hasConditions } from './conditions.ts'
import type { Scene } from './traffic.ts'
import { unsayable } from './unsayable.ts'

const PATHS = ['/a', '/a/b', '/a?b=c', '/', '/é', '/shop']
const USERS = ['bob', 'jason', '', 'größe']
const STATUSES = [200, 418, 500, 503, 599]
const GRPC = ['OK', 'NOT_FOUND', 'UNAVAILABLE', 'UNAUTHENTICATED']
const ASKED = ['5ms', '10', '0.02s', '1h', '-1', '', 'soon', '503', '404', 'NOT_FOUND', '99999999999999999999']
/** The deepest nesting that the JSON reader takes. */
const MAX_DEPTH = 64

interface Abort {
  percentage: number
  httpStatus?: number
  grpcStatus?: string
}
interface Route {
  match?: { path?: { prefix: string }; headers?: Record<string, object> }[]
  fault?: { delay?: object; abort?: Abort; response?: object; by?: object; until?: string }
}
interface Configuration {
  version: 1
  enabled?: boolean
  virtualHosts: { domains: string[]; routes: Route[] }[]
  headers?: object
}

function makeConfiguration(random: Random): Configuration {
  const hosts = [['*'], ['a.test'], ['*.b.test', 'c.*']].slice(0, 1 + random.below(3))
  return {
    version: 1,
    ...(random.below(8) === 0 && { enabled: false }),
    virtualHosts: hosts.map((domains) => ({
      domains,
      routes: Array.from({ length: random.below(5) }, () => makeRoute(random)),
    })),
    ...(random.below(2) && { headers: makeTrigger(random) }),
  }
}

function makeRoute(random: Random): Route {
  const matches = [
    { path: { prefix: random.pick(['/a', '/a/', '/s']) } },
    { headers: { 'x-user': random.pick([{ exact: 'bob' }, { regex: 'j.*' }, { present: true }]) } },
    { path: { prefix: '/' }, headers: { 'x-user': { prefix: 'j' } } },
  ]
  return {
    ...(random.below(3) && { match: [random.pick(matches), ...(random.below(3) ? [] : [random.pick(matches)])] }),
    ...(random.below(4) && { fault: makeFault(random) }),
  }
}

function makeFault(random: Random): NonNullable<Route['fault']> {
  const percentage = percentageOf(random)
  const status = random.below(2) ? { httpStatus: random.pick(STATUSES) } : { grpcStatus: random.pick(GRPC) }
  const response = {
    corrupt: { percentage: percentageOf(random), bytes: random.pick([1, 7, 5000]) },
    ...(random.below(2) && { chunkDelay: makeDelay(random) }),
  }
  return {
    delay: makeDelay(random),
    ...(random.below(2) && { abort: { percentage, ...status } }),
    ...(random.below(2) && { response }),
    ...(random.below(2) && { by: { header: 'x-user' } }),
    ...(random.below(4) === 0 && { until: random.pick(['2001-02-03T04:05:06Z', '2999-12-31T23:59:59.9-11:00']) }),
  }
}

const percentageOf = (random: Random): number => random.pick([0, 100, 0.5, 50, 99.9])

/** None that is long: requests wait for them. */
function makeDelay(random: Random): object {
  const shape = random.pick([
    { fixed: random.pick(['0s', '1ms', '25ms', '1.5ms']) },
    { uniform: { min: '0s', max: random.pick(['0s', '20ms']) } },
    { normal: { mean: '5ms', deviation: '20ms', max: '30ms' } },
    { spikes: { base: '1ms', spike: '30ms', percentage: percentageOf(random) } },
  ])
  return { percentage: percentageOf(random), ...shape }
}

function makeTrigger(random: Random): object {
  return {
    delay: 'x-fault-delay',
    abort: 'x-fault-abort',
    allow: [{ headers: { 'x-user': random.pick([{ exact: 'bob' }, { present: true }]) } }],
    maxDelay: '40ms',
    ...(random.below(4) === 0 && { until: '2001-02-03T04:05:06Z' }),
  }
}

function makeRequest(random: Random, bytes: ByteSource): RequestInit {
  const headers: [string, string][] = []
  if (random.below(3)) headers.push(['x-user', random.below(8) ? random.pick(USERS) : text(bytes)])
  if (random.below(6) === 0) headers.push(['x-fault-delay', random.below(8) ? random.pick(ASKED) : text(bytes)])
  if (random.below(6) === 0) headers.push(['x-fault-abort', random.below(8) ? random.pick(ASKED) : text(bytes)])
  return {
    method: random.pick(['GET', 'POST', 'HEAD', 'PUT']),
    path: random.pick(PATHS).replace('é', '%C3%A9'),
    authority: random.pick(['a.test', 'x.b.test', 'c.test:8080', 'other']),
    headers,
  }
}

/** Of any bytes, but as a header's value is. */
const text = (bytes: ByteSource): string =>
  bytes
    .noise()
    .toString('latin1')
    .replaceAll(/[^!-~]/g, '_')

/**
 * The statuses that may come of a request. Undefined for any: where more than one route may be the first, or the request itself asks.
 * For clients of HTTP, which all of these are, a gRPC status is a 200.
 */
function statusesOf(configuration: Configuration, { headers = [], authority }: RequestInit): number[] | undefined {
  const lines = headers as readonly (readonly [string, string])[]
  if (lines.some(([name]) => name === 'x-fault-abort')) return undefined
  if (configuration.enabled === false || authority === undefined) return [200]
  const routes = configuration.virtualHosts.flatMap((host) => host.routes)
  const faults = routes.flatMap(({ fault }) => (fault?.abort && fault.abort.percentage > 0 ? [fault.abort] : []))
  const certain = configuration.virtualHosts.length === 1 && routes[0] && !routes[0].match ? routes[0].fault : undefined
  const { abort, until } = certain ?? {}
  const statusOf = ({ httpStatus = 200 }: Abort): number => httpStatus
  if (certain && until === undefined)
    return abort?.percentage === 100 ? [statusOf(abort)] : [200, ...(abort ? [statusOf(abort)] : [])]
  return [200, ...faults.map(statusOf)]
}

const sources = [
  `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: ratings, namespace: default}
spec:
  hosts: [ratings]
  http:
  - match: [{headers: {end-user: {exact: jason}}}]
    fault: {delay: {percentage: {value: 100}, fixedDelay: 7s}, abort: {percentage: {value: 1}, grpcStatus: UNAVAILABLE}}
    route: [{destination: {host: ratings}}]
  - route: [{destination: {host: ratings}}]
`,
].map((yaml, index) => new Source(`${index}.yaml`, yaml))

function compiled(): object {
  const { configuration, diagnostics } = compileFaults(sources, {
    workload: { namespace: 'default', name: 'client', labels: {} },
  })
  if (!configuration) throw new Error(diagnostics.summary)
  return configuration
}

const complete = {
  $schema: 'schema.json',
  version: 1,
  enabled: true,
  virtualHosts: [
    {
      name: 'h',
      domains: ['a', '*.a', 'b.*', '*'],
      routes: [
        {
          name: 'r',
          match: [
            {
              path: { prefix: '/A' },
              ignoreCase: true,
              method: { exact: 'GET' },
              withoutHeaders: { x: { exact: 'a' } },
            },
            { queryParams: { Q: { regex: 'a+' } }, claims: [{ claim: ['a'], value: { exact: 'b' } }] },
          ],
          fault: {
            delay: { percentage: 1, uniform: { min: '1s', max: '2s' } },
            abort: { percentage: 0.5, grpcStatus: 'ABORTED', body: 'b' },
            response: {
              corrupt: { percentage: 3, bytes: 4 },
              chunkDelay: { percentage: 5, normal: { mean: '1s', deviation: '1ms', max: '3s' } },
            },
            by: { header: 'x-user' },
            until: '2026-12-01T00:00:00Z',
          },
        },
        { fault: { delay: { percentage: 1, spikes: { base: '1s', spike: '2s', percentage: 3 } } } },
        { fault: { delay: { percentage: 1, fixed: '1m30s' }, abort: { percentage: 1, httpStatus: 503 } } },
        {},
      ],
    },
  ],
  headers: {
    delay: 'x-d',
    abort: 'x-a',
    allow: [{ principal: { suffix: '/tester' } }],
    maxDelay: '5s',
    until: '2026-12-01T00:00:00+01:00',
  },
}

/** The module that has all of it. */
const path = 'filters/fault-responses/assembly/index.ts'

export const fault = {
  path,
  real: [complete, compiled()],
  grow: (bytes: number): object => {
    const { routes } = complete.virtualHosts[0]!
    const count = Math.ceil(bytes / JSON.stringify(routes).length)
    const all = Array.from({ length: count }, () => routes).flat()
    return { version: 1, virtualHosts: [{ domains: ['*'], routes: all }] }
  },
  isValid: validator(),
}

export const faultScene: Scene<Configuration> = { path, makeConfiguration, makeRequest, statusesOf }

function validator(): (configuration: unknown) => boolean {
  const schema = JSON.parse(readFileSync(join(root, 'filters/fault/schema.json'), 'utf8')) as object
  const validate = new Ajv({ strict: true, strictRequired: false }).compile<Configuration>(schema)
  return (configuration) => {
    if (depth(configuration) > MAX_DEPTH || !validate(configuration)) return false
    const domains = configuration.virtualHosts.flatMap((host) => host.domains.map((domain) => domain.toLowerCase()))
    if (new Set(domains).size !== domains.length || !domains.every(isDomain)) return false
    return unsayable(configuration) && isPossible(configuration)
  }
}

function isDomain(domain: string): boolean {
  const bare = domain === '*' ? '' : domain.replace(/^\*|\*$/, '')
  return !bare.includes('*') && !/:[^\]]*$/.test(domain)
}

/** What the schema does not say: durations in their order, none over a day, and entries of a match that compare something. */
function isPossible(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true
  const { min, max, mean } = value as Record<string, unknown>
  if (!hasConditions(value)) return false
  const [low, high] = [duration(min ?? mean), duration(max)]
  if (low !== undefined && high !== undefined && low > high) return false
  return Object.values(value).every(isPossible)
}
