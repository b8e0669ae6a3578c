// As a new user does it, in an empty folder outside of the checkout, with the packages as they would be published: make a project, test it,
// run it, push it to a registry and write the WasmPlugin. In less than two minutes.

import { spawn, execFileSync, type ChildProcess } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { findEnvoy } from '@meshscript/sdk/testing/envoy'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { parse } from 'yaml'
import { publishedPackages } from '../../scripts/lib/packages.mjs'
import { freePorts } from '../free-ports.ts'
import { type RunningRegistry, startRegistry } from '../supply/registry.ts'
import { NpmRegistry } from './npm-registry.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const MINUTE = 60_000
/** bcrypt of "secret". */
const HTPASSWD = 'ann:$2y$05$KaQnktoWX4S4GGGhvHPTG.ezGj.q/BkCAFkbVZLRxazz00Qlw3Smy\n'

let home: string
let npm: NpmRegistry
let plain: RunningRegistry
let secure: RunningRegistry
let env: Record<string, string>
const running: ChildProcess[] = []
let start = 0

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'meshscript-journey-'))
  npm = await NpmRegistry.start(publishedPackages().map(({ manifest }) => manifest.name))
  makeCertificates()
  writeFileSync(join(home, 'htpasswd'), HTPASSWD)
  plain = await startRegistry()
  secure = await startRegistry({
    http: { tls: { certificate: join(home, 'server.pem'), key: join(home, 'server.key') } },
    auth: { htpasswd: { realm: 'test', path: join(home, 'htpasswd') } },
  })
  env = await environment()
  // What a release builds first is there, or does not count.
  await run(root, process.execPath, ['scripts/build.mjs'], process.env)
  start = performance.now()
  const flags = ['--no-check', '--registry', npm.url]
  const release = ['scripts/release.mjs', ...flags]
  await part('publish', () => run(root, process.execPath, release, { ...process.env, ...npm.env }))
}, 4 * MINUTE)

afterAll(async () => {
  for (const child of running)
    if (child.exitCode === null && child.signalCode === null) process.kill(-child.pid!, 'SIGKILL')
  await Promise.all([npm?.close(), plain?.stop(), secure?.stop()])
  rmSync(home, { recursive: true, force: true, maxRetries: 3 })
})

/** Nothing of the one who runs the tests but where programs are. */
async function environment(): Promise<Record<string, string>> {
  const envoy = await findEnvoy()
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => !folder.includes('node_modules'))
  const auth = Buffer.from('ann:secret').toString('base64')
  mkdirSync(join(home, '.docker'))
  writeFileSync(join(home, '.docker/config.json'), JSON.stringify({ auths: { [secure.host]: { auth } } }))
  return {
    PATH: folders.join(delimiter),
    HOME: home,
    LANG: 'C.UTF-8',
    NO_COLOR: '1',
    ...(envoy?.kind === 'process' && { ENVOY_PATH: envoy.path }),
    ...npm.env,
    npm_config_yes: 'true',
  }
}

/** An authority, and a certificate of it for 127.0.0.1. */
function makeCertificates(): void {
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: home, stdio: 'pipe' })
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']
  openssl('req', '-x509', ...key, '-days', '2', '-subj', '/CN=authority', '-keyout', 'ca.key', '-out', 'ca.pem')
  openssl('req', ...key, '-subj', '/CN=registry', '-keyout', 'server.key', '-out', 'server.csr')
  writeFileSync(join(home, 'extensions'), 'subjectAltName=IP:127.0.0.1')
  const ca = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2', '-extfile', 'extensions']
  openssl('x509', '-req', '-in', 'server.csr', ...ca, '-out', 'server.pem')
}

