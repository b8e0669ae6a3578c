/**
 * The traffic filters: rate limit beside the Rust SDK's, routing at 1 and 1 000 routes beside Envoy's own route table, and the four
 * request filters as a bundle and as a chain.
 */

import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { buildFilter } from '../../cli/src/build/index.ts'
import { type Json, staticFilter } from '../../sdk/testing/envoy/index.ts'
import { type RouteSpec } from '../../sdk/testing/index.ts'
import { median, type Result, type Variant } from './compare.ts'
import { peers, root, workFolder } from './paths.ts'
import { type Limit } from './report.ts'
import { compiledRules, makeRules, matchingRequest, type Rule } from './rules.ts'

const CHAIN = ['authorization', 'ratelimit', 'fault', 'routing']
const MANY = 1000

/** What the issue asks for. */
export const limits: Limit[] = [
  { name: 'rate limit', other: 'Rust SDK rate limit', limit: 0.9 },
  { name: `routing ${MANY}`, other: 'routing 1', limit: 1.3 },
  { name: `routing ${MANY}`, other: `Envoy's routes ${MANY}`, limit: 1 },
  { name: 'four filters as a bundle', other: 'four filters in a chain', limit: 0.55 },
]

export async function variants(): Promise<{ variants: Variant[]; notes: string[] }> {
  const notes: string[] = []
  const list: Variant[] = []
  const ready = CHAIN.filter((name) => existsSync(join(root, 'filters', name, 'assembly/index.ts')))
  const modules = new Map<string, string>()
  for (const name of ready) modules.set(name, await build(name, { path: join(root, 'filters', name) }, notes))

  const limiter = modules.get('ratelimit')
  if (limiter !== undefined) list.push({ name: 'rate limit', filters: async () => [plugin(limiter, oneBucket())] })
  const rust = join(peers, 'rust_rl.wasm')
  if (existsSync(rust)) list.push({ name: 'Rust SDK rate limit', filters: async () => [plugin(rust)] })
  else notes.push('left out, since its module is not there: Rust SDK rate limit')

  for (const size of [1, MANY]) {
    const rules = makeRules(size)
    const load = { request: matchingRequest(rules) }
    const routing = modules.get('routing')
    if (routing !== undefined)
      list.push({ name: `routing ${size}`, filters: async () => [plugin(routing, routes(rules))], load })
    // Baselines have one route.
    if (size > 1)
      list.push({
        name: `Envoy's routes ${size}`,
        filters: async () => [],
        routes: nativeRoutes(rules),
        isSingle: true,
        load,
      })
  }

  const rules = makeRules(10)
  const load = { request: matchingRequest(rules) }
  const parts = configurations(rules)
  const count = ['no', 'one', 'two', 'three', 'four'][ready.length]
  if (ready.length < CHAIN.length)
    notes.push(`not there yet: ${CHAIN.filter((name) => !ready.includes(name)).join(', ')}`)
  for (const name of ready)
    list.push({ name: `${name} alone`, filters: async () => [plugin(modules.get(name)!, parts[name])], load })
  const bundle = await build('bundle', { path: root, bundle: ready }, notes)
  const configuration = { version: 1, ...Object.fromEntries(ready.map((name) => [name, parts[name]])) }
  list.push({
    name: `${count} filters in a chain`,
    filters: async () => ready.map((name) => plugin(modules.get(name)!, parts[name])),
    load,
  })
  list.push({ name: `${count} filters as a bundle`, filters: async () => [plugin(bundle, configuration)], load })
  return { variants: list, notes }
}

async function build(name: string, from: { path: string; bundle?: string[] }, notes: string[]): Promise<string> {
  const { output } = await buildFilter({ ...from, output: join(workFolder(), `${name}.wasm`) })
  notes.push(`size of ${name}: ${statSync(output).size} bytes`)
  return output
}

function plugin(file: string, configuration?: unknown): Json {
  return staticFilter('http', 'wasm', { wasm: file, name: 'bench', rootId: 'bundle', configuration }, file)
}

/** As the Rust SDK's filter has it: one bucket for everything, shared by all workers, that never gets empty; no response headers. */
function oneBucket(): Json {
  return {
    version: 1,
    headers: 'none',
    rules: [{ name: 'all', limit: { requests: 4_000_000_000, per: '1s' }, scope: 'proxy' }],
  }
}

/** A route for each rule, by path, method and header. */
function routes(rules: readonly Rule[]): Json {
  return {
    version: 1,
    virtualHosts: [
      {
        name: 'default',
        domains: ['*'],
        routes: rules.map((rule, i) => ({ match: [matchOf(rule)], destinations: [{ cluster: `cluster-${i % 10}` }] })),
      },
    ],
  }
}

function matchOf({ path, user }: Rule): Json {
  return { path, method: { exact: 'GET' }, headers: { 'x-user': { exact: user } } }
}

/** The same by Envoy's router, which tries one route after the other. */
function nativeRoutes(rules: readonly Rule[]): RouteSpec[] {
  return rules.map(({ path, user }) => ({
    ...('exact' in path ? { path: path.exact } : path),
    headers: { ':method': 'GET', 'x-user': user },
  }))
}

/** What the chain does: ten rules allow the request, two limits count it, a fault is meant for another user, and ten routes lead it on. */
function configurations(rules: readonly Rule[]): Record<string, unknown> {
  const fault = { abort: { percentage: 100, httpStatus: 503 } }
  return {
    authorization: compiledRules(rules),
    ratelimit: {
      version: 1,
      headers: 'none',
      rules: [
        {
          name: 'user',
          match: [{ path: { prefix: '/api/' } }],
          descriptors: [{ header: 'x-user' }],
          limit: { requests: 4_000_000, per: '1s' },
          scope: 'proxy',
        },
      ],
    },
    fault: {
      version: 1,
      virtualHosts: [
        {
          name: 'default',
          domains: ['*'],
          routes: [{ match: [{ headers: { 'x-user': { exact: 'jason' } } }], fault }, {}],
        },
      ],
    },
    routing: routes(rules),
  }
}

/** How much dearer Envoy's own table is than the filter. */
export function conclusions(results: readonly Result[]): string[] {
  const cost = (name: string): number | undefined => {
    const result = results.find((each) => each.name === name)
    return result && median(result.added)
  }
  const alone = CHAIN.map((name) => cost(`${name} alone`))
  const sum = alone.every((value) => value !== undefined) ? alone.reduce((total, value) => total + value, 0) : undefined
  return sum === undefined ? [] : [`the four filters, each alone: ${sum.toFixed(2)} µs together`]
}
