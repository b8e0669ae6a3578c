/** Compiles the suite's modules with plain asc: what they test must not depend on what the SDK's build does. */
import * as asc from 'assemblyscript/asc'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join, resolve } from 'node:path'

const root = resolve(import.meta.dirname, '../..')
const folder = join(tmpdir(), `meshscript-conformance-${process.getuid?.() ?? ''}`)

const FLAGS = ['--exportStart', '_initialize', '--runtime', 'stub', '--use', 'abort=', '-O3', '--debug']

/** The probe filter. */
export function compileProbe(): Promise<string> {
  const sources = join(import.meta.dirname, 'probe/assembly')
  const abi = join(root, 'sdk/assembly/abi')
  const files = [sources, abi].flatMap((path) => readdirSync(path).map((name) => join(path, name)))
  const key = files.map((file) => readFileSync(file, 'utf8')).join('\0')
  const main = 'test/conformance/probe/assembly/index.ts'
  return cached(key, [main, '--baseDir', root, ...FLAGS], (name) =>
    existsSync(join(root, name)) ? readFileSync(join(root, name), 'utf8') : null,
  )
}

/** A module from one source text. */
export function compileModule(source: string, flags: readonly string[] = FLAGS): Promise<string> {
  return cached(source, ['module.ts', ...flags], (name) => (basename(name) === 'module.ts' ? source : null))
}

/** `FLAGS` with some of them changed or, where the value is null, left out. */
export function flagsWith(changes: Record<string, string | null>): string[] {
  const flags: string[] = []
  for (let i = 0; i < FLAGS.length; i++) {
    const flag = FLAGS[i]!
    const value = FLAGS[i + 1]?.startsWith('-') === false ? FLAGS[++i]! : undefined
    const changed = flag in changes ? changes[flag] : value
    if (changed !== null) flags.push(flag, ...(changed === undefined ? [] : [changed]))
  }
  return flags
}

/** Path of the compiled module. Every spec file and host needs the same ones, so they are kept by what they are made of. */
async function cached(key: string, args: string[], readFile: (name: string) => string | null): Promise<string> {
  const hash = createHash('sha256')
    .update(JSON.stringify([asc.version, args, key]))
    .digest('hex')
    .slice(0, 20)
  const path = join(folder, `${hash}.wasm`)
  if (existsSync(path)) return path
  let wasm: Uint8Array | undefined
  const stderr = asc.createMemoryStream()
  const { error } = await asc.main([...args, '--outFile', 'out.wasm'], {
    readFile,
    writeFile: (name: string, contents: string | Uint8Array) => {
      if (name.endsWith('out.wasm')) wasm = contents as Uint8Array
    },
    listFiles: () => [],
    stderr,
  })
  if (error || !wasm) throw new Error(`${error?.message ?? 'no output'}\n${stderr.toString()}`)
  mkdirSync(folder, { recursive: true })
  // Another spec file may be writing the same module: a rename leaves no half-written one.
  const draft = `${path}.${process.pid}`
  writeFileSync(draft, wasm)
  renameSync(draft, path)
  return path
}
