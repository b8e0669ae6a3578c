/** What attaching and reading of documents needs of a registry; the client in oci/ has it, and so has a writer of image layouts. */

import { type Descriptor } from './types.ts'

/** An image without tag or digest. */
export interface Repository {
  registry: string
  repository: string
}

export interface ReferrerSource {
  manifest(
    reference: Repository & { tag?: string; digest?: string },
  ): Promise<{ digest: string; mediaType: string; bytes: Uint8Array }>
  blob(repository: string, digest: string, size?: number): Promise<Uint8Array>
  referrers(repository: string, digest: string, artifactType?: string): Promise<Descriptor[]>
}

export interface ReferrerTarget extends Pick<ReferrerSource, 'manifest'> {
  pushBlob(repository: string, bytes: Uint8Array): Promise<unknown>
  pushManifest(repository: string, reference: string, bytes: Uint8Array, mediaType: string): Promise<unknown>
  pushReferrer(
    repository: string,
    subject: Descriptor,
    artifactType: string,
    payload: { mediaType: string; bytes: Uint8Array; annotations?: Record<string, string> },
    annotations?: Record<string, string>,
  ): Promise<Descriptor>
}
