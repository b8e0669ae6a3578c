/** The parts of Istio's MeshConfig that decide what a policy means. */
import { isMap, isScalar, type Node } from 'yaml'
import type { Diagnostics } from './diagnostics.ts'
import { extensionProvidersSchema, type ExtensionProvider } from './extension-providers.ts'
import { nearest } from './nearest.ts'
import { formatPath, Tree } from './nodes.ts'
import { parseYaml } from './parse.ts'
import { checkSchema, type Schema } from './schema.ts'
import { Source } from './source.ts'

export interface MeshConfig {
  /** Policies in this namespace apply to the whole mesh. */
  rootNamespace: string
  trustDomain: string
  trustDomainAliases: readonly string[]
  /** Services that CUSTOM policies ask, and that take metrics, logs and traces. */
  extensionProviders?: readonly ExtensionProvider[]
  /** What the connection manager makes of paths before any filter sees them. Default `BASE`. */
  pathNormalization?: { normalization?: PathNormalization }
  /** Names of providers, for what Telemetries leave open. */
  defaultProviders?: { metrics?: readonly string[]; tracing?: readonly string[]; accessLogging?: readonly string[] }
  /** Where access logs go that no Telemetry speaks of. */
  accessLogFile?: string
  /** Default `TEXT`. */
  accessLogEncoding?: 'TEXT' | 'JSON'
  /** In place of Istio's own. */
  accessLogFormat?: string
  /** Of proxies that have none of their own. */
  defaultConfig?: { tracing?: { sampling?: number } }
}

export type PathNormalization = (typeof normalizations)[number]

export const defaultMeshConfig: MeshConfig = {
  rootNamespace: 'istio-system',
  trustDomain: 'cluster.local',
  trustDomainAliases: [],
}

const normalizations = ['DEFAULT', 'NONE', 'BASE', 'MERGE_SLASHES', 'DECODE_AND_MERGE_SLASHES'] as const

const names: Schema = { type: 'array', items: { type: 'string' } }

const fields: Record<string, Schema> = {
  rootNamespace: { type: 'string' },
  trustDomain: { type: 'string' },
  trustDomainAliases: { type: 'array', items: { type: 'string' } },
  extensionProviders: extensionProvidersSchema,
  defaultProviders: { type: 'object', properties: { metrics: names, tracing: names, accessLogging: names } },
  accessLogFile: { type: 'string' },
  accessLogEncoding: { type: 'string', enum: ['TEXT', 'JSON'] },
  accessLogFormat: { type: 'string' },
  defaultConfig: {
    type: 'object',
    properties: {
      tracing: {
        type: 'object',
        properties: { sampling: { type: 'number', minimum: 0, maximum: 100 } },
        additionalProperties: {},
      },
    },
    additionalProperties: {},
  },
  pathNormalization: { type: 'object', properties: { normalization: { type: 'string', enum: normalizations } } },
}

/** Reads MeshConfig as YAML, or the ConfigMap `istio` whose key `mesh` holds it. */
export function parseMeshConfig(source: Source, diagnostics: Diagnostics): MeshConfig {
  const [document] = parseYaml(source, diagnostics)
  const root = document?.contents
  if (!document || !root) return defaultMeshConfig
  const tree = new Tree(source, document)
  if (!isMap(root)) {
    diagnostics.add('error', 'MS1102', 'MeshConfig is a mapping', { span: tree.span(root) })
    return defaultMeshConfig
  }
  const entries = tree.entries(root)
  const data = entries.find((entry) => entry.key === 'data')?.value
  const mesh = isMap(data) ? tree.entries(data).find((entry) => entry.key === 'mesh')?.value : undefined
  if (isScalar(mesh) && typeof mesh.value === 'string') {
    return parseMeshConfig(new Source(`${source.name} (data.mesh)`, mesh.value), diagnostics)
  }

  const config: Record<string, unknown> = {}
  for (const { key, keyNode, value } of entries) {
    const field = Object.hasOwn(fields, key) ? fields[key] : undefined
    if (field && value) {
      const before = diagnostics.count('error')
      checkSchema({ tree, diagnostics, resource: 'MeshConfig' }, value, field, [key])
      if (diagnostics.count('error') === before) config[key] = tree.value(value)
    } else if (!field) {
      // MeshConfig has a hundred fields that do not matter here; only one that was probably meant to be read is worth a word.
      const near = nearest(key, Object.keys(fields))
      const hint = `did you mean ${near}?`
      if (near)
        diagnostics.add('warning', 'MS1101', `unknown field "${key}"`, { field: key, span: tree.span(keyNode), hint })
    }
  }
  notePathNormalization(tree, root, config, diagnostics)
  // An empty text is the same as none.
  const given = Object.entries(config).filter(([, value]) => value !== '')
  return { ...defaultMeshConfig, ...Object.fromEntries(given) }
}

/** Paths are compared as the connection manager leaves them: what the policies count on must be set there. */
function notePathNormalization(tree: Tree, root: Node, config: Record<string, unknown>, diagnostics: Diagnostics) {
  const { normalization = 'DEFAULT' } = (config['pathNormalization'] ?? {}) as { normalization?: string }
  if (normalization === 'DEFAULT' || normalization === 'BASE') return
  const path = ['pathNormalization', 'normalization']
  const message = `paths are compared as the listener leaves them: it must normalize them by ${normalization}`
  const hint = 'Istio sets its own listeners so; for others see MS1407 in docs/errors.md'
  diagnostics.add('info', 'MS1407', message, {
    resource: 'MeshConfig',
    field: formatPath(path),
    span: tree.locate(root, path),
    hint,
  })
}
