/** Modules of these tests, built once for each of them. */

import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildFilter } from '../../cli/src/build/index.ts'

const folder = mkdtempSync(join(tmpdir(), 'meshscript-bundles-'))
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))

export const fixtures = join(import.meta.dirname, 'fixtures')

/** Path of a bundle's module; of one filter's where there is only one. */
export async function build(...filters: string[]): Promise<string> {
  const hash = createHash('sha256').update(filters.join()).digest('hex').slice(0, 8)
  const output = join(folder, hash, 'bundle.wasm')
  await buildFilter({ path: fixtures, bundle: filters, output })
  return output
}

export async function buildOne(file: string): Promise<string> {
  const output = join(folder, `${file}.wasm`)
  await buildFilter({ path: join(fixtures, file), output })
  return output
}
