/** Holds what is written to the same checks as `meshscript validate`. */

import { UserError } from '../errors.ts'
import type { Resource } from './resources.ts'
import { toYaml } from './resources.ts'

export async function refuseInvalid({ apiVersion, kind, metadata, spec }: Resource): Promise<void> {
  // A TrafficExtension is a WasmPlugin whose module is in a block of its own.
  const { wasm, ...rest } = spec as { wasm?: object }
  const plugin = kind === 'WasmPlugin' ? spec : kind === 'TrafficExtension' ? { ...rest, ...wasm } : undefined
  if (!plugin) return
  const [{ Diagnostics }, { parseAll }, { Source }] = await Promise.all([
    import('../resources/diagnostics.ts'),
    import('../resources/parse.ts'),
    import('../resources/source.ts'),
  ])
  const diagnostics = new Diagnostics()
  const name = `${kind} ${metadata.name}`
  const text = toYaml({ apiVersion, kind: 'WasmPlugin', metadata, spec: plugin })
  parseAll([new Source(name, text)], diagnostics)
  if (!diagnostics.hasErrors) return
  throw new UserError('Istio would not take this resource', 'DEP004', diagnostics.toPlain())
}
