import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Top folder of the checkout. */
export const root = fileURLToPath(new URL('../../', import.meta.url))

/** Filters by other SDKs, beside the checkout; not part of a published copy. */
export const peers = join(root, '../shared/peers/wasm')

let folder: string | undefined

/** A folder for what this process builds; removed when it ends. */
export function workFolder(): string {
  if (!folder) {
    const made = (folder = mkdtempSync(join(tmpdir(), 'meshscript-bench-')))
    process.on('exit', () => rmSync(made, { recursive: true, force: true }))
  }
  return folder
}
