import { mkdtempSync } from 'node:fs'
import { rename, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A new folder for one Envoy's files. */
export function temporaryDirectory(): string {
  return mkdtempSync(join(tmpdir(), 'meshscript-'))
}

let writes = 0

/** Replaces a file in one step: a reader sees the old text or the new one. Envoy watches for this very rename. */
export async function writeAtomically(path: string, text: string): Promise<void> {
  const temporary = `${path}.${process.pid}-${++writes}`
  await writeFile(temporary, text)
  await rename(temporary, path)
}
