/** The ratelimit filter, its schema, and configurations and requests for it with what must come of them. */

import { Ajv } from 'ajv'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { RequestInit } from '../../sdk/testing/types.ts'
import { root } from '../bench/paths.ts'
import type { Random } from '../json/documents.ts'
import type { ByteSource } from './bytes.ts'
import { depth, duration, hasConditions } from './conditions.ts'
import type { Scene } from './traffic.ts'
import { isTemplate, unsayable } from './unsayable.ts'

const PATHS = ['/a', '/a/b', '/a?b=c', '/', '/users/1', '/users/2?x', '/users/1/orders/7']
const USERS = ['bob', 'jason', '', 'gr%C3%B6%C3%9Fe']
const TEMPLATES = ['/users/{*}', '/users/{*}/orders/{**}', '/{**}']
/** The deepest nesting that the JSON reader takes. */
const MAX_DEPTH = 64
/** So much is never used up. */
const PLENTY = 4_000_000_000
/** Milliseconds. */
const LEAST = 1
const LONGEST = 8760 * 3_600_000
const LONGEST_TIMEOUT = 3_600_000
/** What a global service counts by. */
const GLOBAL_UNITS = [1000, 60_000, 3_600_000, 86_400_000]

interface Limit {
  requests: number
  per: string
  algorithm?: 'token-bucket' | 'sliding-window'
  burst?: number
}
interface Rule {
  name?: string
  match?: object[]
  descriptors?: object[]
  limit: Limit
  cost?: number
  scope?: 'worker' | 'proxy' | 'global'
}
interface Configuration {
  version: 1
  mode?: 'enforce' | 'audit'
  status?: number
  headers?: 'none' | 'draft-03' | 'rfc'
  maxKeys?: number
  global?: { timeout?: string }
  rules: Rule[]
}

function makeConfiguration(random: Random): Configuration {
  return {
    version: 1,
    ...(random.below(4) === 0 && { mode: 'audit' }),
    ...(random.below(2) && { status: random.pick([429, 503, 599]) }),
    headers: random.pick(['none', 'draft-03', 'rfc']),
    maxKeys: random.pick([1, 4, 5, 100]),
    rules: Array.from({ length: random.below(6) }, () => makeRule(random)),
  }
}

function makeRule(random: Random): Rule {
  const matches = [
    { path: { prefix: random.pick(['/a', '/users/', '/']) } },
    { headers: { 'x-user': random.pick([{ exact: 'bob' }, { regex: 'j.*' }, { present: true }]) } },
    { method: { exact: 'POST' }, withoutHeaders: { 'x-user': { prefix: 'j' } } },
  ]
  const limit = makeLimit(random)
  return {
    ...(random.below(2) && { name: random.pick(['a', 'all', 'größe', 'x'.repeat(300)]) }),
    ...(random.below(3) && { match: [random.pick(matches), ...(random.below(3) ? [] : [random.pick(matches)])] }),
    ...(random.below(3) && { descriptors: Array.from({ length: random.below(4) }, () => makeDescriptor(random)) }),
    limit,
    ...(random.below(3) === 0 && { cost: 1 + random.below(Math.min(limit.burst ?? limit.requests, 10)) }),
    scope: random.pick(['worker', 'proxy']),
  }
}

function makeLimit(random: Random): Limit {
  const requests = random.pick([1, 2, 7, 50, 70_000, PLENTY])
  const per = random.pick(['1ms', '7ms', '30ms', '1s', '1h', '8760h'])
  if (random.below(2)) return { requests, per, algorithm: 'sliding-window' }
  return { requests, per, ...(random.below(2) && { burst: random.pick([1, 3, 1000, PLENTY]) }) }
}

function makeDescriptor(random: Random): object {
  return random.pick<object>([
    { header: 'x-user' },
    { method: true },
    { path: [random.pick(TEMPLATES), random.pick(TEMPLATES)] },
    { principal: true },
    { claim: ['sub'] },
    { remoteAddress: true },
    { constant: random.pick(['', 'a']), as: 'k' },
  ])
}

function makeRequest(random: Random, bytes: ByteSource): RequestInit {
  const headers: [string, string][] = []
  for (let i = random.below(3); i--;) headers.push(['x-user', random.below(8) ? random.pick(USERS) : text(bytes)])
  if (random.below(10) === 0) headers.push(['content-type', 'application/grpc'])
  return { method: random.pick(['GET', 'POST', 'HEAD', 'PUT']), path: random.pick(PATHS), headers }
}

