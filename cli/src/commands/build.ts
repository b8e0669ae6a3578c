import { Command, InvalidArgumentError } from 'commander'
import { resolve } from 'node:path'
import { preferQuickStart } from '../build/engine.ts'
import type { BuildOptions, BuildResult } from '../build/index.ts'
import { diagnosticToJson, displayPath, formatDiagnostic } from '../diagnostics.ts'
import { reportError } from '../report.ts'
import { colorsFor, type Io } from '../terminal.ts'

interface Flags {
  output?: string
  debug?: boolean
  strip?: boolean
  alias?: Record<string, string>
  bundle?: string[]
  watch?: boolean
  json?: boolean
  stats?: boolean
}

const examples = `
Examples:
  meshscript build --stats
  meshscript build filters/hello -o hello.wasm --strip
  meshscript build --bundle authorization,routing,./hello
  meshscript build --watch`

/** `meshscript build`: a filter to a module. */
export function buildCommand(io: Io): Command {
  return new Command('build')
    .description(
      'Compile a filter to a WebAssembly module that Envoy runs, check it, and write it with its source map.\n' +
        'PATH is a .ts file, or a folder with assembly/index.ts; the default is the current folder.\n' +
        'With --bundle it is the folder that names of files and folders are relative to; authorization, routing and others are ready filters.',
    )
    .argument('[PATH]', 'the filter', '.')
    .option('-o, --output <FILE>', 'where the module goes (default: build/NAME.wasm beside the source)')
    .option('--debug', 'no optimisation; assertions, all names')
    .option('--strip', 'leave out function names: smaller, but backtraces show numbers')
    .option('--alias <FROM=TO>', 'take imports of package FROM from package TO; may be repeated', addAlias)
    .option('--bundle <A,B,…>', 'make one module of several filters, which run in this order', parseBundle)
    .option('--watch', 'build again when a source changes')
    .option('--json', 'print the result as JSON')
    .option('--stats', 'print size, exports and imports')
    .addHelpText('after', examples)
    .action((path: string, flags: Flags) => run(path, flags, io))
}

function addAlias(text: string, previous: Record<string, string> = {}): Record<string, string> {
  const [from, to, ...rest] = text.split('=')
  if (!from || !to || rest.length) throw new InvalidArgumentError('expected FROM=TO, two names of packages.')
  return { ...previous, [from]: to }
}

function parseBundle(text: string): string[] {
  const filters = text.split(',').map((name) => name.trim())
  if (filters.includes('')) throw new InvalidArgumentError('expected names of ready filters, files and folders: a,b,…')
  return filters
}

async function run(path: string, flags: Flags, io: Io): Promise<void> {
  const options: BuildOptions = {
    path: resolve(io.cwd, path),
    output: flags.output === undefined ? undefined : resolve(io.cwd, flags.output),
    debug: flags.debug,
    strip: flags.strip,
    alias: flags.alias,
    bundle: flags.bundle,
  }
  if (!flags.watch) {
    preferQuickStart()
    const { buildFilter } = await import('../build/index.ts')
    return print(await buildFilter(options), flags, io)
  }
  const { watchFilter } = await import('../build/watch.ts')
  await watchFilter({
    ...options,
    signal: io.signal,
    onBuild: (result) => print(result, flags, io),
    onError: (error) => reportError(error, flags.json === true, io),
  })
}

function print(result: BuildResult, { json, stats }: Flags, io: Io): void {
  const output = displayPath(result.output, io.cwd)
  if (json) {
    const { size, exports, imports, callbacks, milliseconds } = result
    const sourceMap = displayPath(result.sourceMap, io.cwd)
    const warnings = result.warnings.map((warning) => diagnosticToJson(warning, io.cwd))
    const report = {
      output,
      size,
      exports,
      imports,
      callbacks,
      sourceMap,
      warnings,
      milliseconds: Math.round(milliseconds),
    }
    io.stdout.write(`${JSON.stringify(report, null, 2)}\n`)
    return
  }
  const colors = colorsFor(io.stderr, io.env)
  for (const warning of result.warnings) io.stderr.write(`${formatDiagnostic(warning, io.cwd, colors)}\n`)
  io.stdout.write(`${output}  ${size(result.size)}  ${Math.round(result.milliseconds)} ms\n`)
  if (!stats) return
  io.stdout.write(list('exports', result.exports) + list('imports', result.imports))
}

function size(bytes: number): string {
  return bytes < 1024 ? `${bytes} B` : `${(bytes / 1024).toFixed(1)} KB`
}

function list(title: string, names: readonly string[]): string {
  return `\n${title} (${names.length})\n${names.map((name) => `  ${name}\n`).join('')}`
}
