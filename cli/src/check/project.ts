/** Checks of the project in a folder. */

import * as asc from 'assemblyscript/asc'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import packageJson from '../../package.json' with { type: 'json' }
import { findProject, type Project } from '../build/project.ts'
import { UserError } from '../errors.ts'
import { readSettings, type Settings } from '../settings.ts'
import { checkCompilerOptions } from './asconfig.ts'
import { parseVersion } from './tool.ts'
import { type Category, type Check, type CheckContext, failure, type Finding, success, warning } from './types.ts'

/** Empty where the folder holds no filter. */
export function projectChecks({ io }: CheckContext): Category {
  const found = open(io.cwd)
  return { categoryName: 'project', checks: 'checks' in found ? found.checks : checksOf(found) }
}

interface Found {
  project: Project
  settings: Settings
}

function open(folder: string): Found | { checks: Check[] } {
  const description = "the project's files can be read"
  try {
    const settings = readSettings(folder)
    return { settings, project: findProject(settings.filter ?? folder) }
  } catch (error) {
    if (!(error instanceof UserError)) throw error
    const { message, code } = error
    return {
      checks: [check('CHK020', description, () => failure(`${message} (${code})`, 'mend it, or go to the project'))],
    }
  }
}

function checksOf({ project, settings }: Found): Check[] {
  return [
    check('CHK021', 'the SDK is of the version of this command', () => sdkVersion(project)),
    check('CHK022', 'AssemblyScript is of the version that the SDK needs', () => compilerVersion(project)),
    check('CHK023', 'Envoy runs what the options of the compiler make', () => checkCompilerOptions(project)),
    check('CHK024', 'the filter takes its configuration', () => configuration(project, settings)),
  ]
}

function check(
  code: string,
  description: string,
  run: () => Finding | undefined | Promise<Finding | undefined>,
): Check {
  return { code, description, run: async () => run() }
}

function readJson(file: string): Record<string, unknown> {
  return JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>
}

function sdkVersion({ sdk }: Project): Finding {
  const version = String(readJson(join(sdk, 'package.json'))['version'])
  const own = packageJson.version
  if (version === own) return success(`the SDK is of the version of this command (${version})`)
  const same = sameMinor(version, own)
  return (same ? warning : failure)(
    `@meshscript/sdk is ${version}, this command is ${own}`,
    `npm install @meshscript/sdk@${own} meshscript@${own}`,
  )
}

function sameMinor(a: string, b: string): boolean {
  const [one, two] = [parseVersion(a), parseVersion(b)]
  return one?.[0] === two?.[0] && one?.[1] === two?.[1]
}

function compilerVersion({ sdk }: Project): Finding {
  const { peerDependencies } = readJson(join(sdk, 'package.json')) as { peerDependencies?: Record<string, string> }
  const wanted = peerDependencies?.['assemblyscript']
  const version = asc.version
  if (wanted === undefined || wanted === version) return success(`AssemblyScript is ${version}`)
  return failure(
    `AssemblyScript is ${version}, but the SDK needs ${wanted}: the SDK relies on the inside of the compiler`,
    `npm install --save-dev assemblyscript@${wanted}`,
  )
}

async function configuration({ output }: Project, settings: Settings): Promise<Finding | undefined> {
  const file = settings.configuration
  if (file === undefined) return undefined
  if (!existsSync(file)) return failure(`there is no file ${file}`, 'correct "configuration" in meshscript.json')
  if (!existsSync(output))
    return warning('the filter is not built, so its configuration was not tried', 'meshscript build')
  const { preflight } = await import('../deploy/preflight.ts')
  const rootId = settings.deploy?.pluginName
  const result = await preflight({ module: readFileSync(output), configuration: readFileSync(file, 'utf8'), rootId })
  if (result.ok) return success('the filter takes its configuration')
  return failure(`${result.message} (${result.code})`, `mend ${file}, or build the filter again`)
}
