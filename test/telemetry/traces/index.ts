/** `npm run soak:receivers -- [--seconds N] [--only NAME] [--json]` */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { buildFilter } from '../../../cli/src/build/index.ts'
import { root } from '../../../scripts/lib/steps.mjs'
import { FAILURES, isTemporary, outage, type Outage, QUEUE } from './outage.ts'
import type { Behaviour } from './receiver.ts'

const USAGE = `usage: npm run soak:receivers -- [--seconds N] [--only NAME] [--json]

The long form of test/telemetry/traces/receiver.timed.envoy.test.ts: requests through real Envoy while the receiver of their spans is gone, resets
connections, hangs, is slow or late, or answers 503, 429, 500 or 400. Requests must not notice, memory must not grow after the first fifth of the
time, and all spans must be sent or counted as lost; otherwise the exit code is 1.

  --seconds N   how long it fails, each time (default 120)
  --only NAME   gone, resets, hangs, slow, late or a status
  --json        print all figures`

const FILTER = join(root, 'filters/telemetry-headers/assembly/index.ts')
const TIMEOUT = 1000
/** Milliseconds: the longest wait after failures is 30 s. */
const PATIENCE = 45_000
const LIMIT = 0.01

/** What is not as it has to be. */
function faults(failure: Behaviour, result: Outage): string[] {
  const { before, during, resident, sent, taken, dropped, rejected } = result
  const all = before.requests + during.requests
  const most = before.requests + Math.min(QUEUE, during.requests)
  const kept = isTemporary(failure) ? (failure === 'slow' ? sent >= most : sent === most) : dropped === 0
  return [
    before.failures + during.failures > 0 && 'requests failed',
    during.median > 2 * before.median + 0.5 && 'requests took longer',
    during.p99 > TIMEOUT / 2 && 'requests waited',
    resident[2] > (1 + LIMIT) * resident[1] && 'memory grew',
    sent !== taken && 'what was sent is not what was taken',
    sent + dropped + rejected !== all && 'spans are missing',
    !kept && 'what was to be kept is lost',
  ].filter((fault) => fault !== false)
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      seconds: { type: 'string', default: '120' },
      only: { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  const seconds = Number(values.seconds)
  const failures = FAILURES.filter((failure) => values.only === undefined || String(failure) === values.only)
  if (values.help || !(seconds > 0) || failures.length === 0) {
    process.stdout.write(`${USAGE}\n`)
    return values.help ? 0 : 2
  }
  if (process.platform !== 'linux') throw new Error("a process's memory is read from /proc, which only Linux has")
  const folder = mkdtempSync(join(tmpdir(), 'meshscript-receivers-'))
  try {
    const { output: wasm } = await buildFilter({ path: FILTER, output: join(folder, 'telemetry-headers.wasm') })
    return await failWith(failures, { wasm, seconds }, values.json)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function failWith(
  failures: readonly Behaviour[],
  options: { wasm: string; seconds: number },
  json: boolean,
): Promise<number> {
  let isWell = true
  const results: Record<string, Outage> = {}
  if (!json) print(TITLES)
  for (const failure of failures) {
    const result = await outage({ ...options, failure, warmUp: 5, timeout: TIMEOUT, patience: PATIENCE })
    const wrong = faults(failure, result)
    isWell &&= wrong.length === 0
    results[String(failure)] = result
    if (!json) print(row(failure, result), wrong)
  }
  if (json) process.stdout.write(`${JSON.stringify(results, null, 2)}\n`)
  return isWell ? 0 : 1
}

const TITLES = [
  'receiver',
  'requests',
  'median before',
  'during',
  'p99 during',
  'RSS before',
  'early',
  'late',
  'sent',
  'dropped',
  'rejected',
  'tries',
  'back after',
]

function row(failure: Behaviour, { before, during, resident, ...result }: Outage): string[] {
  const time = (milliseconds: number) => `${milliseconds.toFixed(2)} ms`
  return [
    String(failure),
    String(before.requests + during.requests),
    time(before.median),
    time(during.median),
    time(during.p99),
    ...resident.map((bytes) => `${(bytes / 2 ** 20).toFixed(1)} MB`),
    ...[result.sent, result.dropped, result.rejected, result.tries].map(String),
    `${(result.recovery / 1000).toFixed(1)} s`,
  ]
}

function print(cells: readonly string[], wrong: readonly string[] = []): void {
  const text = cells.map((cell, i) => cell.padEnd(Math.max(TITLES[i]!.length, 8))).join('  ')
  process.stdout.write(`${text}${wrong.length ? `  wrong: ${wrong.join(', ')}` : ''}\n`)
}

process.exitCode = await main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  return 1
})
