/** A registry in memory, for the tests of what is attached to images. */

import { type Descriptor, describe, digestOf, type Manifest, MediaType } from '../oci/descriptor.ts'
import { RegistryError } from '../oci/errors.ts'
import { packReferrer, type Payload } from '../oci/referrers.ts'
import { type Reference } from '../oci/reference.ts'
import { type ReferrerSource, type ReferrerTarget } from './registry.ts'

export class MemoryRegistry implements ReferrerSource, ReferrerTarget {
  readonly blobs = new Map<string, Uint8Array>()
  /** By digest and by tag. */
  readonly manifests = new Map<string, Uint8Array>()
  readonly #referrers = new Map<string, Descriptor[]>()

  manifest({ tag, digest }: Reference) {
    const bytes = this.manifests.get(digest ?? tag ?? '')
    if (!bytes) return Promise.reject(new RegistryError('no such manifest', 'OCI404', 404))
    return Promise.resolve({ digest: digestOf(bytes), mediaType: MediaType.manifest, bytes })
  }

  blob(_repository: string, digest: string): Promise<Uint8Array> {
    return Promise.resolve(this.blobs.get(digest)!)
  }

  pushBlob(_repository: string, bytes: Uint8Array) {
    const { digest, size } = describe(bytes, '')
    this.blobs.set(digest, bytes)
    return Promise.resolve({ digest, size, how: 'uploaded' as const })
  }

  pushManifest(_repository: string, reference: string, bytes: Uint8Array): Promise<string> {
    const { config, layers = [] } = JSON.parse(Buffer.from(bytes).toString()) as Manifest
    // As a registry does: no manifest of blobs that it does not have.
    for (const { digest } of [config!, ...layers]) {
      if (!this.blobs.has(digest)) throw new RegistryError(`blob ${digest} is unknown`, 'OCI400', 400)
    }
    const digest = digestOf(bytes)
    this.manifests.set(reference, bytes).set(digest, bytes)
    return Promise.resolve(digest)
  }

  async pushReferrer(
    repository: string,
    subject: Descriptor,
    artifactType: string,
    payload: Payload,
    annotations?: Record<string, string>,
  ): Promise<Descriptor> {
    const { descriptor, manifest, blobs } = packReferrer(subject, artifactType, payload, annotations)
    for (const blob of blobs) await this.pushBlob(repository, blob)
    await this.pushManifest(repository, descriptor.digest, manifest)
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
