/** The image at the tag `sha256-HEX.sig` that holds an image's signatures: one layer each. */

import { type KeyObject, createPublicKey } from 'node:crypto'
import { type ReferrerSource, type ReferrerTarget, type Repository } from './registry.ts'
import { SIGNATURE_ANNOTATION, signatureTag, sign, SIMPLE_SIGNING_MEDIA_TYPE, verify } from './signature.ts'
import { type Descriptor, describe, type Manifest, MediaType } from '../oci/descriptor.ts'
import { RegistryError } from '../oci/errors.ts'

/** Adds a signature to those that are there. The same key signs an image once. Answers the tag. */
export async function pushSignature(
  target: ReferrerTarget,
  repository: Repository,
  digest: string,
  key: KeyObject,
): Promise<string> {
  const tag = signatureTag(digest)
  const name = repository.repository
  const { payload, signature } = sign(`${repository.registry}/${name}`, digest, key)
  const layers = (await readManifest(target, { ...repository, tag }))?.layers ?? []
  const annotated = (layer: Descriptor) => layer.annotations?.[SIGNATURE_ANNOTATION]
  const layer = describe(payload, SIMPLE_SIGNING_MEDIA_TYPE)
  const again = layers.some(
    (other) =>
      other.digest === layer.digest &&
      verify({ payload, signature: annotated(other) ?? '' }, digest, createPublicKey(key)),
  )
  if (again) return tag
  const all = [...layers, { ...layer, annotations: { [SIGNATURE_ANNOTATION]: signature } }]
  // The least that is a valid image configuration, as cosign writes it.
  const config = Buffer.from(
    JSON.stringify({
      architecture: '',
      created: '0001-01-01T00:00:00Z',
      history: all.map(() => ({ created: '0001-01-01T00:00:00Z' })),
      os: '',
      rootfs: { type: 'layers', diff_ids: all.map((each) => each.digest) },
      config: {},
    }),
  )
  const manifest: Manifest = {
    schemaVersion: 2,
    mediaType: MediaType.manifest,
    config: describe(config, MediaType.config),
    layers: all,
  }
  await target.pushBlob(name, payload)
  await target.pushBlob(name, config)
  await target.pushManifest(name, tag, Buffer.from(JSON.stringify(manifest)), MediaType.manifest)
  return tag
}

export interface FoundSignature {
  /** What the signature says that it signs. */
  reference: string | undefined
  /** By the key that was given; undefined without one. */
  verified?: boolean
}

/** The signatures of an image, checked by `key` if there is one. */
export async function readSignatures(
  source: ReferrerSource,
  repository: Repository,
  digest: string,
  key?: KeyObject,
): Promise<FoundSignature[]> {
  const manifest = await readManifest(source, { ...repository, tag: signatureTag(digest) })
  const layers = (manifest?.layers ?? []).filter(({ mediaType }) => mediaType === SIMPLE_SIGNING_MEDIA_TYPE)
  return Promise.all(
    layers.map(async (layer) => {
      const payload = await source.blob(repository.repository, layer.digest, layer.size)
      const signature = layer.annotations?.[SIGNATURE_ANNOTATION] ?? ''
      return {
        reference: signedReference(payload),
        ...(key && { verified: verify({ payload, signature }, digest, key) }),
      }
    }),
  )
}

async function readManifest(
  source: Pick<ReferrerSource, 'manifest'>,
  reference: Repository & { tag: string },
): Promise<Manifest | undefined> {
  let bytes: Uint8Array
  try {
    bytes = (await source.manifest(reference)).bytes
  } catch (error) {
    if (error instanceof RegistryError && error.status === 404) return undefined
    throw error
  }
  return JSON.parse(Buffer.from(bytes).toString('utf8')) as Manifest
}

function signedReference(payload: Uint8Array): string | undefined {
  try {
    const { critical } = JSON.parse(Buffer.from(payload).toString('utf8')) as {
      critical?: { identity?: Record<string, string> }
    }
    return critical?.identity?.['docker-reference']
  } catch {
    return undefined
  }
}
