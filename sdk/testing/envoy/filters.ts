/** Wasm filters in Envoy's configuration. */
import { basename, extname, join } from 'node:path'
import { copyFile, writeFile } from 'node:fs/promises'
import { type DynamicMetadata, HostStartError, type PluginOptions } from '../types.ts'
import { extension, type Json, typed } from './json.ts'
import { writeAtomically } from './files.ts'

export type FilterKind = 'http' | 'network'

const WASM: Record<FilterKind, string> = {
  http: 'envoy.extensions.filters.http.wasm.v3.Wasm',
  network: 'envoy.extensions.filters.network.wasm.v3.Wasm',
}

/** Envoy's default name of a plugin: what the module's file is called. */
export function pluginName({ name, wasm }: PluginOptions): string {
  if (name !== undefined) return name
  return typeof wasm === 'string' ? basename(wasm, extname(wasm)) : 'filter'
}

/** The filter as Envoy's `Wasm` message, its module in the file `path`. */
export function wasmFilter(kind: FilterKind, plugin: PluginOptions, path: string): Json {
  return typed(WASM[kind], { config: pluginConfig(plugin, path) })
}

/** The filter with its configuration in the bootstrap itself: nothing to watch, and no change at run time. */
export function staticFilter(kind: FilterKind, name: string, plugin: PluginOptions, path: string): Json {
  return { name, typed_config: wasmFilter(kind, plugin, path) }
}

/** The filter with its configuration in a file that Envoy watches (ECDS, which is how Istio delivers it). */
export function discoveredFilter(kind: FilterKind, name: string, directory: string): Json {
  const path = resourcePath(directory, name)
  return {
    name,
    config_discovery: {
      config_source: { resource_api_version: 'V3', path_config_source: { path } },
      type_urls: [`type.googleapis.com/${WASM[kind]}`],
    },
  }
}

/** Writes what `discoveredFilter` reads. Replacing the file is what makes Envoy update the filter. */
export async function writeFilterResource(
  directory: string,
  name: string,
  version: string,
  filter: Json,
): Promise<void> {
  const resource = typed('envoy.config.core.v3.TypedExtensionConfig', { name, typed_config: filter })
  await writeAtomically(resourcePath(directory, name), JSON.stringify({ version_info: version, resources: [resource] }))
}

const resourcePath = (directory: string, name: string) => join(directory, `${name}.json`)

/** Puts the module into `directory`, where Envoy reads it even if the original is built anew or out of a container's sight. */
export async function placeModule(directory: string, name: string, wasm: string | Uint8Array): Promise<string> {
  const path = join(directory, `${name}.wasm`)
  if (typeof wasm !== 'string') await writeFile(path, wasm)
  else {
    await copyFile(wasm, path).catch((error: NodeJS.ErrnoException) => {
      throw error.code === 'ENOENT' ? new HostStartError(`Invalid path: ${wasm}`) : error
    })
  }
  return path
}

function pluginConfig(plugin: PluginOptions, path: string): Json {
  const { rootId, vmId, vmConfiguration, environment, failurePolicy, allowedCapabilities } = plugin
  const config: Json = {
    name: pluginName(plugin),
    root_id: rootId ?? '',
    vm_config: {
      vm_id: vmId ?? '',
      runtime: 'envoy.wasm.runtime.v8',
      code: { local: { filename: path } },
      ...(vmConfiguration !== undefined && { configuration: bytesOrText(vmConfiguration) }),
      ...(environment && { environment_variables: { key_values: environment } }),
    },
    failure_policy: failurePolicy ?? 'FAIL_CLOSED',
  }
  const configuration = configurationAny(plugin.configuration)
  if (configuration) config.configuration = configuration
  if (plugin.allowOnHeadersStopIteration) config.allow_on_headers_stop_iteration = true
  if (allowedCapabilities) {
    const allowed = Object.fromEntries(allowedCapabilities.map((name) => [name, {}]))
    config.capability_restriction_config = { allowed_capabilities: allowed }
  }
  return config
}

/** The configuration as the `Any` that makes these bytes arrive in the filter. */
function configurationAny(configuration: unknown): Json | undefined {
  if (configuration === undefined) return undefined
  if (typeof configuration === 'string' || configuration instanceof Uint8Array) return bytesOrText(configuration)
  // Envoy hands a Struct on as serialized protobuf, not as JSON.
  if (isStruct(configuration)) return typed('google.protobuf.Struct', { value: configuration.struct })
  return bytesOrText(JSON.stringify(configuration))
}

function isStruct(value: unknown): value is { struct: Json } {
  return typeof value === 'object' && value !== null && Object.keys(value).join() === 'struct'
}

function bytesOrText(value: string | Uint8Array): Json {
  if (typeof value === 'string') return typed('google.protobuf.StringValue', { value })
  return typed('google.protobuf.BytesValue', { value: Buffer.from(value).toString('base64') })
}

/** Leaves dynamic metadata for the filters behind it. */
export function metadataFilter(metadata: DynamicMetadata): Json {
  return extension('set_metadata', 'envoy.extensions.filters.http.set_metadata.v3.Config', {
    metadata: Object.entries(metadata).map(([name, value]) => ({
      metadata_namespace: name,
      value: value,
      allow_overwrite: true,
    })),
  })
}

/** The router, which ends every HTTP filter chain. */
export const ROUTER = extension('router', 'envoy.extensions.filters.http.router.v3.Router')
