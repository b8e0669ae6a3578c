/** The demo of metrics and traces, in containers: nested spans and their counts; nothing is left of it. */

import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { readSpans } from '../../examples/payments/spans.ts'

const run = promisify(execFile)
const root = fileURLToPath(new URL('../..', import.meta.url))
const LOADER = [
  '--conditions=meshscript-source',
  `--import=${pathToFileURL(join(root, 'scripts', 'typescript.mjs')).href}`,
]
const IMAGES = ['envoy', 'node', 'prometheus', 'collector']
/** The Collector's receivers are built where no other suite did. */
const START = 300_000

let folder: string
let child: ChildProcess | undefined
let output = ''
let ended: Promise<number | null>

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'meshscript-telemetry-'))
  const env: NodeJS.ProcessEnv = { ...process.env, MESHSCRIPT_DEMO_FOLDER: join(folder, 'demo') }
  for (const image of IMAGES) {
    const { stdout } = await run(process.execPath, [join(root, 'scripts', 'docker-image.mjs'), image])
    env[`MESHSCRIPT_${image.toUpperCase()}_IMAGE`] = stdout.trim().split('\n').at(-1)
  }
  // Empty: free ones.
  for (const name of ['PORT', 'ADMIN_PORT', 'PROMETHEUS_PORT']) env[`MESHSCRIPT_DEMO_${name}`] = ''
  const started = spawn(process.execPath, [...LOADER, 'examples/payments/telemetry.ts'], { cwd: root, env })
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

test('spans of three hops, each the parent of the next one', () => {
  const lines = output.split('\n').filter((line) => / (server|client) GET /.test(` ${line}`))
  expect(lines.map((line) => line.trim().split(/ {2,}/).slice(0, 2))).toEqual([
    ['server GET', 'checkout.shop'],
    ['client GET', 'checkout.shop'],
    ['server GET', 'payments.shop'],
  ])
  expect(output).toContain('Each is the parent of the next one.')
})

test('both sides count the requests, and know each other', () => {
  for (const reporter of ['destination', 'source'])
    expect(output).toMatch(new RegExp(`^${reporter} +checkout +payments +200 +5$`, 'm'))
})

test('what it says to try makes another trace', async () => {
  const [, url] = /curl (http:\S+\/charge)\n/.exec(output)!
  const [, file] = /tail -n 1 (\S+)\n/.exec(output)!
  const trace = '4bf92f3577b34da6a3ce929d0e0e4736'
  const response = await fetch(url!, { headers: { traceparent: `00-${trace}-00f067aa0ba902b7-01` } })
  expect(await response.text()).toBe('payments: GET /charge done\n')
  await expect
    .poll(() => readSpans(file!).filter(({ traceId }) => traceId === trace).length, { timeout: 10_000 })
    .toBe(3)
})

test('Ctrl-C ends and removes all of it', async () => {
  expect(await containers()).toHaveLength(5)
  child!.kill('SIGINT')
  expect(await ended).toBe(0)
  expect(await containers()).toEqual([])
}, 60_000)