async function run(
  cwd: string,
  program: string,
  args: string[],
  surroundings: NodeJS.ProcessEnv = env,
): Promise<string> {
  const child = spawn(program, args, { cwd, env: surroundings, stdio: ['ignore', 'pipe', 'pipe'], detached: true })
  running.push(child)
  let printed = ''
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (data: string) => ((output += data), (printed += data)))
  child.stderr.setEncoding('utf8').on('data', (data: string) => (printed += data))
  const code = await new Promise<number | null>((resolve, reject) => child.once('error', reject).once('close', resolve))
  if (code !== 0) throw new Error(`${[program, ...args].join(' ')} ended with ${code}:\n${printed}`)
  return output
}

/** Seconds of each part, in the order that a user does them. */
const parts: Record<string, number> = {}

async function part<T>(name: string, work: () => Promise<T>): Promise<T> {
  const begin = performance.now()
  const result = await work()
  parts[name] = Math.round((performance.now() - begin) / 100) / 10
  return result
}

test('from nothing to a WasmPlugin', { timeout: 3 * MINUTE }, async () => {
  const folder = join(home, 'my-filter')
  await part('create', () => run(home, 'npm', ['create', 'meshscript', 'my-filter', '--', '--template', 'header']))
  await part('install', () => run(folder, 'npm', ['install']))
  await part('test', () => run(folder, 'npm', ['test']))
  await part('run', () => runs(folder))

  const push = async (registry: RunningRegistry, ...args: string[]): Promise<string> =>
    (await run(folder, 'npx', ['meshscript', 'push', '.', `oci://${registry.host}/acme/my-filter:v1`, ...args])).trim()
  const open = await part('push', () => push(plain))
  const closed = await part('push with TLS and password', () => push(secure, '--ca', join(home, 'ca.pem')))
  expect(open).toMatch(new RegExp(`^oci://${plain.host}/acme/my-filter@sha256:[0-9a-f]{64}$`))
  // The same bytes, whoever keeps them.
  expect(closed.split('@')[1]).toBe(open.split('@')[1])

  const image = open.replace('@', ':v1@')
  const deploy = ['deploy', image, '--namespace', 'shop', '--selector', 'app=shop', '-o', 'plugin.yaml']
  await part('deploy', () => run(folder, 'npx', ['meshscript', ...deploy]))
  expect(parse(readFileSync(join(folder, 'plugin.yaml'), 'utf8'))).toMatchObject({
    apiVersion: 'extensions.istio.io/v1alpha1',
    kind: 'WasmPlugin',
    metadata: { namespace: 'shop' },
    spec: {
      selector: { matchLabels: { app: 'shop' } },
      sha256: open.split('@sha256:')[1],
      failStrategy: 'FAIL_RELOAD',
    },
  })

  const list = Object.entries(parts).map(([name, seconds]) => `${name} ${seconds} s`)
  process.stdout.write(`${list.join(', ')}\n`)
  expect((performance.now() - start) / 1000, `seconds in all: ${list.join(', ')}`).toBeLessThan(120)
})

/** `meshscript run` answers, and Ctrl-C leaves nothing. */
async function runs(folder: string): Promise<void> {
  const [port] = (await freePorts(1)) as [number]
  const url = `http://127.0.0.1:${port}/`
  const args = ['meshscript', 'run', '--port', `${port}`, '--no-watch']
  const child = spawn('npx', args, { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'], detached: true })
  running.push(child)
  const closed = new Promise<number | null>((resolve) => child.once('close', resolve))
  let printed = ''
  await new Promise<void>((resolve, reject) => {
    const read = (data: string): void => {
      printed += data
      if (printed.includes('Envoy runs at')) resolve()
    }
    child.stdout.setEncoding('utf8').on('data', read)
    child.stderr.setEncoding('utf8').on('data', read)
    void closed.then((code) => reject(new Error(`run ended with ${code}:\n${printed}`)))
  })
  expect((await fetch(url)).status, printed).toBe(200)
  // A terminal tells all that run in it.
  process.kill(-child.pid!, 'SIGINT')
  await closed
  await expect(fetch(url)).rejects.toThrow()
}
