/** Ctrl-C, as a terminal sends it: to the command and to all that it has started. */

import { spawn } from 'node:child_process'
import { chmodSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { CliFolder } from './testing.ts'

const script = fileURLToPath(new URL('../bin/meshscript.js', import.meta.url))
const modules = fileURLToPath(new URL('../../node_modules', import.meta.url))

let folder: CliFolder
beforeEach(() => (folder = new CliFolder()))
afterEach(() => folder.remove())

/** Runs the built command in a process group of its own, interrupts that once `isBusy`, and answers the exit code. */
async function interrupt(args: readonly string[], isBusy: () => boolean): Promise<number | null> {
  mkdirSync(join(folder.path, 'tmp'))
  const env = {
    PATH: [join(folder.path, 'bin'), process.env['PATH']].join(delimiter),
    HOME: process.env['HOME'],
    TMPDIR: join(folder.path, 'tmp'),
  }
  const child = spawn(process.execPath, [script, ...args], { cwd: folder.path, env, stdio: 'ignore', detached: true })
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
  try {
    for (let waited = 0; !isBusy() && waited < 30_000; waited += 50) await sleep(50)
    expect(isBusy(), 'is busy').toBe(true)
    process.kill(-child.pid!, 'SIGINT')
    const code = await Promise.race([ended, sleep(10_000, 'does not end' as never)])
    // The last of the group may still be on its way out.
    for (let waited = 0; isAlive(child.pid!) && waited < 10_000; waited += 50) await sleep(50)
    expect(isAlive(child.pid!), 'a child is left').toBe(false)
    return code
  } finally {
    if (isAlive(child.pid!)) process.kill(-child.pid!, 'SIGKILL')
  }
}

function isAlive(group: number): boolean {
  try {
    return process.kill(-group, 0)
  } catch {
    return false
  }
}

const has = (name: string) => readdirSync(folder.path).includes(name)

/** A program that says that it runs, and then does nothing for a long time. */
function program(name: string): void {
  folder.write(`bin/${name}`, `#!/bin/sh\necho > '${folder.path}/${name}-runs'\nexec sleep 600\n`)
  chmodSync(join(folder.path, 'bin', name), 0o755)
}

test('test', async () => {
  folder.write('package.json', '{ "type": "module" }')
  folder.write(
    'a.spec.ts',
    `import { writeFileSync } from 'node:fs'
     import { test } from 'vitest'
     test('never ends', () => (writeFileSync('runs', ''), new Promise(() => {})), 600_000)`,
  )
  symlinkSync(modules, join(folder.path, 'node_modules'), 'dir')
  expect(await interrupt(['test', '--host', 'node'], () => has('runs'))).toBe(130)
  expect(readdirSync(join(folder.path, 'tmp')).filter((name) => name.startsWith('meshscript'))).toEqual([])
})

test('check', async () => {
  program('docker')
  expect(await interrupt(['check', '--environment'], () => has('docker-runs'))).toBe(130)
})

test('status', async () => {
  program('kubectl')
  expect(await interrupt(['status', 'hello'], () => has('kubectl-runs'))).toBe(130)
})

test('build --watch, which is ended like that', async () => {
  folder.write(
    'assembly/index.ts',
    "import { HttpContext } from '@meshscript/sdk'\nexport class A extends HttpContext {}\n",
  )
  folder.write('package.json', '{ "name": "a" }')
  symlinkSync(modules, join(folder.path, 'node_modules'), 'dir')
  expect(await interrupt(['build', '--watch'], () => has('build'))).toBe(0)
})
