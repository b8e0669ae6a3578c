/** `npm run fuzz -- [--count N] [--seed N] [--only TEXT] [--envoy] [--json]` */

import { parseArgs } from 'node:util'
import { BUILDS } from './modules.ts'
import { envoyTargets, type Figures, isFlat, targets } from './run.ts'

const USAGE = `usage: npm run fuzz -- [--count N] [--seed N] [--only TEXT] [--envoy] [--json]

Feeds filters with hostile input, in release and debug builds: requests by a host that answers at random, requests by the Node host
with hostile clients and services, and configurations. No filter may trap, and none may need more memory with time; a refused
configuration must come with a message. The exit code is 1 if one does not hold; what is printed then repeats it.

  --count N     requests, or configurations, for each filter and build (default 200000)
  --seed N      what is made up depends on this number alone (default: another one each day)
  --only TEXT   only what has this text in its name
  --envoy       send requests through filters in real Envoy instead (release builds, default count 20000)
  --json        print the figures as JSON`

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      count: { type: 'string' },
      seed: { type: 'string', default: new Date().toISOString().slice(0, 10).replaceAll('-', '') },
      only: { type: 'string', default: '' },
      envoy: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  const [count, seed] = [Number(values.count ?? (values.envoy ? 20_000 : 200_000)), Number(values.seed)]
  if (values.help || !Number.isInteger(count) || count < 1 || !Number.isInteger(seed)) {
    process.stdout.write(`${USAGE}\n`)
    return values.help ? 0 : 2
  }
  const results: (Figures & { name: string; build: string; seconds: number; flat: boolean })[] = []
  for (const target of values.envoy ? envoyTargets : targets) {
    for (const kind of values.envoy ? (['release'] as const) : BUILDS) {
      const name = `${target.name}, ${kind} build`
      if (!name.includes(values.only)) continue
      const onProgress = (done: number): void =>
        void (process.stderr.isTTY && process.stderr.write(`\r${name}: ${done}`))
      const start = performance.now()
      const figures = await target.run({ count, seed, kind, onProgress })
      const seconds = (performance.now() - start) / 1000
      const result = { ...figures, name: target.name, build: kind, seconds, flat: isFlat(target, figures) }
      results.push(result)
      if (process.stderr.isTTY) process.stderr.write('\r')
      if (!values.json) process.stdout.write(`${name}: ${describe(result)}\n`)
    }
  }
  const flat = results.every((result) => result.flat)
  if (values.json) process.stdout.write(`${JSON.stringify({ seed, count, results, flat }, null, 2)}\n`)
  else process.stdout.write(`${flat ? 'no trap, no growth' : 'no trap, but growth'} (seed ${seed})\n`)
  return flat ? 0 : 1
}

function describe({
  requests,
  configurations,
  memory,
  managed,
  seconds,
  flat,
}: Figures & { seconds: number; flat: boolean }): string {
  const kilobytes = (bytes: number): string => `${Math.ceil(bytes / 1024)} KB`
  const parts = [
    `${requests} requests, ${configurations} configurations in ${seconds.toFixed(0)} s`,
    `memory ${kilobytes(memory[0])} → ${kilobytes(memory[1])}`,
    ...(managed ? [`live ${kilobytes(managed[0])} → ${kilobytes(managed[1])}`] : []),
    flat ? 'flat' : 'GROWS',
  ]
  return parts.join(', ')
}

process.exitCode = await main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  return 1
})
