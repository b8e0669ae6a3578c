/** What a registry says of an image: beside the module itself, the documents and signatures that go with it. */

import { type KeyObject } from 'node:crypto'
import { type FoundSignature, readSignatures } from '../supply/signature_image.ts'
import { IN_TOTO_MEDIA_TYPE } from '../supply/provenance.ts'
import { type ReferrerSource, type Repository } from '../supply/registry.ts'
import { SPDX_MEDIA_TYPE } from '../supply/sbom.ts'
import { type Descriptor } from '../oci/descriptor.ts'

export interface ImageReport {
  digest: string
  mediaType: string
  /** How the module lies in it. */
  form: string
  annotations: Record<string, string>
  referrers: ReferrerReport[]
  signatures: FoundSignature[]
}

export interface ReferrerReport {
  /** `other` for what others have attached. */
  kind: 'sbom' | 'provenance' | 'other'
  artifactType: string
  digest: string
  size: number
  /** Whether it is signed by the key that was given; undefined without one. */
  verified?: boolean
}

/** What `pullModule` answers. */
export interface PulledImage {
  digest: string
  mediaType: string
  form: string
  annotations: Record<string, string>
}

export async function inspectImage(
  source: ReferrerSource,
  repository: Repository,
  { digest, mediaType, form, annotations }: PulledImage,
  key?: KeyObject,
): Promise<ImageReport> {
  const [referrers, signatures] = await Promise.all([
    source.referrers(repository.repository, digest),
    readSignatures(source, repository, digest, key),
  ])
  const documents = await Promise.all(
    referrers.map(async (each) => {
      if (!key) return describe(each)
      const found = await readSignatures(source, repository, each.digest, key)
      return { ...describe(each), verified: found.some(({ verified }) => verified) }
    }),
  )
  return { digest, mediaType, form, annotations, referrers: documents, signatures }
}

const kinds: Record<string, ReferrerReport['kind']> = { [SPDX_MEDIA_TYPE]: 'sbom', [IN_TOTO_MEDIA_TYPE]: 'provenance' }

function describe({ artifactType = '', digest, size }: Descriptor): ReferrerReport {
  return { kind: kinds[artifactType] ?? 'other', artifactType, digest, size }
}
