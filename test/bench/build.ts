/**
 * How long builds take: `examples/hello` from nothing and after a change of its source, and the same filter by the Rust SDK.
 *
 * Times are what a user waits, and beside them the CPU time of all processes: on a machine that others use too, only the latter
 * says what a build costs.
 */

import { spawn, spawnSync } from 'node:child_process'
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { loadavg } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { median } from './compare.ts'
import { root, workFolder } from './paths.ts'

/** What the issue asks for, in milliseconds. */
const LIMITS = { cold: 2000, watch: 400 }
const MESHSCRIPT = join(root, 'cli/bin/meshscript.js')
const TARGET = 'wasm32-wasip1'
/** Until a watcher has warmed up. */
const SETTLED = 5000

interface Measured {
  name: string
  wall: number[]
  cpu: number[]
}

/** Measures and prints; answers the exit code. */
export async function benchBuild({ rounds, json }: { rounds: number; json: boolean }): Promise<number> {
  const cold: Measured = { name: 'meshscript build, cold', wall: [], cpu: [] }
  const output = join(workFolder(), 'hello.wasm')
  for (let round = 0; round <= rounds; round++) {
    rmSync(output, { force: true })
    const time = timed(process.execPath, [MESHSCRIPT, 'build', join(root, 'examples/hello'), '-o', output], root)
    // The first one fills the disk's cache.
    if (round > 0) keep(cold, time)
  }
  const results = [cold, await watch(rounds), ...cargo(rounds)]
  const load = loadavg().map((value) => value.toFixed(1))
  if (json) process.stdout.write(`${JSON.stringify({ results, load }, null, 2)}\n`)
  else process.stdout.write(`${table(results)}\n\nload of the machine: ${load.join(', ')}\n`)
  let code = 0
  for (const [result, limit] of [
    [results[0]!, LIMITS.cold],
    [results[1]!, LIMITS.watch],
  ] as const) {
    const value = median(result.wall)
    const verdict = value <= limit ? 'reached' : 'missed'
    if (!json) process.stdout.write(`${result.name}: ${Math.round(value)} ms (at most ${limit}: ${verdict})\n`)
    if (value > limit) code = 1
  }
  return code
}

/** From the change of a file until the module is there. */
async function watch(rounds: number): Promise<Measured> {
  const result: Measured = { name: 'meshscript build --watch, after a change', wall: [], cpu: [] }
  const folder = join(workFolder(), 'watched')
  for (const name of ['assembly', 'package.json']) {
    cpSync(join(root, 'examples/hello', name), join(folder, name), { recursive: true })
  }
  const file = join(folder, 'assembly/index.ts')
  const source = readFileSync(file, 'utf8')
  const child = spawn(process.execPath, [MESHSCRIPT, 'build', folder, '--watch'], { cwd: root })
  try {
    const built = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
    await built.next()
    await sleep(SETTLED)
    for (let round = 1; round <= rounds; round++) {
      const [start, before] = [performance.now(), cpuTime(child.pid!)]
      writeFileSync(file, source.replace("'1'", `'${round + 1}'`))
      if ((await built.next()).done) throw new Error('the watcher has ended')
      result.wall.push(performance.now() - start)
      result.cpu.push(cpuTime(child.pid!) - before)
      await sleep(300)
    }
  } finally {
    child.kill()
  }
  return result
}

/** The same by cargo: with all crates to build, and after a change. Nothing where there is no toolchain. */
function cargo(rounds: number): Measured[] {
  const cwd = join(workFolder(), 'rust')
  cpSync(join(root, 'test/bench/rust'), cwd, { recursive: true })
  const run = (...args: string[]) => timed('cargo', [...args, '--locked'], cwd)
  try {
    run('fetch', '--target', TARGET)
    run('check', '--target', TARGET)
  } catch (error) {
    process.stderr.write(`left out, since there is no cargo with the target ${TARGET}: ${(error as Error).message}\n`)
    return []
  }
  const cold: Measured = { name: 'cargo build --release, cold', wall: [], cpu: [] }
  const change: Measured = { name: 'cargo build --release, after a change', wall: [], cpu: [] }
  const build = () => run('build', '--release', '--offline', '--target', TARGET)
  const file = join(cwd, 'src/lib.rs')
  const source = readFileSync(file, 'utf8')
  for (let round = 1; round <= rounds; round++) {
    rmSync(join(cwd, 'target'), { recursive: true, force: true })
    writeFileSync(file, source)
    keep(cold, build())
    writeFileSync(file, source.replace('"1"', `"${round + 1}"`))
    keep(change, build())
  }
  return [cold, change]
}

interface Time {
  wall: number
  cpu: number
}

/** Runs a command to its end. The shell tells the CPU time of its children. */
function timed(file: string, args: string[], cwd: string): Time {
  const start = performance.now()
  const shell = spawnSync('sh', ['-c', '"$@" >/dev/null || exit; times', 'sh', file, ...args], {
    cwd,
    encoding: 'utf8',
  })
  const wall = performance.now() - start
  if (shell.status !== 0) throw new Error(`${file} ${args[0]} failed: ${shell.stderr.trim().split('\n').at(-1)}`)
  const [, children = ''] = shell.stdout.trim().split('\n')
  const parts = [...children.matchAll(/(\d+)m([\d.]+)s/g)].map(
    ([, minutes, seconds]) => Number(minutes) * 60 + Number(seconds),
  )
  return { wall, cpu: parts.reduce((sum, part) => sum + part, 0) * 1000 }
}

/** CPU time of a process so far, in milliseconds: fields 14 and 15 of its state, in ticks of 10 ms. */
function cpuTime(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ')
  return (Number(fields[11]) + Number(fields[12])) * 10
}

function keep({ wall, cpu }: Measured, time: Time): void {
  wall.push(time.wall)
  cpu.push(time.cpu)
}

function table(results: readonly Measured[]): string {
  const seconds = (value: number) => `${(value / 1000).toFixed(2)} s`
  const lines = [
    ['build', 'median', 'quickest', 'slowest', 'CPU time'],
    ...results.map(({ name, wall, cpu }) => [
      name,
      ...[median(wall), Math.min(...wall), Math.max(...wall), median(cpu)].map(seconds),
    ]),
  ]
  const widths = lines[0]!.map((_, i) => Math.max(...lines.map((cells) => cells[i]!.length)))
  const row = (cells: string[]): string => `| ${cells.map((cell, i) => cell.padEnd(widths[i]!)).join(' | ')} |`
  const [head, ...body] = lines
  return [row(head!), row(widths.map((width) => '-'.repeat(width))), ...body.map(row)].join('\n')
}
