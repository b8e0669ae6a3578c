/** Which filters to run, and where their configurations are. */

import { existsSync, statSync } from 'node:fs'
import { basename, dirname, resolve } from 'node:path'
import { findProject } from '../build/project.ts'
import { displayPath } from '../diagnostics.ts'
import { UsageError, UserError } from '../errors.ts'
import { readSettings, type Settings } from '../settings.ts'

export interface FilterSource {
  /** Unique in the chain; the plugin's name in Envoy. */
  name: string
  /** Absolute. */
  path: string
  /** As the user writes it. */
  shown: string
  /** A module is taken as it is, sources are built. */
  kind: 'sources' | 'module'
  /** Absolute path of the configuration's file. */
  configuration?: string
}

/** Filters by the paths of the command line, or the project's own. `configurations` are `FILE` or `NAME=FILE`. */
export function findFilters(paths: readonly string[], configurations: readonly string[], cwd: string): FilterSource[] {
  const given = paths.length ? paths.map((path) => resolve(cwd, path)) : [readSettings(cwd).filter ?? cwd]
  const filters: FilterSource[] = []
  for (const path of given) {
    const { name: base, folder, kind } = findFilter(path)
    let name = base
    for (let count = 2; filters.some((filter) => filter.name === name); count++) name = `${base}-${count}`
    const configuration = ownConfiguration(readSettings(folder), path, folder)
    filters.push({ name, path, shown: displayPath(path, cwd), kind, ...(configuration && { configuration }) })
  }
  for (const text of configurations) configure(filters, text, cwd)
  return filters
}

function findFilter(path: string): { name: string; folder: string; kind: FilterSource['kind'] } {
  if (path.endsWith('.wasm')) {
    if (!statSync(path, { throwIfNoEntry: false })?.isFile()) throw new UserError(`there is no file ${path}`, 'RUN003')
    return { name: basename(path, '.wasm'), folder: dirname(path), kind: 'module' }
  }
  const { name, output } = findProject(path)
  // The module goes to FOLDER/build/NAME.wasm.
  return { name, folder: dirname(dirname(output)), kind: 'sources' }
}

/** The settings' configuration belongs to the settings' filter. */
function ownConfiguration(settings: Settings, path: string, folder: string): string | undefined {
  const { file, filter, configuration } = settings
  if (file === undefined) return undefined
  const own = filter === undefined ? dirname(file) === folder : filter === path || filter === folder
  return own ? configuration : undefined
}

function configure(filters: FilterSource[], text: string, cwd: string): void {
  const [, name, named] = /^([^=/\\]+)=(.+)$/.exec(text) ?? []
  const filter = filters.find((candidate) => candidate.name === name)
  if (filter) {
    filter.configuration = resolve(cwd, named!)
    return
  }
  if (name !== undefined && !existsSync(resolve(cwd, text))) {
    const names = filters.map((candidate) => candidate.name).join(', ')
    throw new UsageError(`--config ${text}: there is no filter ${name}, only ${names}`, 'RUN003')
  }
  if (filters.length > 1) {
    const example = filters[0]!.name
    throw new UsageError(`--config ${text}: say for which filter, e.g. --config ${example}=${text}`, 'RUN003')
  }
  filters[0]!.configuration = resolve(cwd, text)
}
