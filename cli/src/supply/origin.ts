/** Finds out how a module was made: from what it carries, from its source map and from the packages of its sources. */

import { parseModule, Reader } from '@meshscript/sdk/testing/module'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, realpathSync } from 'node:fs'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { readModuleMetadata } from '../wasm/metadata.ts'
import { readSource, repositoryUrl } from './git.ts'
import { type Component, type Origin, type OwnFile } from './types.ts'

interface Package extends Component {
  folder: string
}

interface SourceMap {
  sources?: string[]
  sourcesContent?: (string | null)[]
}

const SDK = '@meshscript/sdk'
/** Files of a package that decide what is built, beside the sources. */
const SETTINGS = ['package.json', 'package-lock.json', 'asconfig.json', 'meshscript.json', 'schema.json']

/** `file` is the module's path; its source map is read from beside it. Without one only the module itself is known. */
export async function findOrigin(module: Uint8Array, file: string): Promise<Origin> {
  const { producers, sdk } = readModuleMetadata(module)
  const sources = readSources(file)
  const packages = new Map<string, Package>()
  for (const { path } of sources) {
    const found = nearestPackage(dirname(path))
    if (found) packages.set(found.folder, found)
  }
  const own = ownPackage(dirname(resolve(file)), packages)
  const components = [...packages.values()].filter(({ folder }) => folder !== own?.folder)
  // What the module says of itself stands in where there is no source map.
  if (sdk !== undefined && !components.some(({ name }) => name === SDK)) {
    components.push({ name: SDK, version: sdk, folder: '' })
  }
  const files = own ? ownFiles(own.folder, sources) : []
  const inputs = files.length ? [...files.map(({ path }) => path), ...SETTINGS] : []
  const source = own && (await readSource(own.folder, inputs))
  return {
    file: basename(file),
    sha256: sha256(module),
    filter: own ? component(own) : { name: basename(file, '.wasm') },
    packages: components.map(component).sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0)),
    producers,
    files: files.map(({ path, sha1, sha256 }) => ({ path, sha1, sha256 })),
    source: source && { ...source, modified: source.modified || files.some(({ changed }) => changed) },
    names: namesOf(module),
  }
}

export function sha256(content: Uint8Array | string): string {
  return createHash('sha256').update(content).digest('hex')
}

const component = ({ name, version, license, repository }: Package): Component => ({
  name,
  version,
  license,
  repository,
})

interface SourceText {
  path: string
  /** What the compiler saw. */
  text?: string
}

/** Files on disk that code came from; AssemblyScript's library and what the build makes up are none. */
function readSources(file: string): SourceText[] {
  let map: SourceMap
  try {
    map = JSON.parse(readFileSync(`${file}.map`, 'utf8')) as SourceMap
  } catch {
    return []
  }
  return (map.sources ?? []).flatMap((name, index) => {
    if (name.startsWith('~lib/')) return []
    const path = resolve(dirname(file), name)
    return existsSync(path) ? [{ path: realpathSync(path), text: map.sourcesContent?.[index] ?? undefined }] : []
  })
}

/** The package that a folder belongs to: the nearest package.json with a name. */
function nearestPackage(folder: string): Package | undefined {
  for (let at = folder; ; at = dirname(at)) {
    const found = readPackage(at)
    if (found) return found
    if (dirname(at) === at) return undefined
  }
}

function readPackage(folder: string): Package | undefined {
  let json: Record<string, unknown>
  try {
    json = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Record<string, unknown>
  } catch {
    return undefined
  }
  const text = (value: unknown) => (typeof value === 'string' && value !== '' ? value : undefined)
  const name = text(json['name'])
  if (name === undefined) return undefined
  const repository = json['repository']
  const url = text(typeof repository === 'object' ? (repository as { url?: unknown } | null)?.url : repository)
  return {
    folder,
    name,
    version: text(json['version']),
    license: text(json['license']),
    repository: url && repositoryUrl(url),
  }
}

/** The author's package: the one that the module lies in, or else one that is not installed. */
function ownPackage(folder: string, packages: ReadonlyMap<string, Package>): Package | undefined {
  const around = nearestPackage(existsSync(folder) ? realpathSync(folder) : folder)
  if (around && (packages.has(around.folder) || !packages.size)) return around
  return [...packages.values()].find((each) => each.name !== SDK && !/[\\/]node_modules[\\/]/.test(each.folder))
}

function ownFiles(folder: string, sources: readonly SourceText[]): (OwnFile & { changed: boolean })[] {
  return sources
    .filter(({ path }) => nearestPackage(dirname(path))?.folder === folder)
    .map(({ path, text }) => {
      const now = readFileSync(path, 'utf8')
      const changed = text !== undefined && text !== now
      const seen = text ?? now
      const sha1 = createHash('sha1').update(seen).digest('hex')
      return { path: relative(folder, path).replaceAll('\\', '/'), sha1, sha256: sha256(seen), changed }
    })
    .sort((a, b) => (a.path < b.path ? -1 : 1))
}

const NAMES_OF_FUNCTIONS = 1

function namesOf(module: Uint8Array): Origin['names'] {
  const section = parseModule(module).sections.find(({ name }) => name === 'name')
  if (!section) return 'none'
  const reader = new Reader(module, section.content, section.end)
  let others = false
  while (!reader.done) {
    const id = reader.byte()
    others ||= id !== NAMES_OF_FUNCTIONS
    reader.take(reader.u32())
  }
  return others ? 'all' : 'functions'
}
