/** `npm run soak -- [--requests N] [--json]` */

import { parseArgs } from 'node:util'
import { isFlat, soak, type SoakResult, type Sample } from './run.ts'

const USAGE = `usage: npm run soak -- [--requests N] [--json]

Sends requests through real Envoy with three filters (hello; one that rewrites both bodies; one that asks a service first), each on a
listener of its own that gets a third of them. Wasm memory and Envoy's resident memory must be the same in the last fifth as in
the second, within 1 %; otherwise the exit code is 1.

  --requests N   requests in all (default 5000000)
  --json         print the figures of every step`

const LIMIT = 0.01

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      requests: { type: 'string', default: '5000000' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  const requests = Number(values.requests)
  if (values.help || !Number.isInteger(requests) || requests < 1) {
    process.stdout.write(`${USAGE}\n`)
    return values.help ? 0 : 2
  }
  if (process.platform !== 'linux') throw new Error("a process's memory is read from /proc, which only Linux has")
  const result = await soak({ requests, onStep: (sample) => progress(sample, requests) })
  if (process.stderr.isTTY) process.stderr.write('\n')
  const flat = isFlat(result, LIMIT)
  process.stdout.write(values.json ? `${JSON.stringify({ ...result, flat }, null, 2)}\n` : report(result, flat))
  return flat ? 0 : 1
}

let step = 0

function progress({ requests: done, time, resident }: Sample, all: number): void {
  step++
  const left = (time / done) * Math.max(0, all - done)
  const parts = [
    `${((100 * done) / all).toFixed(0)} % of ${all} requests`,
    `${(done / time).toFixed(1)} k/s`,
    `RSS ${(resident / 2 ** 20).toFixed(1)} MB`,
    `${duration(left)} left`,
  ]
  const line = parts.join(', ')
  // A log takes a line for every tenth part, a terminal one that is written over.
  if (process.stderr.isTTY) process.stderr.write(`\r${line}   `)
  else if (step % 10 === 0) process.stderr.write(`${line}\n`)
}

function report({ requests, time, trends }: SoakResult, flat: boolean): string {
  const lines = [
    ['', 'second fifth', 'last fifth', 'growth'],
    ...trends.map(({ name, second, last, growth }) => [
      name,
      size(second),
      size(last),
      `${(100 * growth).toFixed(2)} %`,
    ]),
  ]
  const widths = lines[0]!.map((_, i) => Math.max(...lines.map((cells) => cells[i]!.length)))
  const row = (cells: readonly string[]): string => `| ${cells.map((cell, i) => cell.padEnd(widths[i]!)).join(' | ')} |`
  const [head, ...body] = lines
  const rule = row(widths.map((width) => '-'.repeat(width)))
  return [
    row(head!),
    rule,
    ...body.map(row),
    '',
    `${requests} requests in ${duration(time)}, ${(requests / time).toFixed(1)} k/s, a third of them to each filter`,
    flat ? 'flat: nothing changed by more than 1 %' : 'not flat: something changed by more than 1 %',
    '',
  ].join('\n')
}

function size(bytes: number): string {
  return bytes < 2 ** 20 ? `${(bytes / 1024).toFixed(0)} KB` : `${(bytes / 2 ** 20).toFixed(2)} MB`
}

function duration(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1000)
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`
}

process.exitCode = await main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  return 1
})
