/** Fetches an image and what is attached to it. */

import { resolve } from 'node:path'
import { parseReference, readImage, Registry } from '../oci/index.ts'
import { readVerificationKey } from '../supply/signature.ts'
import { type Io } from '../terminal.ts'
import { type ImageReport, inspectImage } from './image.ts'

export interface PullFlags {
  verifyKey?: string
  insecure?: boolean
  ca?: string
}

export async function pullImage(
  name: string,
  { verifyKey, insecure, ca }: PullFlags,
  io: Io,
): Promise<{ bytes: Uint8Array; image: ImageReport }> {
  const reference = parseReference(name)
  const key = verifyKey === undefined ? undefined : readVerificationKey(resolve(io.cwd, verifyKey))
  const options = { insecure, ca: ca && resolve(io.cwd, ca), env: io.env, signal: io.signal }
  const registry = Registry.open(reference, options)
  try {
    const pulled = await readImage(registry, reference)
    return { bytes: pulled.module, image: await inspectImage(registry, reference, pulled, key) }
  } finally {
    registry.close()
  }
}
