/** What a WasmPlugin or TrafficExtension in the cluster asks for. */

import { parseReference, type Reference } from '../../oci/reference.ts'
import type { Kubectl } from '../kubectl.ts'
import { MANAGED_BY, type Resource } from '../resources.ts'
import { UserError } from '../../errors.ts'

/** The fields of both kinds, flat. */
export interface PluginSpec {
  url?: string
  sha256?: string
  pluginConfig?: Record<string, unknown>
  pluginName?: string
  type?: string
  failStrategy?: string
  vmConfig?: { env?: { name: string; value?: string; valueFrom?: string }[] }
  selector?: { matchLabels?: Record<string, string> }
  targetRef?: { kind: string; name: string }
  targetRefs?: { kind: string; name: string }[]
}

export interface Plugin {
  kind: string
  namespace: string
  name: string
  spec: PluginSpec
  /** Undefined where the URL names no image. */
  reference?: Reference
  /** The digest that the image must have, `sha256:…`. */
  digest?: string
}

const TYPES = ['wasmplugins.extensions.istio.io', 'trafficextensions.extensions.istio.io']

/** The named ones, or all that meshscript manages. */
export async function findPlugins(kubectl: Kubectl, name: string | undefined, everywhere: boolean): Promise<Plugin[]> {
  const select = name === undefined ? ['-l', labels(MANAGED_BY)] : ['--field-selector', `metadata.name=${name}`]
  const all = everywhere ? ['--all-namespaces'] : []
  const errors: UserError[] = []
  const lists = await Promise.all(
    TYPES.map((type) =>
      kubectl.list<Resource>(type, ...select, ...all).catch((error: unknown) => {
        // An Istio of before 1.30 has no TrafficExtension.
        if (!(error instanceof UserError) || error.code !== 'DEP032') throw error
        errors.push(error)
        return []
      }),
    ),
  )
  if (errors.length === TYPES.length) throw errors[0]!
  const plugins = lists.flat().flatMap(pluginOf)
  if (name !== undefined && !plugins.length)
    throw new UserError(`there is no WasmPlugin and no TrafficExtension ${name} in this namespace`, 'DEP035')
  return plugins
}

const labels = (all: Record<string, string>) =>
  Object.entries(all)
    .map(([key, value]) => `${key}=${value}`)
    .join(',')

/** None for a TrafficExtension with Lua. */
export function pluginOf({ kind, metadata, spec }: Resource): Plugin[] {
  const { wasm, ...rest } = spec as PluginSpec & { wasm?: PluginSpec }
  if (kind === 'TrafficExtension' && !wasm) return []
  const flat: PluginSpec = { ...rest, ...wasm }
  const { url = '', sha256 } = flat
  const reference = /^(https?|file):/.test(url) ? undefined : parse(url)
  const digest = sha256 ? `sha256:${sha256}` : reference?.digest
  return [{ kind, namespace: metadata.namespace ?? 'default', name: metadata.name, spec: flat, reference, digest }]
}

function parse(url: string): Reference | undefined {
  try {
    return parseReference(url)
  } catch {
    return undefined
  }
}
