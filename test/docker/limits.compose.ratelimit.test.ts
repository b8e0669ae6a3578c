/** The demo of the limit for all proxies, in containers: five pass, then none; nothing is left of it. */

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
const IMAGES = ['envoy', 'node', 'ratelimit', 'redis']
/** The service is built where no other suite did. */
const START = 300_000

let folder: string
let child: ChildProcess | undefined
let output = ''
let ended: Promise<number | null>

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'meshscript-limits-'))
  const env: NodeJS.ProcessEnv = { ...process.env, MESHSCRIPT_DEMO_FOLDER: join(folder, 'demo') }
  for (const image of IMAGES) {
    const { stdout } = await run(process.execPath, [join(root, 'scripts', 'docker-image.mjs'), image])
    env[`MESHSCRIPT_${image.toUpperCase()}_IMAGE`] = stdout.trim().split('\n').at(-1)
  }
  // Empty: free ones.
  for (const name of ['PORT', 'ADMIN_PORT']) env[`MESHSCRIPT_DEMO_${name}`] = ''
  const started = spawn(process.execPath, [...LOADER, 'examples/payments/limits.ts'], { cwd: root, env })
  child = started
  for (const stream of [started.stdout, started.stderr])
    stream.on('data', (data: Buffer) => (output += data.toString()))
  let over = false
  ended = new Promise((resolve) => started.once('close', resolve))
  void ended.then(() => (over = true))
  await vi.waitUntil(() => over || output.includes('Ctrl-C ends it'), { timeout: START })
  if (over) throw new Error(output)
}, START)

afterAll(async () => {
  child?.kill('SIGINT')
  await ended
  rmSync(folder, { recursive: true, force: true })
}, 60_000)

const containers = async (): Promise<string[]> => {
  const filter = ['--filter', `label=com.docker.compose.project=meshscript-demo-${child!.pid}`]
  const { stdout } = await run('docker', ['ps', '--all', '--quiet', ...filter])
  return stdout.split('\n').filter(Boolean)
}

test('five pass, then none; another tenant does', () => {
  const statuses = (tenant: string) =>
    [...output.matchAll(new RegExp(`^GET /charge +${tenant} +(\\d+) +(.*?) +\\d+$`, 'gm'))].map(([, status, limit]) => [
      Number(status),
      limit,
    ])
  const refused = [429, '5, 5;w=3600;name="tenants"']
  expect(statuses('acme')).toEqual([...Array.from({ length: 5 }, () => [200, '-']), refused, refused])
  expect(statuses('globex')).toEqual([[200, '-']])
  expect(output).toContain('Every answer is as expected.')
})

test('what it says to try counts, too', async () => {
  const [, url] = /(http:\S+\/charge)\n/.exec(output)!
  const ask = async () => {
    const response = await fetch(url!, { headers: { 'x-tenant': 'initech' } })
    return [response.status, await response.text()]
  }
  const answers = []
  for (let i = 0; i < 6; i++) answers.push(await ask())
  expect(answers.map(([status]) => status)).toEqual([200, 200, 200, 200, 200, 429])
  expect(answers[0]![1]).toBe('payments: GET /charge done\n')
})

test('Ctrl-C ends and removes all of it', async () => {
  expect(await containers()).toHaveLength(4)
  child!.kill('SIGINT')
  expect(await ended).toBe(0)
  expect(await containers()).toEqual([])
}, 60_000)
