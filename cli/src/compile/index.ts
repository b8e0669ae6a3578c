/** Policies of any family → the authorization filter's configuration for one workload. */
import { Diagnostics } from '../resources/diagnostics.ts'
import { defaultMeshConfig, type MeshConfig } from '../resources/mesh-config.ts'
import { parseResources, type ParseOptions } from '../resources/parse.ts'
import type { Source } from '../resources/source.ts'
import { compileCilium } from './cilium/index.ts'
import type { CompileFamily, Compiled, Direction } from './compiled.ts'
import { compileIstio } from './istio/index.ts'
import { compileSmi } from './smi/index.ts'
import type { Workload } from './workload.ts'

export type { Compiled, CompileFamily, Direction, FamilyOptions } from './compiled.ts'
export type { Workload } from './workload.ts'

/** A new family is added here, and its kinds in `resources/kinds.ts`. */
const families: Record<string, CompileFamily> = {
  Istio: compileIstio,
  SMI: compileSmi,
  Cilium: compileCilium,
}

export interface CompileOptions extends ParseOptions {
  workload: Workload
  mesh?: MeshConfig
  /** Default `inbound`. */
  direction?: Direction
  /** Default: a new one; it is in the result. */
  diagnostics?: Diagnostics
}

/** Compiles the policies of the texts that apply to a workload. */
export function compileAuthorization(sources: readonly Source[], options: CompileOptions): Compiled {
  const { workload, direction = 'inbound', mesh = defaultMeshConfig, diagnostics = new Diagnostics() } = options
  const resources = parseResources(sources, diagnostics, { ...options, about: 'authorization' })
  // Istio and SMI judge a request where it arrives, and only there.
  const compiled = Object.entries(families)
    .filter(([family]) => direction === 'inbound' || family === 'Cilium')
    .map(([family, compile]) => ({ family, ...compile(resources, { workload, direction, mesh, diagnostics }) }))
    .filter(({ selected }) => selected.length > 0)
  const [first, second] = compiled
  const rules = new Map(compiled.flatMap((each) => [...each.rules]))
  const selected = compiled.flatMap((each) => each.selected)
  if (first && second) {
    const title = `${workload.namespace}/${workload.name}`
    const message = `policies of ${first.family} and of ${second.family} both apply to ${title}`
    const hint = `compile one of them: ${first.selected[0]!.title} is the other`
    second.selected[0]!.report(diagnostics, 'error', 'MS1304', ['metadata', 'name'], message, hint)
  }
  if (!first && !diagnostics.hasErrors) {
    const message = `no policy selects ${workload.namespace}/${workload.name}: every request will be allowed`
    const hint = 'compare --workload and --labels with the namespaces and selectors of the policies'
    diagnostics.add('warning', 'MS1402', message, resources.length > 0 ? { hint } : {})
  }
  if (diagnostics.hasErrors) return { diagnostics, rules, selected }
  const configuration = first?.configuration ?? { version: 1, mode: 'enforce', policies: [] }
  return { configuration, diagnostics, rules, selected }
}
