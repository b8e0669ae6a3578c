/**
 * Pushes an image so that its tags never name half of it: blobs first, then the manifest by digest; all of it is pulled
 * back and compared, what goes with it is attached, and only then the tags are set.
 */

import { UserError } from '../errors.ts'
import { type RegistryOptions } from './connection.ts'
import { type Descriptor } from './descriptor.ts'
import { type Image } from './image.ts'
import { type Reference } from './reference.ts'
import { Registry } from './registry.ts'
import { type How } from './upload.ts'

export interface PushOptions extends RegistryOptions {
  /** A repository of the same registry that may have blobs already. */
  mountFrom?: string
  /** Called when the image is up and compared, but has no tag yet. */
  attach?: (registry: Registry, subject: Descriptor) => Promise<void>
}

export interface Pushed {
  digest: string
  blobs: { label: string; digest: string; size: number; how: How }[]
  tags: string[]
}

export async function pushImage(
  image: Image,
  reference: Reference,
  tags: readonly string[],
  { mountFrom, attach, ...options }: PushOptions,
): Promise<Pushed> {
  const registry = Registry.open(reference, options)
  const { repository } = reference
  const { bytes, ...subject } = image.manifest
  try {
    const blobs: Pushed['blobs'] = []
    for (const { bytes, label } of image.blobs) {
      const text = `uploading the ${label}`
      blobs.push({ label, ...(await registry.pushBlob(repository, bytes, { mountFrom, text })) })
    }
    await registry.pushManifest(repository, subject.digest, bytes, subject.mediaType)
    await compare(registry, image, reference)
    await attach?.(registry, subject)
    for (const tag of tags) {
      await registry.pushManifest(repository, tag, bytes, subject.mediaType)
      const now = await registry.resolve({ registry: reference.registry, repository, tag })
      if (now.digest !== subject.digest) {
        throw new UserError(
          `the tag ${tag} names ${now.digest} now, not ${subject.digest}: somebody else has pushed meanwhile`,
          'OCI006',
        )
      }
    }
    return { digest: subject.digest, blobs, tags: [...tags] }
  } finally {
    registry.close()
  }
}

/** Pulls back what was pushed. The client compares each digest; sizes differ with them. */
async function compare(registry: Registry, { manifest, blobs }: Image, reference: Reference): Promise<void> {
  await registry.manifest({ ...reference, tag: undefined, digest: manifest.digest })
  for (const { digest, size } of blobs) await registry.blob(reference.repository, digest, size)
}
