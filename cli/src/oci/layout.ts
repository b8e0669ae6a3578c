/** An image and what goes with it as an OCI image layout in a tar file, which `skopeo` and `oras` read: a registry on disk. */

import { addReferrer, fallbackTag, packReferrer, type Payload } from './referrers.ts'
import { type Descriptor, describe, digestOf, type Manifest, MediaType } from './descriptor.ts'
import { RegistryError } from './errors.ts'
import { type Image } from './image.ts'
import { type Reference } from './reference.ts'
import { type Registry } from './registry.ts'
import { writeTar } from './tar.ts'

const REF_NAME = 'org.opencontainers.image.ref.name'

export class ImageLayout implements Pick<Registry, 'manifest' | 'pushBlob' | 'pushManifest' | 'pushReferrer'> {
  readonly #blobs = new Map<string, Uint8Array>()
  /** By tag, or by digest where there is no tag. */
  readonly #manifests = new Map<string, Descriptor>()

  add({ manifest, blobs }: Image, tags: readonly string[]): void {
    for (const { bytes } of blobs) this.#keep(bytes)
    const { bytes, ...descriptor } = manifest
    this.#keep(bytes)
    for (const tag of tags) this.#manifests.set(tag, { ...descriptor, annotations: { [REF_NAME]: tag } })
  }

  manifest({ tag = 'latest', digest }: Reference): Promise<{ digest: string; mediaType: string; bytes: Uint8Array }> {
    const found = this.#manifests.get(digest ?? tag)
    const bytes = this.#blobs.get(digest ?? found?.digest ?? '')
    if (!bytes) return Promise.reject(new RegistryError(`there is no ${digest ?? tag} in the layout`, 'OCI404', 404))
    return Promise.resolve({ digest: digestOf(bytes), mediaType: found?.mediaType ?? MediaType.manifest, bytes })
  }

  pushBlob(_repository: string, bytes: Uint8Array): ReturnType<Registry['pushBlob']> {
    return Promise.resolve({ digest: this.#keep(bytes), size: bytes.length, how: 'uploaded' })
  }

  pushManifest(_repository: string, reference: string, bytes: Uint8Array, mediaType: string): Promise<string> {
    const annotations = reference.includes(':') ? undefined : { [REF_NAME]: reference }
    this.#manifests.set(reference, { ...describe(bytes, mediaType), ...(annotations && { annotations }) })
    return Promise.resolve(this.#keep(bytes))
  }

  async pushReferrer(
    _repository: string,
    subject: Descriptor,
    artifactType: string,
    payload: Payload,
    annotations?: Record<string, string>,
  ): Promise<Descriptor> {
    const { descriptor, manifest, blobs } = packReferrer(subject, artifactType, payload, annotations)
    for (const bytes of [...blobs, manifest]) this.#keep(bytes)
    // Copied to a registry without the referrers API, the documents are found all the same.
    const tag = fallbackTag(subject.digest)
    const list = this.#manifests.get(tag)
    const known = list && (JSON.parse(Buffer.from(this.#blobs.get(list.digest)!).toString()) as Manifest).manifests
    await this.pushManifest('', tag, addReferrer(known ?? [], descriptor), MediaType.index)
    if (list) this.#blobs.delete(list.digest)
    return descriptor
  }

  /** The same content gives the same bytes. */
  toTar(): Uint8Array {
    const file = (name: string, content: object) => ({ name, bytes: Buffer.from(JSON.stringify(content)) })
    const manifests = [...this.#manifests.values()]
    const blobs = [...this.#blobs].sort(([a], [b]) => (a < b ? -1 : 1))
    return writeTar([
      file('oci-layout', { imageLayoutVersion: '1.0.0' }),
      file('index.json', { schemaVersion: 2, mediaType: MediaType.index, manifests }),
      ...blobs.map(([digest, bytes]) => ({ name: `blobs/${digest.replace(':', '/')}`, bytes })),
    ])
  }

  #keep(bytes: Uint8Array): string {
    const digest = digestOf(bytes)
    this.#blobs.set(digest, bytes)
    return digest
  }
}
