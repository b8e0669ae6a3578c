/** Makes an image of a module. The same module and annotations give the same bytes, so the same digest, on every machine. */

import { gzipSync } from 'fflate'
import { readModuleMetadata } from '../wasm/metadata.ts'
import { type Descriptor, describe, digestOf, type Manifest, MediaType } from './descriptor.ts'
import { writeTar } from './tar.ts'

/** compat: one layer as container images have it, which everybody reads. artifact: the bare module, which Istio and Envoy Gateway read. */
export type Layout = 'compat' | 'artifact'

export interface Blob extends Descriptor {
  bytes: Uint8Array
  /** For people. */
  label: string
}

export interface Image {
  manifest: Descriptor & { bytes: Uint8Array }
  blobs: Blob[]
}

export interface ImageOptions {
  layout: Layout
  annotations: Record<string, string>
}

export const MODULE_FILE = 'plugin.wasm'
const TITLE = 'org.opencontainers.image.title'

export function packImage(module: Uint8Array, { layout, annotations }: ImageOptions): Image {
  return layout === 'compat' ? packCompat(module, annotations) : packArtifact(module, annotations)
}

function packCompat(module: Uint8Array, annotations: Record<string, string>): Image {
  const tar = writeTar([{ name: MODULE_FILE, bytes: module }])
  // Not zlib: what it writes differs between versions of Node.js and processors.
  const layer = labelled('layer', gzipSync(tar, { level: 9, mtime: 0 }), MediaType.layer)
  const created = annotations['org.opencontainers.image.created']
  // Docker and containerd refuse platforms that they do not know.
  const config = labelled(
    'config',
    json({
      ...(created !== undefined && { created }),
      architecture: 'amd64',
      os: 'linux',
      config: {},
      rootfs: { type: 'layers', diff_ids: [digestOf(tar)] },
    }),
    MediaType.config,
  )
  return assemble(config, [layer], [descriptorOf(layer)], { ...annotations, 'module.wasm.image/variant': 'compat' })
}

/** Two layers exactly: with one, or with three, Istio refuses it. */
function packArtifact(module: Uint8Array, annotations: Record<string, string>): Image {
  const layer = labelled('module', module, MediaType.wasm)
  const marker = readModuleMetadata(module).exports.find((name) => name.startsWith('proxy_abi_version_'))
  const runtime = { type: 'envoy_proxy', ...(marker && { abiVersions: [marker.slice('proxy_abi_version_'.length)] }) }
  const config = labelled('config', json(runtime), MediaType.wasmConfig)
  const layers = [titled(layer, MODULE_FILE), titled(config, 'runtime-config.json')]
  return assemble(config, [layer], layers, annotations)
}

function assemble(config: Blob, blobs: Blob[], layers: Descriptor[], annotations: Record<string, string>): Image {
  const sorted = Object.fromEntries(Object.entries(annotations).sort(([a], [b]) => (a < b ? -1 : 1)))
  const content: Manifest = {
    schemaVersion: 2,
    mediaType: MediaType.manifest,
    config: descriptorOf(config),
    layers,
    ...(Object.keys(sorted).length && { annotations: sorted }),
  }
  const bytes = json(content)
  return { manifest: { ...describe(bytes, MediaType.manifest), bytes }, blobs: [...blobs, config] }
}

function labelled(label: string, bytes: Uint8Array, mediaType: string): Blob {
  return { ...describe(bytes, mediaType), bytes, label }
}

function descriptorOf({ mediaType, digest, size }: Descriptor): Descriptor {
  return { mediaType, digest, size }
}

function titled(blob: Blob, title: string): Descriptor {
  return { ...descriptorOf(blob), annotations: { [TITLE]: title } }
}

function json(value: object): Uint8Array {
  return Buffer.from(JSON.stringify(value))
}
