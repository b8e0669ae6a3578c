import { Command } from 'commander'
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { environmentChecks } from '../check/environment.ts'
import { renderReport } from '../check/render.ts'
import { runChecks } from '../check/runner.ts'
import { type Category, type CheckContext } from '../check/types.ts'
import { NegativeResult, UserError } from '../errors.ts'
import { readSettings } from '../settings.ts'
import { colorsFor, type Io } from '../terminal.ts'
import { Progress } from './progress.ts'

interface Flags {
  environment?: boolean
  project?: boolean
  plugin?: string
  insecure?: boolean
  ca?: string
  json?: boolean
}

const examples = `
Examples:
  meshscript check
  meshscript check --environment --json
  meshscript check --plugin deploy/hello.yaml`

/** `meshscript check`: whether this machine, the cluster and the project are fit. */
export function checkCommand(io: Io): Command {
  return new Command('check')
    .description(
      'Check the environment (Node.js, Envoy, Docker, kubectl, the cluster, Istio, the registry) and the project in this ' +
        'folder (versions, options of the compiler, configuration).\n' +
        '√ is well, ‼ a warning, × an error. What only some commands need is a warning where it is missing.',
    )
    .option('--environment', 'check the environment only')
    .option('--project', 'check the project only')
    .option('--plugin <FILE>', 'check the WasmPlugins in this YAML file only: image, digest, configuration')
    .option('--insecure', 'speak plain HTTP with the registry')
    .option('--ca <FILE>', "PEM file with the certificate of the registry's authority")
    .option('--json', 'print the result as JSON')
    .addHelpText('after', examples)
    .action((flags: Flags) => run(flags, io))
}

async function run(flags: Flags, io: Io): Promise<void> {
  const progress = new Progress(io)
  const categories = await categoriesFor(flags, io)
  const report = await runChecks(categories, {
    signal: io.signal,
    onProgress: (done, total) => progress.show(`${done} of ${total} checks`),
  })
  progress.clear()
  // What was interrupted is no finding.
  if (io.signal?.aborted) throw new NegativeResult()
  io.stdout.write(
    flags.json ? `${JSON.stringify(report, null, 2)}\n` : renderReport(report, colorsFor(io.stdout, io.env)),
  )
  if (!report.success) throw new NegativeResult()
}

async function categoriesFor(flags: Flags, io: Io): Promise<Category[]> {
  const context: CheckContext = { io, insecure: flags.insecure, ca: flags.ca && resolve(io.cwd, flags.ca) }
  const all = !flags.environment && !flags.project && flags.plugin === undefined
  const categories: Category[] = []
  // First of all: a mistake in the command's own file is told before anything is asked.
  const plugins = flags.plugin === undefined ? [] : await pluginCategories(flags.plugin, context)
  if (flags.environment || all) {
    const registry = registryOf(io.cwd)
    const environment = environmentChecks(context)
    const more = registry === undefined ? [] : [(await import('../check/registry.ts')).registryCheck(context, registry)]
    categories.push({ ...environment, checks: [...environment.checks, ...more] })
  }
  // Without being asked for it, a folder that is no project is no mistake.
  if (flags.project || (all && isProject(io.cwd))) {
    const { projectChecks } = await import('../check/project.ts')
    categories.push(projectChecks(context))
  }
  return [...categories, ...plugins]
}

/** Settings that can't be read are reported by the checks of the project. */
function registryOf(folder: string): string | undefined {
  try {
    return readSettings(folder).registry
  } catch (error) {
    if (error instanceof UserError) return undefined
    throw error
  }
}

async function pluginCategories(file: string, context: CheckContext): Promise<Category[]> {
  const { pluginChecks } = await import('../check/plugin.ts')
  const { registryImages } = await import('../check/registry.ts')
  return pluginChecks(file, context, registryImages(context))
}

function isProject(folder: string): boolean {
  return ['assembly/index.ts', 'meshscript.json'].some((name) => existsSync(join(folder, name)))
}
