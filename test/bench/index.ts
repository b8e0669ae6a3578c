/** `npm run bench -- NAME [--rounds N] [--requests N] [--copies N] [--only REGEX] [--json] [--chart FILE]` */

import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import * as authorization from './authorization.ts'
import { benchBuild } from './build.ts'
import { lineChart } from './chart.ts'
import { compare } from './compare.ts'
import * as hello from './hello.ts'
import * as hostile from './hostile.ts'

import { ratio, type Bench, table } from './report.ts'
import * as telemetry from './telemetry.ts'
import * as traffic from './traffic.ts'

const benches: Record<string, Bench> = { authorization, hello, hostile, telemetry, traffic }

const USAGE = `usage: npm run bench -- NAME [--rounds N] [--requests N] [--copies N] [--only REGEX] [--json] [--chart FILE]

Measures the CPU time that filters add to a request in real Envoy, side by side in one run.
NAME is one of: ${Object.keys(benches).join(', ')}. \`build\` measures instead how long builds take, beside cargo's.

  --rounds N     rounds in which each filter gets its load in turn (default 12)
  --requests N   requests of one filter in one round (default 20000)
  --copies N     how often each filter stands in its chain (default 1); the figures are those of one
  --only REGEX   of the filters, those whose names match
  --json         print the figures of every round
  --chart FILE   draw the figures, as SVG (authorization, hostile)`

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      rounds: { type: 'string', default: '12' },
      requests: { type: 'string', default: '20000' },
      copies: { type: 'string', default: '1' },
      only: { type: 'string', default: '' },
      json: { type: 'boolean', default: false },
      chart: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  const [name] = positionals
  if (name === 'build' && !values.help && process.platform === 'linux') {
    return benchBuild({ rounds: Number(values.rounds), json: values.json })
  }
  const bench = name !== undefined && Object.hasOwn(benches, name) ? benches[name] : undefined
  if (values.help || !bench || (values.chart !== undefined && (!bench.chart || values.only))) {
    process.stdout.write(`${USAGE}\n`)
    return values.help ? 0 : 2
  }
  if (process.platform !== 'linux')
    throw new Error('the CPU time of a process is read from /proc, which only Linux has')
  const rounds = Number(values.rounds)
  const { variants, notes } = await bench.variants()
  const only = new RegExp(values.only)
  const chosen = variants.filter((variant) => only.test(variant.name))
  const results = await compare(chosen, {
    rounds,
    requests: Number(values.requests),
    copies: Number(values.copies),
    onRound: (round) => process.stderr.write(`\r${round ? `round ${round} of ${rounds}` : 'warming up'}   `),
  })
  process.stderr.write('\r')
  if (values.json) process.stdout.write(`${JSON.stringify({ results, notes }, null, 2)}\n`)
  else
    process.stdout.write(
      `${table(results)}\n\n${[...notes, ...(values.only ? [] : (bench.conclusions?.(results) ?? []))].join('\n')}\n`,
    )
  if (values.chart !== undefined) writeFileSync(values.chart, lineChart(bench.chart!(results)))
  let code = 0
  for (const { name: own, other, limit } of bench.limits) {
    const value = ratio(results, own, other)
    if (value === undefined) continue
    const verdict = value <= limit ? 'reached' : 'missed'
    if (!values.json)
      process.stdout.write(
        `${own} / ${other}: ${value.toPrecision(3)} (at most ${Number(limit.toFixed(3))}: ${verdict})\n`,
      )
    if (value > limit) code = 1
  }
  return code
}

process.exitCode = await main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  return 1
})
