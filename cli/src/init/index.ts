/** Makes a project from a template. Needs no network. */

import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import workspace from '../../../package.json' with { type: 'json' }
import packageJson from '../../package.json' with { type: 'json' }
import { UsageError, UserError } from '../errors.ts'
import { renderTemplate, type Template } from './templates.ts'

export interface InitOptions {
  folder: string
  template: Template
  /** Name of the package. Default: the folder's. */
  name?: string
  /** Takes a folder that is not empty, and writes over files of the project that are there. */
  force?: boolean
  /** Makes a repository. */
  git?: boolean
}

export interface InitResult {
  folder: string
  name: string
  template: Template
  /** With slashes, from the folder on. */
  files: string[]
}

const NAME = /^(?:@[a-z0-9~-][a-z0-9._~-]*\/)?[a-z0-9~-][a-z0-9._~-]*$/
const SHOWN = 5

/** Nothing is written where something is already, unless `force`. An empty repository counts as nothing. */
export function initProject(options: InitOptions): InitResult {
  const { template, force = false, git = false } = options
  const folder = resolve(options.folder)
  const name = options.name ?? packageName(folder)
  const problem = checkName(name)
  if (problem) throw new UsageError(problem, 'INIT002')
  const files = renderTemplate(template, {
    name,
    // Names of images have no scopes, and no tilde.
    image: name.replace(/^@.*\//, '').replaceAll('~', '-'),
    version: packageJson.version,
    vitest: workspace.devDependencies.vitest,
  })
  if (!force) refuseContents(folder, [...files.keys()])
  write(folder, files)
  if (git) initGit(folder)
  return { folder, name, template, files: [...files.keys()] }
}

function refuseContents(folder: string, files: readonly string[]): void {
  let present: string[]
  try {
    present = readdirSync(folder).filter((name) => name !== '.git')
  } catch {
    // Not there, or no folder: writing tells.
    return
  }
  if (!present.length) return
  const more = present.length > SHOWN ? ` and ${present.length - SHOWN} more` : ''
  const list = present.sort().slice(0, SHOWN).join(', ')
  const lost = files.filter((file) => existsSync(join(folder, file))).length
  const price = lost ? `writes over ${lost} of its files` : 'keeps what is there'
  throw new UserError(`${folder} is not empty: it has ${list}${more}; --force ${price}`, 'INIT001')
}

/** The folder's name, as npm takes it. */
export function packageName(folder: string): string {
  const name = basename(resolve(folder))
    .toLowerCase()
    .replace(/[^a-z0-9._~-]+/g, '-')
    .replace(/^[._-]+|-+$/g, '')
  return name || 'my-filter'
}

/** What is wrong with the name of a package; undefined when nothing is. */
export function checkName(name: string): string | undefined {
  if (NAME.test(name) && name.length <= 214) return undefined
  return `'${name}' can't be the name of a package: small letters, digits, - . _ ~, and @SCOPE/ before it`
}

function write(folder: string, files: ReadonlyMap<string, string>): void {
  try {
    for (const [file, text] of files) {
      mkdirSync(dirname(join(folder, file)), { recursive: true })
      writeFileSync(join(folder, file), text)
    }
  } catch (error) {
    throw new UserError(`can't write the project: ${(error as Error).message}`, 'INIT003')
  }
}

function initGit(folder: string): void {
  const { status, error, stderr } = spawnSync('git', ['init', '--quiet'], { cwd: folder, encoding: 'utf8' })
  if (status !== 0) throw new UserError(`git init failed: ${error?.message ?? stderr.trim()}`, 'INIT004')
}
