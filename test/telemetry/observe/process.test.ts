/** `meshscript observe` as a process: how it reads, follows and ends. */
import { execFileSync, spawn } from 'node:child_process'
import { appendFileSync, mkdtempSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { denied, linesOf, request } from './flows.ts'
import { ObservingProcess, post } from './observing.ts'

let folder: string
let running: ObservingProcess[]
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'meshscript-observe-'))
  running = []
})
afterEach(() => {
  for (const { child } of running) child.kill('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
})

const file = (name: string) => join(folder, name)
const start = (options: string): ObservingProcess => {
  const observing = new ObservingProcess(folder, options)
  running.push(observing)
  return observing
}
const numbered = (from: number, to: number) =>
  linesOf(Array.from({ length: to - from }, (_, index) => ({ ...request, Summary: `flow ${from + index};` })))
const shown = (text: string) => [...text.matchAll(/flow (\d+);/g)].map(([, number]) => Number(number))
const range = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => from + index)
const until = (observing: ObservingProcess, numbers: number[]) =>
  expect.poll(() => shown(observing.stdout), { timeout: 20_000 }).toEqual(numbers)
const byItself = { code: 0, signal: null }

describe('ends by Ctrl-C, which is no failure,', () => {
  test('while it receives; what was kept is printed', async () => {
    const observing = start('--listen 0 --last 2')
    expect((await post(await observing.url(), numbered(0, 9))).status).toBe(200)
    expect(await observing.interrupt()).toEqual(byItself)
    expect(shown(observing.stdout)).toEqual([7, 8])
  })

  test('while it follows a file', async () => {
    writeFileSync(file('a'), numbered(0, 1))
    const observing = start('a --follow')
    await until(observing, [0])
    expect(await observing.interrupt()).toEqual({ ...byItself })
    expect(observing.stderr).toBe('')
  })

  test('while it waits for standard input, or for a pipe', async () => {
    const observing = start('-')
    observing.child.stdin!.write(numbered(0, 1))
    await until(observing, [0])
    expect(await observing.interrupt()).toEqual(byItself)

    execFileSync('mkfifo', [file('pipe')])
    const writer = spawn('sh', ['-c', `exec 3> pipe; printf '%s' "$LINES" >&3; exec sleep 60`], {
      cwd: folder,
      env: { ...process.env, LINES: numbered(1, 2) },
    })
    try {
      const other = start('pipe')
      await until(other, [1])
      expect(await other.interrupt()).toEqual(byItself)
    } finally {
      writer.kill('SIGKILL')
    }
  })
})

test.each(['', ' --follow'])('ends when nobody reads what it prints%s', async (options) => {
  writeFileSync(file('a'), numbered(0, 20_000))
  const observing = start(`a${options}`)
  observing.child.stdout!.once('data', () => observing.child.stdout!.destroy())
  expect(await observing.ended).toEqual(byItself)
  expect(observing.stderr).toBe('')
})

test('reads standard input to its end, whatever the pieces', async () => {
  const observing = start('- --not --verdict DROPPED')
  const bytes = Buffer.from(numbered(0, 3).replaceAll('admin', 'ädmin') + linesOf([denied]) + numbered(3, 4).trimEnd())
  for (let start = 0; start < bytes.length; start += 501) {
    observing.child.stdin!.write(bytes.subarray(start, start + 501))
    await new Promise(setImmediate)
  }
  observing.child.stdin!.end()
  expect(await observing.ended).toEqual(byItself)
  expect(shown(observing.stdout)).toEqual(range(0, 4))
})

test('follows files that grow, are cut off and are replaced', async () => {
  writeFileSync(file('a'), numbered(0, 10))
  writeFileSync(file('b'), numbered(10, 12))
  const observing = start('a --input-file b -f --last 3')
  await until(observing, [9, 10, 11])
  const half = numbered(12, 13)
  appendFileSync(file('a'), half.slice(0, 100))
  appendFileSync(file('b'), numbered(20, 21))
  await until(observing, [9, 10, 11, 20])
  appendFileSync(file('a'), half.slice(100))
  await until(observing, [9, 10, 11, 20, 12])
  truncateSync(file('a'), 0)
  await new Promise((resolve) => setTimeout(resolve, 600))
  appendFileSync(file('a'), numbered(30, 31))
  await until(observing, [9, 10, 11, 20, 12, 30])
  renameSync(file('b'), file('b.1'))
  await new Promise((resolve) => setTimeout(resolve, 600))
  writeFileSync(file('b'), numbered(40, 42))
  await until(observing, [9, 10, 11, 20, 12, 30, 40, 41])
  expect(await observing.interrupt()).toEqual(byItself)
  expect(observing.stderr).toBe('')
})

test('takes little memory, whatever comes', async () => {
  const observing = start('--listen 0 --all -o jsonpb')
  const url = await observing.url()
  const large = {
    ...request,
    node_labels: Array.from({ length: 100 }, (_, index) => `k8s:label-${index}=${'x'.repeat(100)}`),
  }
  const batch = linesOf(Array.from({ length: 1000 }, () => large))
  const sizes: number[] = []
  for (let sent = 0; sent < 300_000_000; sent += batch.length) {
    expect((await post(url, batch)).status).toBe(200)
    sizes.push(Number(execFileSync('ps', ['-o', 'rss=', '-p', String(observing.child.pid)])) / 1024)
  }
  expect(Math.max(...sizes), 'MB').toBeLessThan(450)
  expect(await observing.interrupt()).toEqual(byItself)
  expect(observing.stderr).toMatch(/meshscript: \d+ older flows were left out: they took too much memory\n$/)
})