/** Of any bytes, but as a header's value is. */
const text = (bytes: ByteSource): string =>
  bytes
    .noise()
    .toString('latin1')
    .replaceAll(/[^!-~]/g, '_')

/** The statuses that may come of a request; undefined for those of gRPC, which are in trailers or not. */
function statusesOf(configuration: Configuration, { headers = [] }: RequestInit): number[] | undefined {
  const lines = headers as readonly (readonly [string, string])[]
  if (lines.some(([name]) => name === 'content-type')) return undefined
  const { mode, status = 429, rules } = configuration
  const canRefuse = rules.some(({ limit, cost = 1 }) => (limit.burst ?? limit.requests) < PLENTY || cost > 1)
  return mode === 'audit' || !canRefuse ? [200] : [200, status]
}

const complete = {
  $schema: 'schema.json',
  version: 1,
  mode: 'enforce',
  status: 503,
  body: 'later',
  headers: 'rfc',
  maxKeys: 100,
  rules: [
    {
      name: 'a',
      match: [
        { path: { prefix: '/A' }, ignoreCase: true, method: { exact: 'GET' }, withoutHeaders: { x: { exact: 'a' } } },
        { queryParams: { Q: { regex: 'a+' } }, claims: [{ claim: ['a'], value: { exact: 'b' } }] },
      ],
      descriptors: [
        { header: 'x-user', as: 'user' },
        { method: true },
        { path: ['/shops/{*}', '/{**}'] },
        { principal: true },
        { claim: ['realm', 'role'] },
        { remoteAddress: true },
        { constant: 'c' },
      ],
      limit: { requests: 10, per: '1m30s', algorithm: 'token-bucket', burst: 20 },
      cost: 3,
      scope: 'worker',
    },
    { limit: { requests: 100_000, per: '0.5s', algorithm: 'sliding-window' }, cost: 7, scope: 'proxy' },
    { descriptors: [], limit: { requests: 1, per: '8760h' } },
    { scope: 'global', descriptors: [{ method: true, as: 'm' }], limit: { requests: 5, per: '24h' }, cost: 2 },
    { scope: 'global', descriptors: [{ constant: 'c' }] },
  ],
  global: {
    cluster: 'ratelimit',
    authority: 'limits',
    domain: 'shop',
    timeout: '50ms',
    failureMode: 'open',
    statusOnError: 503,
    cache: { maxKeys: 10 },
  },
}

const path = 'filters/ratelimit/assembly/index.ts'

export const ratelimit = {
  path,
  real: [complete],
  grow: (bytes: number): object => {
    const { rules } = complete
    const count = Math.ceil(bytes / JSON.stringify(rules).length)
    return { version: 1, maxKeys: 1, global: complete.global, rules: Array.from({ length: count }, () => rules).flat() }
  },
  isValid: validator(),
}

export const ratelimitScene: Scene<Configuration> = { path, makeConfiguration, makeRequest, statusesOf }

function validator(): (configuration: unknown) => boolean {
  const schema = JSON.parse(readFileSync(join(root, 'filters/ratelimit/schema.json'), 'utf8')) as object
  const validate = new Ajv({ strict: true, strictRequired: false, strictTypes: false }).compile<Configuration>(schema)
  return (configuration) =>
    depth(configuration) <= MAX_DEPTH &&
    validate(configuration) &&
    unsayable(configuration) &&
    isPossible(configuration) &&
    isPossibleService(configuration) &&
    configuration.rules.every(isPossibleRule)
}

function isPossible(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true
  return hasConditions(value) && Object.values(value).every(isPossible)
}

function isPossibleService({ global, rules }: Configuration): boolean {
  const timeout = duration(global?.timeout ?? '100ms')!
  if (timeout < 1 || timeout > LONGEST_TIMEOUT) return false
  return global !== undefined || !rules.some(({ scope }) => scope === 'global')
}

function isPossibleRule({ scope, limit, cost = 1, descriptors = [] }: Rule): boolean {
  if (!descriptors.every((each) => !('path' in each) || (each.path as string[]).every(isTemplate))) return false
  if (scope === 'global') return !(limit as Limit | undefined) || GLOBAL_UNITS.includes(duration(limit.per)!)
  const { requests, per, algorithm, burst } = limit
  const time = duration(per)!
  if (time < LEAST || time > LONGEST || (algorithm === 'sliding-window' && burst !== undefined)) return false
  return cost <= (burst ?? requests)
}
