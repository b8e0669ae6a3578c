/** Reads the files, folders and standard input that a command names. */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Diagnostics } from './diagnostics.ts'
import { Source } from './source.ts'

/**
 * Texts of `names`, in their order; of a folder all .yaml, .yml and .json files in it and below, by name. `-` is standard input.
 * Names are relative to `cwd`, and diagnostics show them as they are given.
 */
export function readSources(names: readonly string[], cwd: string, diagnostics: Diagnostics): Source[] {
  return names.flatMap((name) => {
    try {
      if (name !== '-' && statSync(resolve(cwd, name)).isDirectory()) {
        return listFolder(name, cwd).flatMap((file) => readSource(file, cwd, diagnostics))
      }
    } catch (error) {
      diagnostics.add('error', 'MS1001', `cannot read ${name}: ${reason(error)}`)
      return []
    }
    return readSource(name, cwd, diagnostics)
  })
}

/** One text. None when it can't be read. */
export function readSource(name: string, cwd: string, diagnostics: Diagnostics): Source[] {
  try {
    const bytes = readFileSync(name === '-' ? 0 : resolve(cwd, name))
    return [new Source(name === '-' ? '<stdin>' : name, new TextDecoder('utf-8', { fatal: true }).decode(bytes))]
  } catch (error) {
    const why = error instanceof TypeError ? 'it is not UTF-8 text' : reason(error)
    diagnostics.add('error', 'MS1001', `cannot read ${name}: ${why}`)
    return []
  }
}

function listFolder(folder: string, cwd: string): string[] {
  return readdirSync(resolve(cwd, folder), { withFileTypes: true })
    .filter((entry) => !entry.name.startsWith('.') && entry.name !== 'node_modules')
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = join(folder, entry.name)
      if (entry.isDirectory()) return listFolder(path, cwd)
      return /\.(ya?ml|json)$/.test(entry.name) ? [path] : []
    })
}

function reason(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException
  const known: Record<string, string> = { ENOENT: 'there is no such file', EACCES: 'no permission' }
  return (code && known[code]) ?? message
}
