/** Finds what belongs to a filter: its entry file, its package, the SDK that it uses, and the project's settings. */

import { existsSync, realpathSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, dirname, join, resolve } from 'node:path'
import { UserError } from '../errors.ts'
import { readSettings } from '../settings.ts'
import type { BundlePart } from './bundle.ts'

export interface Project {
  /** The author's entry file. */
  file: string
  /** Name of the filter: of its folder, or of its file. */
  name: string
  /** Everything the compiler sees is relative to this folder: the nearest package, so that the bytes don't depend on where it lies. */
  baseDir: string
  /** Where the module goes unless the user says otherwise. */
  output: string
  sdk: string
  /** The project's own asconfig.json, or the SDK's. */
  asconfig: string
  /** The JSON Schema of the filter's configuration, `schema.json` beside `assembly/`, if there is one. */
  schema?: string
  /** Imports of the left are taken from the right. */
  alias: Record<string, string>
  /** Of a bundle: its filters, where the ready ones lie, and the text of `file`, which is nowhere else. */
  bundle?: readonly BundlePart[]
  filters?: string
  entry?: string
}

const SDK = '@meshscript/sdk'

/** `path` is a `.ts` file, or a folder with `assembly/index.ts`; or any folder, where the entry is another file. */
export function findProject(path: string, alias: Record<string, string> = {}, entry?: string): Project {
  const { file, folder, name } =
    entry === undefined
      ? findEntry(resolve(path))
      : { file: entry, folder: resolve(path), name: basename(entry, '.ts') }
  const baseDir = ancestors(folder).find((dir) => existsSync(join(dir, 'package.json'))) ?? folder
  const sdk = findSdk(baseDir)
  const own = join(baseDir, 'asconfig.json')
  const schema = join(folder, 'schema.json')
  return {
    file,
    name,
    baseDir,
    output: join(folder, 'build', `${name}.wasm`),
    sdk,
    asconfig: existsSync(own) ? own : join(sdk, 'asconfig.json'),
    // Other entry files of a folder are other filters.
    schema: file === join(folder, 'assembly', 'index.ts') && existsSync(schema) ? schema : undefined,
    alias: { ...readSettings(folder).alias, ...alias },
  }
}

export function findEntry(path: string): { file: string; folder: string; name: string } {
  const stats = statSync(path, { throwIfNoEntry: false })
  if (!stats) throw new UserError(`there is no file or folder ${path}`, 'BUILD001')
  if (stats.isDirectory()) {
    const file = join(path, 'assembly', 'index.ts')
    if (existsSync(file)) return { file, folder: path, name: basename(path) }
    throw new UserError(`${path} has no assembly/index.ts; name the filter's .ts file, or its folder`, 'BUILD002')
  }
  if (!path.endsWith('.ts')) throw new UserError(`${path} is not a TypeScript file`, 'BUILD003')
  let folder = dirname(path)
  let name = basename(path, '.ts')
  // The same file as its folder would have named.
  if (basename(folder) === 'assembly') folder = dirname(folder)
  if (name === 'index') name = basename(folder)
  return { file: path, folder, name }
}

export function ancestors(folder: string): string[] {
  const parent = dirname(folder)
  return parent === folder ? [folder] : [folder, ...ancestors(parent)]
}

/** The SDK of the project, or else the one that the command came with. */
function findSdk(baseDir: string): string {
  return findPackage(SDK, baseDir) ?? dirname(createRequire(import.meta.url).resolve(`${SDK}/package.json`))
}

/** The folder of a package that the project has. */
export function findPackage(name: string, baseDir: string): string | undefined {
  for (const dir of ancestors(baseDir)) {
    const candidate = join(dir, 'node_modules', name)
    if (existsSync(join(candidate, 'package.json'))) return realpathSync(candidate)
  }
  return undefined
}
