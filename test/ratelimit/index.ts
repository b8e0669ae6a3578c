/** `npm run bench:limits -- [--seconds N] [--keys N] [--runs N] [--json]` */

import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { root } from '../bench/paths.ts'
import { type KeysMeasured, measureKeys } from './keys.ts'
import { type Measured, measureLoad } from './load.ts'

const USAGE = `usage: npm run bench:limits -- [--seconds N] [--keys N] [--runs N] [--json]

Sends more requests than limits let pass, by 8 clients to 4 workers of real Envoy, and measures how many pass; then requests of many
users, each with a counter of its own, and measures the memory that Envoy takes. The exit code is 1 where more pass than may, less
than 98 % of them, or memory grows. Needs \`npm run build\`.

  --seconds N  how long each limit is measured (default 10)
  --keys N     how many users there are (default 1000000; 0: none)
  --runs N     how often each limit is measured (default 3)
  --json       print the figures as JSON`

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '10' },
    keys: { type: 'string', default: '1000000' },
    runs: { type: 'string', default: '3' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
})

const LIMITS = [
  { algorithm: 'token-bucket', requests: 500, per: 1000 },
  { algorithm: 'token-bucket', requests: 1000, per: 1000, burst: 100 },
  { algorithm: 'sliding-window', requests: 500, per: 1000 },
  { algorithm: 'sliding-window', requests: 200, per: 500 },
] as const
/** As the filter's own default. */
const MAX_KEYS = 16_384
const plugin = { wasm: join(root, 'filters/dist/ratelimit.wasm') }

if (values.help) process.stdout.write(`${USAGE}\n`)
else {
  const limits: object[] = []
  let isGood = true
  for (let run = 0; run < Number(values.runs); run++) {
    for (const limit of LIMITS) {
      const measured = await measureLoad({ plugin, ...limit, duration: 1000 * Number(values.seconds) })
      limits.push({ ...limit, ...measured })
      isGood &&= measured.admitted <= measured.most && measured.admitted >= 0.98 * measured.expected
      if (limit.algorithm === 'sliding-window') isGood &&= measured.mostInWindow <= limit.requests
      if (!values.json) process.stdout.write(describe(limit, measured))
    }
  }
  const keys: object[] = []
  for (const scope of Number(values.keys) ? (['proxy', 'worker'] as const) : []) {
    const measured = await measureKeys({ plugin, scope, keys: Number(values.keys), maxKeys: MAX_KEYS })
    keys.push({ scope, ...measured })
    isGood &&= measured.refused === 0 && growth(measured) < 0.01
    if (!values.json) process.stdout.write(describeKeys(scope, measured))
  }
  if (values.json) process.stdout.write(`${JSON.stringify({ limits, keys }, null, 2)}\n`)
  process.exitCode = isGood ? 0 : 1
}

function describe(limit: (typeof LIMITS)[number], { sent, admitted, most, expected, mostInWindow }: Measured): string {
  const burst = 'burst' in limit ? `, burst ${limit.burst}` : ''
  return (
    `${limit.algorithm}, ${limit.requests} in ${limit.per} ms${burst}: ${admitted} of ${sent} passed, ` +
    `at most ${Math.floor(most)} may; ${((100 * admitted) / expected).toFixed(2)} %; ` +
    `most within ${limit.per} ms ${mostInWindow}\n`
  )
}

/** From the second half to its end, which is long after all counters are in use. */
function growth({ samples }: KeysMeasured): number {
  return samples.at(-1).memory / samples[samples.length >> 1]!.memory - 1
}

function describeKeys(scope: string, measured: KeysMeasured): string {
  const memory = measured.samples.map(({ memory }) => (memory / 2 ** 20).toFixed(1)).join(', ')
  return `${values.keys} users, scope ${scope}: Envoy's memory in MB before, and after each tenth part: ${memory}\n`
}
