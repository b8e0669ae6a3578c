/** Builds a filter: author's file in, checked WebAssembly module and source map out. `meshscript build` is a parser in front of this. */

import { parseModule } from '@meshscript/sdk/testing/module'
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, relative, resolve } from 'node:path'
import { performance } from 'node:perf_hooks'
import { type Diagnostic } from '../diagnostics.ts'
import { UserError } from '../errors.ts'
import { eventCallbacks } from '../wasm/abi.ts'
import { rewriteCustomSections } from '../wasm/custom_sections.ts'
import { checkModule } from './check.ts'
import { compile, type Compiled } from './compiler.ts'
import { findBundle } from './bundle.ts'
import { embeddedSections, schemaFiles } from './embedded.ts'
import { findProject, type Project } from './project.ts'

export { checkCodes, checkModule, type CheckCode, type CheckProblem } from './check.ts'

export interface BuildOptions {
  /** A `.ts` file, or a folder with `assembly/index.ts`; of a bundle, the folder that its filters are looked up in. */
  path: string
  /** Several filters for one module, in this order: names of ready filters, and paths as above. */
  bundle?: readonly string[]
  /** Where the module goes. Default: `build/NAME.wasm` beside the source. */
  output?: string
  /** Not optimised, with assertions and all names. */
  debug?: boolean
  /** Without function names. */
  strip?: boolean
  /** Imports of the keys are taken from the values, e.g. `@solo-io/proxy-runtime` from `@meshscript/sdk/compat/proxy-runtime`. */
  alias?: Record<string, string>
}

export interface BuildResult {
  /** Path of the module. */
  output: string
  bytes: Uint8Array
  size: number
  exports: string[]
  /** `module.name`. */
  imports: string[]
  /** The exports that the host calls for events. */
  callbacks: string[]
  /** Path of the source map. */
  sourceMap: string
  warnings: Diagnostic[]
  /** Every file on disk that went into the module. */
  sources: string[]
  milliseconds: number
}

/** Compiles, checks and writes. Throws `UserError`, with diagnostics, for whatever the author can mend; then nothing is written. */
export async function buildFilter(options: BuildOptions): Promise<BuildResult> {
  const start = performance.now()
  const { debug = false, strip = false } = options
  const project = projectOf(options)
  const output = resolve(options.output ?? project.output)
  const compiled = await compile({ project, debug })
  const names = strip ? 'none' : debug ? 'all' : 'functions'
  const sources = [...compiled.sources.paths, ...schemaFiles(project)]
  const bytes = rewriteCustomSections(compiled.wasm, { names, add: embeddedSections(project, sources) })
  refuse(bytes, project.file, sources)
  const sourceMap = `${output}.map`
  mkdirSync(dirname(output), { recursive: true })
  writeIfChanged(sourceMap, JSON.stringify(relocate(compiled, dirname(output))))
  writeIfChanged(output, bytes)
  const wasm = parseModule(bytes)
  const exports = wasm.exports.map(({ name }) => name)
  return {
    output,
    bytes,
    size: bytes.length,
    exports,
    imports: wasm.imports.map(({ module, name }) => `${module}.${name}`),
    callbacks: eventCallbacks(exports),
    sourceMap,
    warnings: compiled.warnings,
    sources,
    milliseconds: performance.now() - start,
  }
}

/** Compiles, and does nothing with it. */
export async function rehearseBuild({ debug = false, ...options }: BuildOptions): Promise<void> {
  await compile({ project: projectOf(options), debug })
}

function projectOf({ path, bundle, alias }: BuildOptions): Project {
  return bundle ? findBundle(bundle, resolve(path), alias) : findProject(path, alias)
}

function refuse(bytes: Uint8Array, file: string, sources: readonly string[]): void {
  const problems = checkModule(bytes)
  if (!problems.length) return
  throw new UserError(
    'Envoy would not run this module',
    'BUILD020',
    problems.map(({ code, message }) => ({ severity: 'error', code, message, file })),
    sources,
  )
}

/** Names the sources relative to the map, as debuggers expect it; AssemblyScript's own library keeps its names. */
function relocate({ sourceMap, sources }: Compiled, folder: string): object {
  const { sourceRoot: _, ...rest } = sourceMap
  return {
    ...rest,
    sources: sourceMap.sources.map((name) => {
      const path = sources.files.get(name)?.path
      return path ? relative(folder, path).replaceAll('\\', '/') : name
    }),
  }
}

/** In one step, for those who read it meanwhile; and not at all when nothing changed, for those who watch it. */
function writeIfChanged(file: string, contents: Uint8Array | string): void {
  const wanted = Buffer.from(contents as Uint8Array)
  try {
    if (readFileSync(file).equals(wanted)) return
  } catch {
    // Not there yet.
  }
  const temporary = `${file}.${process.pid}.tmp`
  writeFileSync(temporary, wanted)
  renameSync(temporary, file)
}
