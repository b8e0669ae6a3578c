/** Finds the module to push, and refuses one that Envoy would not run. */

import { existsSync, readFileSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { displayPath } from '../diagnostics.ts'
import { UserError } from '../errors.ts'
import { BLOB_LIMIT } from './registry.ts'

export interface ModuleFile {
  path: string
  bytes: Uint8Array
}

/** `path`: a module; or a filter's folder or .ts file, which is built. Without it, the module that the project's last build made. */
export async function findModule(path: string | undefined, filter: string, cwd: string): Promise<ModuleFile> {
  if (path === undefined) return read(await builtModule(filter, cwd), cwd)
  const file = resolve(cwd, path)
  const source = file.endsWith('.ts') || statSync(file, { throwIfNoEntry: false })?.isDirectory()
  if (!source) return read(file, cwd)
  const { buildFilter } = await import('../build/index.ts')
  const { output, bytes } = await buildFilter({ path: file })
  return { path: output, bytes }
}

async function builtModule(filter: string, cwd: string): Promise<string> {
  const { findProject } = await import('../build/project.ts')
  const { output } = findProject(filter)
  if (existsSync(output)) return output
  throw new UserError(
    `there is no ${displayPath(output, cwd)} yet; run "meshscript build", or name the module`,
    'OCI008',
  )
}

function read(file: string, cwd: string): ModuleFile {
  const name = displayPath(file, cwd)
  let bytes: Uint8Array
  try {
    bytes = readFileSync(file)
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    throw new UserError(code === 'ENOENT' ? `there is no file ${name}` : `${name} can't be read: ${message}`, 'OCI008')
  }
  if (bytes.length > BLOB_LIMIT)
    throw new UserError(`${name} has more than ${BLOB_LIMIT} bytes, which is what Istio takes`, 'OCI008')
  return { path: file, bytes }
}

export async function refuseBadModule({ path, bytes }: ModuleFile): Promise<void> {
  const { checkModule } = await import('../build/check.ts')
  const problems = checkModule(bytes)
  if (!problems.length) return
  throw new UserError(
    'Envoy would not run this module; --no-check pushes it all the same',
    'OCI007',
    problems.map(({ code, message }) => ({ severity: 'error', code, message, file: path })),
  )
}
