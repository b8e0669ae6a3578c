/** The authorization filter at 1 to 10 000 rules, beside Envoy's native RBAC filter, the Rust SDK's filter and a Lua script. */

import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { extension, type Json, staticFilter } from '../../sdk/testing/envoy/index.ts'
import { type Chart } from './chart.ts'
import { median, type Result, type Variant } from './compare.ts'
import { peers, root } from './paths.ts'
import { type Limit } from './report.ts'
import { compiledRules, luaScript, makeRules, matchingRequest, nativeRbac, type Rule } from './rules.ts'

export const SIZES = [1, 10, 100, 1000, 10_000]
/** Sizes around which native RBAC becomes dearer than the filter. */
const CLOSE_SIZES = [5, 15, 20, 25]

/** What the issue asks for. */
export const limits: Limit[] = [
  { name: 'meshscript 10000', other: 'meshscript 1', limit: 1.3 },
  { name: 'meshscript 1', other: 'Rust SDK 1', limit: 0.6 },
  { name: 'meshscript 1000', other: 'Rust SDK 1000', limit: 0.27 },
  { name: 'meshscript 1000', other: 'native RBAC 1000', limit: 1 / 40 },
]

const wasm = join(root, 'filters/dist/authorization.wasm')

export async function variants(): Promise<{ variants: Variant[]; notes: string[] }> {
  const notes = [`size: ${statSync(wasm).size} bytes`]
  const list: Variant[] = []
  const rust = join(peers, 'rust_authz.wasm')
  if (!existsSync(rust)) notes.push('left out, since its module is not there: Rust SDK')
  for (const size of [...SIZES, ...CLOSE_SIZES]) {
    const rules = makeRules(size)
    const add = (name: string, filter: () => Json): void => {
      const load = { request: matchingRequest(rules) }
      // Above 1 000 rules those that look at each of them would take most of the run.
      const share = name !== 'meshscript' && size >= 1000 ? 1000 / size / 4 : 1
      list.push({ name: `${name} ${size}`, filters: async () => [filter()], load, share })
    }
    add('native RBAC', () => extension('rbac', 'envoy.extensions.filters.http.rbac.v3.RBAC', nativeRbac(rules)))
    if (CLOSE_SIZES.includes(size)) continue
    add('meshscript', () => plugin(wasm, compiledRules(rules)))
    if (existsSync(rust)) add('Rust SDK', () => plugin(rust, { rules }))
    add('Lua', () => lua(rules))
  }
  return { variants: list, notes }
}

function plugin(file: string, configuration: unknown): Json {
  return staticFilter('http', 'wasm', { wasm: file, name: 'bench', configuration }, file)
}

function lua(rules: readonly Rule[]): Json {
  const code = { default_source_code: { inline_string: luaScript(rules) } }
  return extension('lua', 'envoy.extensions.filters.http.lua.v3.Lua', code)
}

/** From how many rules on native RBAC costs more than the filter; between two sizes that were measured, on a straight line. */
export function conclusions(results: readonly Result[]): string[] {
  const cost = (name: string): number => median(results.find((result) => result.name === name)!.added)
  const own = median([1, 10, 100].map((size) => cost(`meshscript ${size}`)))
  const sizes = [...SIZES, ...CLOSE_SIZES].sort((a, b) => a - b)
  const above = sizes.findIndex((size) => cost(`native RBAC ${size}`) > own)
  if (above < 0) return ['native RBAC is never dearer']
  if (above === 0) return ['native RBAC is dearer from 1 rule on']
  const [low, high] = [sizes[above - 1]!, sizes[above]!]
  const [from, to] = [cost(`native RBAC ${low}`), cost(`native RBAC ${high}`)]
  const crossing = low + ((own - from) / (to - from)) * (high - low)
  return [`native RBAC is dearer from ${Math.ceil(crossing)} rules on (aim: 15)`]
}

export function chart(results: readonly Result[]): Chart {
  const series = ['meshscript', 'native RBAC', 'Rust SDK', 'Lua'].map((name) => ({
    name,
    points: SIZES.flatMap((size): [number, number][] => {
      const result = results.find((each) => each.name === `${name} ${size}`)
      return result ? [[size, median(result.added)]] : []
    }),
  }))
  const title = 'Added CPU per request by number of rules'
  return { title, x: 'rules', y: 'µs', scale: 'log', series: series.filter(({ points }) => points.length > 0) }
}
