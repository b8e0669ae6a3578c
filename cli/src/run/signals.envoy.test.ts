import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { connect } from 'node:net'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import type { CliFolder } from '../testing.ts'
import type { ReadyEvent } from './events.ts'
import { ask, markProject } from './testing.ts'

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))
const LOADER = ['--conditions=meshscript-source', '--import', here('../../../scripts/typescript.mjs')]

let folder: CliFolder
beforeAll(async () => {
  folder = markProject()
  expect((await folder.run('build mark -o mark.wasm')).code).toBe(0)
})
afterAll(() => folder.remove())

interface Started {
  child: ChildProcess
  ended: Promise<{ code: number | null; signal: NodeJS.Signals | null; stdout: string; stderr: string }>
  ready: ReadyEvent
  /** Envoy's files. */
  directory: string
}

let children: ChildProcess[] = []
afterEach(() => {
  for (const child of children) child.kill('SIGKILL')
  children = []
})

async function start(...args: string[]): Promise<Started> {
  const words = ['run', 'mark.wasm', '--config', 'mark/config.json', '--port', '0', '--json', ...args]
  const child = spawn(process.execPath, [...LOADER, here('../main.ts'), ...words], { cwd: folder.path })
  children.push(child)
  let stdout = ''
  let stderr = ''
  child.stderr.on('data', (data) => (stderr += String(data)))
  const ended = new Promise<Awaited<Started['ended']>>((resolve) =>
    child.once('close', (code, signal) => resolve({ code, signal, stdout, stderr })),
  )
  const first = new Promise<ReadyEvent>((resolve) =>
    child.stdout.on('data', (data) => {
      stdout += String(data)
      const line = stdout.split('\n', 1)[0]!
      if (stdout.includes('\n')) resolve(JSON.parse(line) as ReadyEvent)
    }),
  )
  const ready = await Promise.race([
    first,
    ended.then((end) => Promise.reject(new Error(`it ended: ${JSON.stringify(end)}`))),
  ])
  const info = JSON.parse((await ask(`${ready.admin}/server_info`)).text) as {
    command_line_options: { config_path: string }
  }
  return { child, ended, ready, directory: dirname(info.command_line_options.config_path) }
}

const listens = (url: string) =>
  new Promise<boolean>((resolve) => {
    const { hostname, port } = new URL(url)
    const socket = connect(Number(port), hostname)
    socket.once('connect', () => (socket.destroy(), resolve(true)))
    socket.once('error', () => resolve(false))
  })

/** No port is listened on, no file is left. */
const gone = ({ ready, directory }: Started) =>
  vi.waitFor(
    async () => {
      const urls = [ready.url, ready.admin, ...(ready.page ? [ready.page] : [])]
      expect([...(await Promise.all(urls.map(listens))), existsSync(directory)].filter(Boolean)).toEqual([])
    },
    { timeout: 10_000 },
  )

test.for(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('%s ends all, in order', async (signal) => {
  const started = await start('--open')
  expect(existsSync(started.directory)).toBe(true)
  started.child.kill(signal)
  const { code, stdout, stderr } = await started.ended
  expect([code, stderr]).toEqual([0, ''])
  expect(JSON.parse(stdout.trimEnd().split('\n').at(-1))).toEqual({ event: 'stopped' })
  // At once: whoever started it need not wait.
  expect(await listens(started.ready.url)).toBe(false)
  expect(existsSync(started.directory)).toBe(false)
  await gone(started)
})

test('a second Ctrl-C does not wait', async () => {
  const started = await start()
  started.child.kill('SIGINT')
  started.child.kill('SIGINT')
  await started.ended
  await gone(started)
})

test('after a kill nothing is left either', async () => {
  const started = await start()
  started.child.kill('SIGKILL')
  await started.ended
  await gone(started)
})

test('when Envoy ends, the command ends with exit code 1', async () => {
  const started = await start()
  await ask(`${started.ready.admin}/quitquitquit`, [], undefined, 'POST')
  const { code, stdout } = await started.ended
  expect(code).toBe(1)
  expect(stdout).toContain('"code": "RUN007"')
  await gone(started)
})
