/** Credentials as `docker login` keeps them: in config.json, or with a credential helper. */

import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { UserError } from '../errors.ts'

export interface Credentials {
  username?: string
  password?: string
  /** OAuth2 refresh token. */
  identityToken?: string
  /** Sent as it is. */
  registryToken?: string
}

interface DockerConfig {
  auths?: Record<string, Record<string, string | undefined> | null>
  credHelpers?: Record<string, string>
  credsStore?: string
}

type Environment = Record<string, string | undefined>

export function dockerFolder(env: Environment): string {
  return env['DOCKER_CONFIG'] ?? join(env['HOME'] ?? homedir(), '.docker')
}

/** Undefined where there are none: many registries let everybody read. */
export async function findCredentials(registry: string, env: Environment): Promise<Credentials | undefined> {
  const file = join(dockerFolder(env), 'config.json')
  if (!existsSync(file)) return undefined
  const config = readConfig(file)
  const keys = keysOf(registry)
  const helper = keys.map((key) => config.credHelpers?.[key]).find(Boolean) ?? config.credsStore
  if (helper) {
    for (const key of helperKeysOf(registry)) {
      const found = await askHelper(helper, key, env)
      if (found) return found
    }
  }
  for (const key of keys) {
    const entry = config.auths?.[key]
    const found = entry && fromEntry(entry, file, key)
    if (found) return found
  }
  return undefined
}

function readConfig(file: string): DockerConfig {
  try {
    return (JSON.parse(readFileSync(file, 'utf8')) ?? {}) as DockerConfig
  } catch (error) {
    throw new UserError(`${file} can't be read: ${(error as Error).message}`, 'OCI004')
  }
}

const HUB = 'https://index.docker.io/v1/'

/** The forms in which Docker and its relatives have written a registry. */
function keysOf(registry: string): string[] {
  const hub = registry === 'docker.io' ? [HUB, 'index.docker.io', 'registry-1.docker.io'] : []
  return [...hub, registry, `https://${registry}`, `https://${registry}/`, `http://${registry}`].concat(
    ['v1', 'v2'].flatMap((version) => [`https://${registry}/${version}/`, `${registry}/${version}/`]),
  )
}

function helperKeysOf(registry: string): string[] {
  return registry === 'docker.io' ? [HUB] : [registry, `https://${registry}`]
}

function fromEntry(entry: Record<string, string | undefined>, file: string, key: string): Credentials | undefined {
  const { auth, identitytoken, registrytoken, username, password } = entry
  if (registrytoken) return { registryToken: registrytoken }
  if (identitytoken) return { identityToken: identitytoken }
  if (auth) {
    const text = Buffer.from(auth, 'base64').toString('utf8')
    const colon = text.indexOf(':')
    if (colon < 1) throw new UserError(`${file}: "auth" of ${key} is not USER:PASSWORD in base64`, 'OCI004')
    return { username: text.slice(0, colon), password: text.slice(colon + 1).replace(/\0+$/, '') }
  }
  // An empty entry says that a helper has them.
  return username ? { username, password: password ?? '' } : undefined
}

/** The protocol of docker-credential-helpers: the server's name on standard input, JSON on standard output. */
async function askHelper(name: string, server: string, env: Environment): Promise<Credentials | undefined> {
  const program = `docker-credential-${name}`
  const { code, stdout, stderr } = await execute(program, ['get'], server, env)
  if (code !== 0) {
    const said = `${stdout}\n${stderr}`.trim()
    if (/credentials not found/i.test(said)) return undefined
    throw new UserError(`${program} failed: ${said.split('\n', 1)[0] || `exit code ${code}`}`, 'OCI004')
  }
  let answer: { Username?: string; Secret?: string }
  try {
    answer = JSON.parse(stdout) as typeof answer
  } catch {
    throw new UserError(`${program} answered no JSON`, 'OCI004')
  }
  const { Username: username = '', Secret: secret = '' } = answer
  if (!secret) return undefined
  return username === '<token>' ? { identityToken: secret } : { username, password: secret }
}

const HELPER_TIMEOUT = 30_000

function execute(program: string, args: string[], input: string, env: Environment) {
  return new Promise<{ code: number | null; stdout: string; stderr: string }>((resolve, reject) => {
    const child = spawn(program, args, { env, stdio: 'pipe', timeout: HELPER_TIMEOUT, windowsHide: true })
    const output = { stdout: '', stderr: '' }
    child.stdout.on('data', (data: Buffer) => (output.stdout += data.toString()))
    child.stderr.on('data', (data: Buffer) => (output.stderr += data.toString()))
    child.on('error', ({ message }) =>
      reject(new UserError(`Docker's config.json names the credential helper ${program}: ${message}`, 'OCI004')),
    )
    child.on('close', (code) => resolve({ code, ...output }))
    // A helper that does not read is no reason to crash.
    child.stdin.on('error', () => {})
    child.stdin.end(`${input}\n`)
  })
}
