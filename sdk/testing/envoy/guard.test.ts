import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { transform } from 'esbuild'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'

/** A program that guards a process and an empty folder, and ends as it is told. */
const PROGRAM = `
import { spawn } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { guard } from './guard.mjs'
const child = spawn('sleep', ['60'], { detached: true, stdio: 'ignore' })
const directory = mkdtempSync(process.argv[2] + '/guarded-')
const guarded = guard(child.pid, directory, { file: 'sleep', args: [] })
console.log(JSON.stringify({ pid: child.pid, directory }))
process.stdin.once('data', (text) => {
  if (String(text) === 'release') guarded.release()
  process.exit()
})
`

let folder: string
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'meshscript-guard-'))
  const source = readFileSync(new URL('guard.ts', import.meta.url), 'utf8')
  const { code } = await transform(source, { loader: 'ts' })
  writeFileSync(join(folder, 'guard.mjs'), code)
  writeFileSync(join(folder, 'program.mjs'), PROGRAM)
})
afterAll(() => rmSync(folder, { recursive: true }))

interface Guarded {
  parent: ChildProcess
  pid: number
  directory: string
}

async function startGuarded(): Promise<Guarded> {
  const parent = spawn(process.execPath, [join(folder, 'program.mjs'), folder], { stdio: ['pipe', 'pipe', 'inherit'] })
  const line = await new Promise<string>((resolve) => parent.stdout.once('data', (data) => resolve(String(data))))
  return { parent, ...(JSON.parse(line) as { pid: number; directory: string }) }
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    // A zombie, dead but not yet waited for, still takes signals.
    return !existsSync('/proc/self') || !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}

const gone = ({ pid, directory }: Guarded) =>
  vi.waitFor(() => expect([alive(pid), existsSync(directory)]).toEqual([false, false]), { timeout: 30_000 })

test.for(['SIGKILL', 'SIGINT', 'SIGTERM'] as const)('after %s nothing is left', async (signal) => {
  const guarded = await startGuarded()
  expect(alive(guarded.pid)).toBe(true)
  guarded.parent.kill(signal)
  await gone(guarded)
})

test('after an exit nothing is left', async () => {
  const guarded = await startGuarded()
  guarded.parent.stdin!.write('exit')
  await gone(guarded)
})

test('what was released is left alone', async () => {
  const guarded = await startGuarded()
  guarded.parent.stdin!.write('release')
  await new Promise((resolve) => guarded.parent.once('exit', resolve))
  await new Promise((resolve) => setTimeout(resolve, 300))
  expect([alive(guarded.pid), existsSync(guarded.directory)]).toEqual([true, true])
  process.kill(guarded.pid, 'SIGKILL')
})
