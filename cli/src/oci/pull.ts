/** Finds the module in an image, in all forms that Istio's agent takes; what it refuses is refused here too, with the reason. */

import { gunzipSync } from 'node:zlib'
import { UserError } from '../errors.ts'
import { type RegistryOptions } from './connection.ts'
import { type Descriptor, type Manifest, MediaType } from './descriptor.ts'
import { MODULE_FILE } from './image.ts'
import { formatReference, type Reference } from './reference.ts'
import { BLOB_LIMIT, Registry } from './registry.ts'
import { readTar } from './tar.ts'

export type Form = 'docker' | 'compat' | 'artifact'

export interface Pulled {
  /** Of the image; of the chosen one, if the reference names an index. This is what a WasmPlugin's `sha256` means. */
  digest: string
  module: Uint8Array
  /** Of the manifest. */
  mediaType: string
  annotations: Record<string, string>
  form: Form
}

type Source = Pick<Registry, 'manifest' | 'blob'>

export async function pullModule(reference: Reference, options: RegistryOptions): Promise<Pulled> {
  const registry = Registry.open(reference, options)
  try {
    return await readImage(registry, reference)
  } finally {
    registry.close()
  }
}

export async function readImage(source: Source, reference: Reference): Promise<Pulled> {
  const found = await source.manifest(reference)
  let { digest } = found
  let manifest = parse(found.bytes, reference)
  const { index, dockerList } = MediaType
  if (found.mediaType === index || found.mediaType === dockerList || manifest.manifests) {
    digest = childOf(manifest, reference)
    manifest = parse((await source.manifest({ ...reference, tag: undefined, digest })).bytes, reference)
  }
  const { form, layer } = chooseLayer(manifest, reference)
  if (layer.size > BLOB_LIMIT) throw refusal(reference, `its layer has more than ${BLOB_LIMIT} bytes`)
  const blob = await source.blob(reference.repository, layer.digest, layer.size)
  const module = form === 'artifact' ? blob : unpack(blob, reference)
  const mediaType = manifest.mediaType ?? found.mediaType
  return { digest, module, mediaType, annotations: manifest.annotations ?? {}, form }
}

function refusal(reference: Reference, reason: string): UserError {
  return new UserError(`Istio would not take ${formatReference(reference)}: ${reason}`, 'OCI005')
}

function parse(bytes: Uint8Array, reference: Reference): Manifest {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8')) as Manifest
  } catch {
    throw refusal(reference, 'its manifest is no JSON')
  }
}

/** Istio asks for linux/amd64, whatever machine it runs on, and takes what names no platform for it. */
function childOf({ manifests = [] }: Manifest, reference: Reference): string {
  const images: string[] = [MediaType.manifest, MediaType.dockerManifest]
  const child = manifests.find(({ mediaType, platform }) => {
    const { os, architecture } = platform ?? { os: 'linux', architecture: 'amd64' }
    return os === 'linux' && architecture === 'amd64' && images.includes(mediaType)
  })
  if (child) return child.digest
  const platforms = manifests.map(({ platform }) => (platform ? `${platform.os}/${platform.architecture}` : 'none'))
  throw refusal(
    reference,
    `it is an index without an image for linux/amd64; it has ${platforms.join(', ') || 'none at all'}`,
  )
}

function chooseLayer({ mediaType, layers = [] }: Manifest, reference: Reference): { form: Form; layer: Descriptor } {
  const last = layers.at(-1)
  const types = layers.map((layer) => layer.mediaType).join(', ')
  if (!last) throw refusal(reference, 'it has no layers')
  if (mediaType === MediaType.dockerManifest) {
    if (last.mediaType === MediaType.dockerLayer) return { form: 'docker', layer: last }
    throw refusal(
      reference,
      `the last layer of a Docker image has to be ${MediaType.dockerLayer}, not ${last.mediaType}`,
    )
  }
  if (last.mediaType === MediaType.layer) return { form: 'compat', layer: last }
  const wasm = layers.find((layer) => layer.mediaType === MediaType.wasm)
  if (layers.length === 2 && wasm) return { form: 'artifact', layer: wasm }
  const wanted = wasm
    ? `an artifact has to have two layers, not ${layers.length}`
    : `the last layer has to be ${MediaType.layer}, or one of two ${MediaType.wasm}; it has ${types}`
  throw refusal(reference, wanted)
}

function unpack(layer: Uint8Array, reference: Reference): Uint8Array {
  try {
    const archive = gunzipSync(layer, { maxOutputLength: BLOB_LIMIT })
    for (const { name, bytes } of readTar(archive)) if (name.split('/').at(-1) === MODULE_FILE) return bytes
  } catch (error) {
    throw refusal(reference, `its layer is no tar+gzip: ${(error as Error).message}`)
  }
  throw refusal(reference, `there is no ${MODULE_FILE} in its layer`)
}
