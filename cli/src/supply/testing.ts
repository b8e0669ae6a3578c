/** A registry in memory, for the tests of what is attached to images. */

import { UserError } from '../errors.ts'
import { sha256 } from './origin.ts'
import { type ReferrerSource, type ReferrerTarget, type Repository } from './registry.ts'
import { NOT_FOUND } from './signature_image.ts'
import { type Descriptor } from './types.ts'

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json'

export class MemoryRegistry implements ReferrerSource, ReferrerTarget {
  readonly blobs = new Map<string, Uint8Array>()
  /** By digest and by tag. */
  readonly manifests = new Map<string, Uint8Array>()
  readonly #referrers = new Map<string, Descriptor[]>()

  manifest({ tag, digest }: Repository & { tag?: string; digest?: string }) {
    const bytes = this.manifests.get(digest ?? tag ?? '')
    if (!bytes) return Promise.reject(new UserError(`no manifest ${digest ?? tag}`, NOT_FOUND))
    return Promise.resolve({ digest: digestOf(bytes), mediaType: MANIFEST, bytes })
  }

  blob(_repository: string, digest: string): Promise<Uint8Array> {
    return Promise.resolve(this.blobs.get(digest)!)
  }

  pushBlob(_repository: string, bytes: Uint8Array): Promise<void> {
    this.blobs.set(digestOf(bytes), bytes)
    return Promise.resolve()
  }

  pushManifest(_repository: string, reference: string, bytes: Uint8Array): Promise<string> {
    const { config, layers } = JSON.parse(Buffer.from(bytes).toString()) as {
      config: Descriptor
      layers: Descriptor[]
    }
    // As a registry does: no manifest of blobs that it does not have.
    for (const { digest } of [config, ...layers]) {
      if (!this.blobs.has(digest)) throw new Error(`blob ${digest} is unknown`)
    }
    const digest = digestOf(bytes)
    this.manifests.set(reference, bytes).set(digest, bytes)
    return Promise.resolve(digest)
  }

  async pushReferrer(
    repository: string,
    subject: Descriptor,
    artifactType: string,
    payload: { mediaType: string; bytes: Uint8Array; annotations?: Record<string, string> },
    annotations: Record<string, string> = {},
  ): Promise<Descriptor> {
    const empty = Buffer.from('{}')
    await this.pushBlob(repository, empty)
    await this.pushBlob(repository, payload.bytes)
    const describe = (mediaType: string, bytes: Uint8Array) => ({
      mediaType,
      digest: digestOf(bytes),
      size: bytes.length,
    })
    const manifest = {
      schemaVersion: 2,
      mediaType: MANIFEST,
      artifactType,
      config: describe('application/vnd.oci.empty.v1+json', empty),
      layers: [{ ...describe(payload.mediaType, payload.bytes), annotations: payload.annotations }],
      subject,
      annotations,
    }
    const bytes = Buffer.from(JSON.stringify(manifest))
    const descriptor = { ...describe(MANIFEST, bytes), artifactType, annotations }
    await this.pushManifest(repository, descriptor.digest, bytes)
    const others = await this.referrers(repository, subject.digest)
    const kept = others.filter(({ digest }) => digest !== descriptor.digest)
    this.#referrers.set(subject.digest, [...kept, descriptor])
    return descriptor
  }

  referrers(_repository: string, digest: string, artifactType?: string): Promise<Descriptor[]> {
    const all = this.#referrers.get(digest) ?? []
    return Promise.resolve(all.filter((each) => artifactType === undefined || each.artifactType === artifactType))
  }
}

export function digestOf(bytes: Uint8Array): string {
  return `sha256:${sha256(bytes)}`
}
