/** What attaching and reading of documents needs of a registry; the client in oci/ has it, and so has a writer of image layouts. */

import { type Reference } from '../oci/reference.ts'
import { type Registry } from '../oci/registry.ts'

/** An image without tag or digest. */
export type Repository = Pick<Reference, 'registry' | 'repository'>

export type ReferrerSource = Pick<Registry, 'manifest' | 'blob' | 'referrers'>
export type ReferrerTarget = Pick<Registry, 'manifest' | 'pushBlob' | 'pushManifest' | 'pushReferrer'>
