/** `npm run bench:delays -- [--concurrent N] [--delay MS] [--rounds N] [--runs N] [--burst] [--json]` */

import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { root } from '../bench/paths.ts'
import { type Measured, measureLoad, type Quantiles } from './load.ts'

const USAGE = `usage: npm run bench:delays -- [--concurrent N] [--delay MS] [--rounds N] [--runs N] [--burst] [--json]

Keeps requests waiting in the fault filter in real Envoy with one worker, and measures by how much their delays are too long, and
what other requests take meanwhile, beside what they take without them. Needs \`npm run build\`.

  --concurrent N  how many wait at the same time (default 1000)
  --delay MS      how long each of them waits (default 2000)
  --rounds N      how often each is sent (default 3)
  --runs N        how often all of it is measured (default 3)
  --burst         send them all at once, and not spread over the time of a delay
  --json          print the figures as JSON`

const { values } = parseArgs({
  options: {
    concurrent: { type: 'string', default: '1000' },
    delay: { type: 'string', default: '2000' },
    rounds: { type: 'string', default: '3' },
    runs: { type: 'string', default: '3' },
    burst: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
})

if (values.help) process.stdout.write(`${USAGE}\n`)
else {
  const results: Measured[] = []
  for (let run = 0; run < Number(values.runs); run++) {
    const result = await measureLoad({
      plugin: { wasm: join(root, 'filters/dist/fault.wasm') },
      concurrent: Number(values.concurrent),
      delay: Number(values.delay),
      rounds: Number(values.rounds),
      isBurst: values.burst,
    })
    results.push(result)
    if (!values.json) process.stdout.write(describe(result))
  }
  if (values.json) process.stdout.write(`${JSON.stringify(results, null, 2)}\n`)
  process.exitCode = results.every(({ sent, answered, late }) => sent === answered && late.least >= 0) ? 0 : 1
}

function describe({ sent, answered, concurrent, late, alone, beside }: Measured): string {
  const row = (name: string, { count, least, median, p99, most }: Quantiles) =>
    `  ${name.padEnd(28)} least ${ms(least)}, median ${ms(median)}, p99 ${ms(p99)}, most ${ms(most)} (${count})\n`
  return (
    `${answered} of ${sent} delayed requests answered, ${concurrent} at the same time\n` +
    row('longer than said by', late) +
    row('others, without them', alone) +
    row('others, beside them', beside)
  )
}

function ms(value: number): string {
  return `${value.toFixed(2)} ms`
}
