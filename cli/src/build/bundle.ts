/** Finds the filters of a bundle, ready ones by name and own ones by path, and makes one project of them. */

import { existsSync, readdirSync, realpathSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, relative, resolve } from 'node:path'
import { UserError } from '../errors.ts'
import { nearest } from '../resources/nearest.ts'
import { ancestors, findEntry, findPackage, findProject, type Project } from './project.ts'

export interface BundlePart {
  /** The member of the bundle's configuration that is this filter's. */
  name: string
  /** What the compiler calls the filter's file, without its extension. */
  path: string
  /** JSON Schema of the filter's configuration, if it has one. */
  schema?: string
}

const FILTERS = '@meshscript/filters'
const MOST = 32
/** What is in the configuration of every bundle. */
const TAKEN = ['version', '$schema']

/** `filters` are names of ready filters, and paths as `findProject` takes them, in the order of the chain. They are looked up in `folder`. */
export function findBundle(filters: readonly string[], folder: string, alias?: Record<string, string>): Project {
  if (!filters.length) throw new UserError('a bundle needs filters, such as --bundle authorization,routing', 'BUILD030')
  if (filters.length > MOST) throw new UserError(`a bundle has at most ${MOST} filters`, 'BUILD030')
  const baseDir = ancestors(folder).find((dir) => existsSync(join(dir, 'package.json'))) ?? folder
  const ready =
    findPackage(FILTERS, baseDir) ?? dirname(createRequire(import.meta.url).resolve(`${FILTERS}/package.json`))
  const parts = filters.map((filter) => readyPart(filter, ready) ?? ownPart(filter, { folder, baseDir, ready }))
  for (const [index, { name }] of parts.entries()) {
    if (TAKEN.includes(name)) throw new UserError(`a filter of a bundle can't be called ${name}`, 'BUILD032')
    if (parts.findIndex((other) => other.name === name) !== index) {
      throw new UserError(
        `two filters of the bundle are called ${name}: names tell their configurations apart, so rename one's folder or file`,
        'BUILD032',
      )
    }
  }
  // The folder's own settings hold, as for one filter.
  const project = findProject(folder, alias, join(baseDir, ENTRY))
  return {
    ...project,
    name: 'bundle',
    output: join(folder, 'build', 'bundle.wasm'),
    schema: undefined,
    filters: ready,
    bundle: parts,
    entry: parts.map(({ path }) => `import '${importOf(path)}'\n`).join(''),
  }
}

/** Exists for the compiler only. */
const ENTRY = 'meshscript-bundle.ts'

function readyPart(name: string, folder: string): BundlePart | undefined {
  if (!isReady(name, folder)) return undefined
  return { name, path: `~lib/${FILTERS}/${name}/assembly/index`, ...schemaIn(join(folder, name)) }
}

function isReady(name: string, folder: string): boolean {
  return /^[\w-]+$/.test(name) && existsSync(join(folder, name, 'assembly', 'index.ts'))
}

function ownPart(filter: string, at: { folder: string; baseDir: string; ready: string }): BundlePart {
  const path = resolve(at.folder, filter)
  if (!existsSync(path)) {
    const names = readdirSync(at.ready).filter((name) => isReady(name, at.ready))
    const meant = nearest(filter, names)
    throw new UserError(
      `there is no filter ${filter}: it is neither a file or folder nor one of ${names.join(', ')}` +
        (meant === undefined ? '' : `; did you mean ${meant}?`),
      'BUILD031',
    )
  }
  const { file, folder, name } = findEntry(path)
  const inside = relative(at.baseDir, file).replaceAll('\\', '/').replace(/\.ts$/, '')
  const isMain = file === join(folder, 'assembly', 'index.ts')
  return { name, path: inside, ...(isMain && schemaIn(folder)) }
}

function schemaIn(folder: string): { schema?: string } {
  const schema = join(realpathSync(folder), 'schema.json')
  return existsSync(schema) ? { schema } : {}
}

function importOf(path: string): string {
  if (path.startsWith('~lib/')) return path.slice('~lib/'.length)
  return path.startsWith('.') ? path : `./${path}`
}
