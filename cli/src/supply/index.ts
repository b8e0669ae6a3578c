/**
 * What goes with an image: a bill of materials and a provenance as its referrers, and a signature that cosign can check.
 * None of it changes the image or its digest.
 */

import { findOrigin } from './origin.ts'
import { IN_TOTO_MEDIA_TYPE, provenance, PROVENANCE_TYPE } from './provenance.ts'
import { type ReferrerTarget, type Repository } from './registry.ts'
import { spdx, SPDX_MEDIA_TYPE } from './sbom.ts'
import { readSigningKey } from './signature.ts'
import { pushSignature } from './signature_image.ts'
import { type Descriptor } from '../oci/descriptor.ts'
import { type Origin } from './types.ts'

export { readSource, repositoryUrl } from './git.ts'
export { findOrigin } from './origin.ts'
export { IN_TOTO_MEDIA_TYPE, provenance, PROVENANCE_TYPE } from './provenance.ts'
export { type ReferrerSource, type ReferrerTarget, type Repository } from './registry.ts'
export { spdx, SPDX_MEDIA_TYPE } from './sbom.ts'
export { readSigningKey, readVerificationKey, sign, signatureTag, verify } from './signature.ts'
export { type FoundSignature, pushSignature, readSignatures } from './signature_image.ts'
export type { Component, Origin, Source } from './types.ts'

export interface AttachOptions {
  module: Uint8Array
  /** Path of the module's file; the source map beside it names the sources. */
  project: string
  sbom: boolean
  provenance: boolean
  /** Path of a PEM file, ECDSA P-256. `readSigningKey` tells before an upload whether it serves. */
  signKey?: string
  env: Record<string, string | undefined>
}

export interface Attached {
  kind: 'sbom' | 'provenance' | 'signature'
  /** Digest of the referrer, or the signature's tag. */
  reference: string
}

/** Attaches what is asked for to an image that is there. The same call again changes nothing. */
export async function attachAll(
  registry: ReferrerTarget,
  repository: Repository,
  subject: Descriptor,
  options: AttachOptions,
): Promise<Attached[]> {
  const { module, project, env } = options
  // Before anything is sent.
  const key = options.signKey === undefined ? undefined : readSigningKey(options.signKey)
  const origin = await findOrigin(module, project)
  const created = creationTime(origin, env)
  const attached: Attached[] = []
  const push = async (kind: Attached['kind'], mediaType: string, document: object, annotations = {}) => {
    const bytes = Buffer.from(JSON.stringify(document))
    const payload = { mediaType, bytes, annotations }
    // With the time of the document, not of the upload, a second upload is the same manifest.
    const about = { 'org.opencontainers.image.created': created, ...annotations }
    const { digest } = await registry.pushReferrer(repository.repository, subject, mediaType, payload, about)
    attached.push({ kind, reference: digest })
    // A document names its image, but anybody who may push could attach another one.
    if (key) await pushSignature(registry, repository, digest, key)
  }
  if (options.sbom) await push('sbom', SPDX_MEDIA_TYPE, spdx({ origin, created }))
  if (options.provenance) {
    const image = { name: `${repository.registry}/${repository.repository}`, digest: subject.digest }
    const statement = provenance({ origin, image, env })
    await push('provenance', IN_TOTO_MEDIA_TYPE, statement, { 'in-toto.io/predicate-type': PROVENANCE_TYPE })
  }
  if (key) {
    const tag = await pushSignature(registry, repository, subject.digest, key)
    attached.push({ kind: 'signature', reference: tag })
  }
  return attached
}

/** SOURCE_DATE_EPOCH, the commit's time, or else the beginning of time: never now, so that documents can be made again. */
export function creationTime({ source }: Pick<Origin, 'source'>, env: AttachOptions['env']): string {
  const epoch = env['SOURCE_DATE_EPOCH']
  if (epoch !== undefined && /^\d{1,11}$/.test(epoch)) return new Date(Number(epoch) * 1000).toISOString()
  return source?.time ?? new Date(0).toISOString()
}
