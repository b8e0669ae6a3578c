/** Documents that refer to an image: the referrers API, and the tag that stands in where a registry has none. */

import { type Descriptor, describe, type Manifest, MediaType } from './descriptor.ts'

export interface Payload {
  mediaType: string
  bytes: Uint8Array
  annotations?: Record<string, string>
}

export interface Referrer {
  /** As it stands in lists of referrers. */
  descriptor: Descriptor
  manifest: Uint8Array
  blobs: Uint8Array[]
}

/** The manifest of a document that refers to `subject`. The same input gives the same bytes. */
export function packReferrer(
  { mediaType, digest, size }: Descriptor,
  artifactType: string,
  payload: Payload,
  annotations?: Record<string, string>,
): Referrer {
  const empty = Buffer.from('{}')
  const layer = describe(payload.bytes, payload.mediaType)
  const content: Manifest = {
    schemaVersion: 2,
    mediaType: MediaType.manifest,
    artifactType,
    config: describe(empty, MediaType.empty),
    layers: [hasAny(payload.annotations) ? { ...layer, annotations: payload.annotations } : layer],
    subject: { mediaType, digest, size },
    ...(hasAny(annotations) && { annotations }),
  }
  const manifest = Buffer.from(JSON.stringify(content))
  const descriptor: Descriptor = {
    ...describe(manifest, MediaType.manifest),
    artifactType,
    ...(hasAny(annotations) && { annotations }),
  }
  return { descriptor, manifest, blobs: [empty, payload.bytes] }
}

function hasAny(annotations: Record<string, string> | undefined): annotations is Record<string, string> {
  return annotations !== undefined && Object.keys(annotations).length > 0
}

/** Where a registry without the API keeps the list. */
export function fallbackTag(digest: string): string {
  return digest.replace(':', '-')
}

/** The list with a referrer more. */
export function addReferrer(list: readonly Descriptor[], added: Descriptor): Uint8Array {
  const manifests = [...list.filter(({ digest }) => digest !== added.digest), added]
  return Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: MediaType.index, manifests }))
}
