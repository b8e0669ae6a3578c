/** What an image says of itself. Nothing of it depends on when or where it is pushed. */

import { readModuleMetadata } from '../wasm/metadata.ts'
import { findOrigin } from '../supply/origin.ts'

const PREFIX = 'org.opencontainers.image.'
export const SDK_VERSION = 'io.github.meshscript.sdk.version'

export interface Described {
  annotations: Record<string, string>
  /** Of the author's package. */
  version?: string
}

/** From the module, its package.json and git. `file`: path of the module. */
export async function describeModule(
  module: Uint8Array,
  file: string,
  env: Record<string, string | undefined>,
): Promise<Described> {
  const { filter, source } = await findOrigin(module, file)
  // A commit whose files have been changed since is not what the module was made of.
  const commit = source?.modified ? undefined : source
  const epoch = env['SOURCE_DATE_EPOCH']
  const created = /^\d{1,11}$/.test(epoch ?? '') ? new Date(Number(epoch) * 1000).toISOString() : commit?.time
  const all: Record<string, string | undefined> = {
    [`${PREFIX}title`]: filter.name,
    [`${PREFIX}version`]: filter.version,
    [`${PREFIX}licenses`]: filter.license,
    [`${PREFIX}source`]: filter.repository ?? source?.repository,
    [`${PREFIX}revision`]: commit?.commit,
    [`${PREFIX}created`]: created,
    [SDK_VERSION]: readModuleMetadata(module).sdk,
  }
  const known = Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined)
  return { annotations: Object.fromEntries(known), version: filter.version }
}
