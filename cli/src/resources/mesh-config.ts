/** The parts of Istio's MeshConfig that decide what a policy means. */
import { isMap, isScalar, isSeq } from 'yaml'
import type { Diagnostics } from './diagnostics.ts'
import { nearest } from './nearest.ts'
import { Tree } from './nodes.ts'
import { parseYaml } from './parse.ts'
import { Source } from './source.ts'

export interface MeshConfig {
  /** Policies in this namespace apply to the whole mesh. */
  rootNamespace: string
  trustDomain: string
  trustDomainAliases: readonly string[]
}

export const defaultMeshConfig: MeshConfig = {
  rootNamespace: 'istio-system',
  trustDomain: 'cluster.local',
  trustDomainAliases: [],
}

const fields = Object.keys(defaultMeshConfig) as (keyof MeshConfig)[]

/** Reads MeshConfig as YAML, or the ConfigMap `istio` whose key `mesh` holds it. */
export function parseMeshConfig(source: Source, diagnostics: Diagnostics): MeshConfig {
  const config = { ...defaultMeshConfig }
  const [document] = parseYaml(source, diagnostics)
  const root = document?.contents
  if (!document || !root) return config
  const tree = new Tree(source, document)
  if (!isMap(root)) {
    diagnostics.add('error', 'MS1102', 'MeshConfig is a mapping', { span: tree.span(root) })
    return config
  }
  const entries = tree.entries(root)
  const data = entries.find((entry) => entry.key === 'data')?.value
  const mesh = isMap(data) ? tree.entries(data).find((entry) => entry.key === 'mesh')?.value : undefined
  if (isScalar(mesh) && typeof mesh.value === 'string') {
    return parseMeshConfig(new Source(`${source.name} (data.mesh)`, mesh.value), diagnostics)
  }

  for (const { key, keyNode, value } of entries) {
    const field = key as keyof MeshConfig
    if (!fields.includes(field)) {
      // MeshConfig has a hundred fields that do not matter here; only one that was probably meant to be read is worth a word.
      const near = nearest(key, fields)
      const hint = `did you mean ${near}?`
      if (near)
        diagnostics.add('warning', 'MS1101', `unknown field "${key}"`, { field: key, span: tree.span(keyNode), hint })
      continue
    }
    const values = isSeq(value) ? value.items.map((item) => tree.resolve(item)) : [value]
    const texts = values.map((each) => (isScalar(each) ? each.value : undefined))
    const isList = field === 'trustDomainAliases'
    if (value && (isSeq(value) !== isList || !texts.every((text): text is string => typeof text === 'string'))) {
      const expected = isList ? 'a list of strings' : 'a string'
      diagnostics.add('error', 'MS1102', `expected ${expected}`, { field, span: tree.span(value) })
    } else if (field === 'trustDomainAliases') config.trustDomainAliases = value ? (texts as string[]) : []
    // An empty text is the same as none.
    else if (texts[0]) config[field] = texts[0] as string
  }
  return config
}
