/** Builds a filter as its author did: by AssemblyScript 0.14 against the package that `compat/proxy-runtime` takes the place of. */

import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const run = promisify(execFile)
const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

/** Compiles `filters/assembly/NAME.ts`; answers the path of the module. */
export async function buildOld(name: string): Promise<string> {
  const folder = await install()
  mkdirSync(join(folder, 'assembly'), { recursive: true })
  const source = join('assembly', `${name}.ts`)
  copyFileSync(at(`./filters/assembly/${name}.ts`), join(folder, source))
  const asc = join('node_modules', 'assemblyscript', 'bin', 'asc')
  // The flags of the package's own README.
  const flags = ['-b', `${name}.wasm`, '--use', 'abort=abort_proc_exit', '--optimize']
  await run(process.execPath, [asc, source, ...flags], { cwd: folder })
  return join(folder, `${name}.wasm`)
}

/** Installs the old packages, once for each lock file. */
async function install(): Promise<string> {
  const lock = readFileSync(at('./old/package-lock.json'))
  const cache = at('../../.cache')
  const folder = join(cache, `proxy-runtime-${createHash('sha256').update(lock).digest('hex').slice(0, 12)}`)
  if (existsSync(folder)) return folder
  mkdirSync(cache, { recursive: true })
  const temporary = mkdtempSync(join(cache, 'proxy-runtime-'))
  for (const file of ['package.json', 'package-lock.json']) copyFileSync(at(`./old/${file}`), join(temporary, file))
  try {
    await npm(['ci', '--no-audit', '--no-fund', '--prefer-offline', '--ignore-scripts'], temporary)
    renameSync(temporary, folder)
  } finally {
    rmSync(temporary, { recursive: true, force: true })
  }
  return folder
}

/** The npm beside this Node.js, or the one that runs the tests. */
async function npm(args: string[], cwd: string): Promise<void> {
  const program = process.env['npm_execpath']
  // What npm tells its scripts about this project must not reach the npm of the other.
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^npm_(config_local|package|lifecycle)/.test(name)),
  )
  if (program?.endsWith('.js')) {
    await run(process.execPath, [program, ...args], {
      cwd,
      env: { ...env, PATH: `${dirname(process.execPath)}:${env['PATH']}` },
    })
  } else {
    await run(process.platform === 'win32' ? 'npm.cmd' : 'npm', args, { cwd, env })
  }
}
