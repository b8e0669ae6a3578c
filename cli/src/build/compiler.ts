/** Runs the AssemblyScript compiler in this process, where it stays warm from one build to the next. */

import * as asc from 'assemblyscript/asc'
import { basename, relative } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type Diagnostic } from '../diagnostics.ts'
import { UserError } from '../errors.ts'
import { type Project } from './project.ts'
import { Sources } from './sources.ts'

export interface CompileOptions {
  project: Project
  debug: boolean
}

export interface Compiled {
  wasm: Uint8Array
  /** As the compiler made it; `sources` are its own names of the files. */
  sourceMap: { sources: string[]; sourcesContent?: string[]; sourceRoot?: string; [key: string]: unknown }
  warnings: Diagnostic[]
  sources: Sources
}

/**
 * The flags that make a module fit for a proxy. What a user may choose (optimisation, memory) is in asconfig.json,
 * the SDK's or the project's own; these win over it.
 */
function flags({ file, baseDir, asconfig, bundle }: Project, debug: boolean, abort: string): string[] {
  return [
    // Envoy crashes when a start section calls the host.
    ...['--exportStart', '_initialize'],
    // Collects only between callbacks, which needs no shadow stack; the SDK says when.
    ...['--runtime', 'minimal'],
    // No host has the default, an import `env.abort`.
    ...['--use', `abort=${abort}`],
    ...(debug ? ['--use', 'MESHSCRIPT_DEBUG=1'] : []),
    ...(bundle ? ['--use', 'MESHSCRIPT_BUNDLE=1'] : []),
    // Names are wanted in every module; `--strip` takes them out afterwards, so that the code is the same.
    '--debug',
    '--sourceMap',
    ...['--target', debug ? 'debug' : 'release'],
    ...['--config', asconfig],
    ...['--baseDir', baseDir],
    ...['--outFile', 'module.wasm'],
    relative(baseDir, file),
  ]
}

interface SdkTransform {
  default: new () => object
  ABORT: string
}

function transformOf({ default: Transform }: SdkTransform, { bundle }: Project): new () => object {
  if (!bundle) return Transform
  return class extends Transform {
    bundle = bundle
  }
}

/** Compiles the filter. Throws `UserError` with the compiler's diagnostics where there are errors. */
export async function compile({ project, debug }: CompileOptions): Promise<Compiled> {
  const transform = (await import(pathToFileURL(`${project.sdk}/transform/index.js`).href)) as SdkTransform
  const sources = new Sources(project)
  const diagnostics: Diagnostic[] = []
  const outputs = new Map<string, Uint8Array | string>()
  const { error } = await guarded(() =>
    asc.main(flags(project, debug, transform.ABORT), {
      transforms: [transformOf(transform, project) as never],
      readFile: (name, baseDir) => sources.read(name, baseDir),
      writeFile: (name, contents) => void outputs.set(basename(name), contents),
      listFiles: () => [],
      stdout: asc.createMemoryStream(),
      stderr: asc.createMemoryStream(),
      reportDiagnostic: (message) => add(diagnostics, convert(message, sources)),
    }),
  )
  const errors = diagnostics.filter(({ severity }) => severity === 'error')
  const failure = (code: string, message: string) => new UserError(message, code, errors, sources.paths)
  if (errors.length) throw failure('BUILD010', `${errors.length} ${errors.length > 1 ? 'errors' : 'error'}`)
  if (error) throw failure('BUILD011', `the compiler failed: ${error.message}`)
  return {
    wasm: outputs.get('module.wasm') as Uint8Array,
    sourceMap: JSON.parse(outputs.get('module.wasm.map') as string) as Compiled['sourceMap'],
    warnings: diagnostics,
    sources,
  }
}

/** The part of asc's messages that is used here; its own types leave the fields open. */
interface AscRange {
  start: number
  end: number
  source: { normalizedPath: string } | null
}
interface AscDiagnostic {
  message: string
  code: number
  category: number
  range: AscRange | null
  relatedRange: AscRange | null
}

/** A mistake in a generic function is reported once, not for each of its instances. */
function add(diagnostics: Diagnostic[], next: Diagnostic): void {
  const same = ({ file, line, column, message }: Diagnostic) =>
    file === next.file && line === next.line && column === next.column && message === next.message
  if (!diagnostics.some(same)) diagnostics.push(next)
}

/** By asc's category: pedantic, info, warning, error. */
const severities = ['info', 'info', 'warning', 'error'] as const

function convert(message: unknown, sources: Sources): Diagnostic {
  const { message: text, code, category, range, relatedRange } = message as AscDiagnostic
  const related = relatedRange && place(relatedRange, sources)
  return {
    severity: severities[category] ?? 'error',
    code: `${code < 1000 ? 'AS' : 'TS'}${code}`,
    // What the SDK's transform reports comes with this prefix.
    message: text.replace(/^User-defined: /, ''),
    ...(range && place(range, sources)),
    ...(related?.file ? { related: { message: '', ...related } } : {}),
  }
}

function place(
  { start, end, source }: AscRange,
  sources: Sources,
): Pick<Diagnostic, 'file' | 'line' | 'column' | 'length' | 'source'> {
  if (!source) return {}
  const name = source.normalizedPath
  const file = sources.files.get(name)
  const library = (asc.libraryFiles as Record<string, string>)[name.replace(/^~lib\//, '').replace(/\.ts$/, '')]
  const text = file?.text ?? library
  const shown = file?.path ?? name
  if (text === undefined) return { file: shown }
  const lineStart = text.lastIndexOf('\n', start - 1) + 1
  const lineEnd = text.indexOf('\n', start)
  return {
    file: shown,
    line: text.slice(0, lineStart).split('\n').length,
    column: start - lineStart + 1,
    length: end - start,
    source: text.slice(lineStart, lineEnd < 0 ? undefined : lineEnd).replace(/\r$/, ''),
  }
}

let running = 0
const exit = process.exit.bind(process)

/**
 * When the compiler crashes it prints a stack trace and ends the process. In here that is one failed build:
 * a watcher goes on, and a user is not shown the inside of the compiler.
 */
async function guarded<T>(compile: () => Promise<T>): Promise<T> {
  const { error: consoleError } = console
  if (running++ === 0) {
    process.exit = (code?: number | string | null): never => {
      if (!new Error().stack?.includes('assemblyscript')) return exit(code)
      throw new UserError(
        'the AssemblyScript compiler crashed on this source; make the last change smaller to find the cause',
        'BUILD012',
      )
    }
  }
  const captured = (...parts: unknown[]): void => {
    if (!String(parts[0]).includes('the AssemblyScript compiler has crashed')) consoleError(...parts)
  }
  console.error = captured
  try {
    return await compile()
  } finally {
    if (console.error === captured) console.error = consoleError
    if (--running === 0) process.exit = exit
  }
}
