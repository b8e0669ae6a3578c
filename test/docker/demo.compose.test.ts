/** The demo in containers: its verdicts are those of `npm start`, Prometheus sees Envoy, and the registry takes a push. */

import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'

const run = promisify(execFile)
const root = fileURLToPath(new URL('../..', import.meta.url))
const LOADER = [
  '--conditions=meshscript-source',
  `--import=${pathToFileURL(join(root, 'scripts', 'typescript.mjs')).href}`,
]
const IMAGES = ['envoy', 'node', 'prometheus', 'registry']
const PORTS = ['PORT', 'ADMIN_PORT', 'FRONTEND_PORT', 'PROMETHEUS_PORT', 'REGISTRY_PORT']
const START = 120_000

let folder: string
let child: ChildProcess
let output = ''
let ended: Promise<number | null>

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'meshscript-demo-'))
  const env: NodeJS.ProcessEnv = { ...process.env, MESHSCRIPT_DEMO_FOLDER: join(folder, 'demo') }
  const { stdout: tags } = await run(process.execPath, [join(root, 'scripts', 'docker-image.mjs'), ...IMAGES])
  for (const [index, tag] of tags.trim().split('\n').entries()) {
    env[`MESHSCRIPT_${IMAGES[index]!.toUpperCase()}_IMAGE`] = tag
  }
  // Empty: free ones.
  for (const name of PORTS) env[`MESHSCRIPT_DEMO_${name}`] = ''
  child = spawn(process.execPath, [...LOADER, 'examples/payments/docker.ts'], { cwd: root, env })
  for (const stream of [child.stdout!, child.stderr!]) stream.on('data', (data: Buffer) => (output += data.toString()))
  let over = false
  ended = new Promise((resolve) => child.once('close', resolve))
  void ended.then(() => (over = true))
  await vi.waitUntil(() => over || output.includes('Ctrl-C ends it'), { timeout: START })
  if (over) throw new Error(output)
}, START)

afterAll(async () => {
  child.kill('SIGINT')
  await ended
  rmSync(folder, { recursive: true, force: true })
}, START)

/** Where the demo says that something is. */
function shown(pattern: RegExp): string {
  const found = pattern.exec(output)?.[1]
  if (!found) throw new Error(`nothing like ${pattern} in\n${output}`)
  return found
}

const table = (text: string): string => /^request .*?\n\n.*$/ms.exec(text)?.[0].split('\n\nWhy')[0] ?? ''

test('its table is that of npm start', async () => {
  const { stdout } = await run(process.execPath, [...LOADER, 'examples/payments/run.ts', '--once'], { cwd: root })
  expect(table(stdout)).toMatch(/allow.*deny.*Every verdict is as expected/s)
  expect(table(output)).toBe(table(stdout))
})

test('the frontend adds its certificate', async () => {
  const charge = (headers: Record<string, string>) =>
    fetch(`${shown(/(http:\S+)\/charge\n/)}/charge`, { method: 'POST', headers })
  const allowed = await charge({ 'X-Auth': 'admin' })
  expect([allowed.status, await allowed.text()]).toEqual([200, 'payments: POST /charge done\n'])
  expect((await charge({ 'X-Auth': 'user' })).status).toBe(403)
})

test('Prometheus has what Envoy and the filter count', async () => {
  const server = shown(/(http:\S+)\/graph/)
  const ask = async (query: string) => {
    const response = await fetch(`${server}/api/v1/query?query=${encodeURIComponent(query)}`)
    const { data } = (await response.json()) as { data: { result: { value: [number, string] }[] } }
    return Number(data.result[0]?.value[1])
  }
  await vi.waitFor(
    async () => {
      expect(await ask('up{job="envoy"}')).toBe(1)
      expect(
        await ask('sum(envoy_http_downstream_rq_total{envoy_http_conn_manager_prefix="payments"})'),
      ).toBeGreaterThan(7)
      expect(await ask('sum({__name__=~".*authorization_requests_total",verdict="denied"})')).toBeGreaterThan(5)
    },
    { timeout: 20_000, interval: 200 },
  )
}, 30_000)

test('the registry takes a push', async () => {
  const [, file, reference] = /meshscript push (\S+) (\S+) --insecure/.exec(output)!
  const args = ['cli/bin/meshscript.js', 'push', file!, reference!, '--insecure', '--json']
  const { stdout } = await run(process.execPath, args, { cwd: root })
  const [, host, name, tag] = /^oci:\/\/([^/]+)\/([^:]+):(.+)$/.exec(reference!)!
  const accept = 'application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json'
  const manifest = await fetch(`http://${host}/v2/${name}/manifests/${tag}`, { headers: { accept } })
  expect(manifest.status).toBe(200)
  expect(stdout).toContain(manifest.headers.get('docker-content-digest'))
}, 60_000)

test('Ctrl-C ends and removes all of it', async () => {
  const filter = ['--filter', `label=com.docker.compose.project=meshscript-demo-${child.pid}`]
  const containers = async () => (await run('docker', ['ps', '--all', '--quiet', ...filter])).stdout.trim()
  expect((await containers()).split('\n')).toHaveLength(5)
  child.kill('SIGINT')
  expect(await ended).toBe(0)
  expect(await containers()).toBe('')
}, 60_000)
