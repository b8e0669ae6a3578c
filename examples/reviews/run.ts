// The way out of a workload: rate limit, fault injection and routing in real Envoy, fed with VirtualServices as Istio has them.
//
// Envoy stands behind a workload `productpage` and takes its requests to the services `reviews` (two versions) and `ratings`. `npm start` runs this file.

import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { cluster, type Host } from '@meshscript/sdk/testing'
import { createEnvoyHost, installEnvoy } from '@meshscript/sdk/testing/envoy/index'
import { here, paint, say } from '../payments/demo.ts'

const ROUTES = 'examples/reviews/routes.yaml'
const MANY = 1000

/** What `meshscript compile` makes of the routes for the workload `productpage`. */
function compile(filter: 'routing' | 'fault'): Record<string, unknown> {
  const flags = ['--filter', filter, '--workload', 'default/productpage', '--port', '9080']
  const output = execFileSync(process.execPath, [here('../../cli/bin/meshscript.js'), 'compile', ROUTES, ...flags], {
    cwd: here('../..'),
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  return JSON.parse(output) as Record<string, unknown>
}

const plugin = (name: string, configuration: unknown) => ({
  wasm: here(`../../filters/dist/${name}.wasm`),
  name,
  configuration,
})
const service = (name: string) => cluster.http(() => ({ body: name }))
const clusterName = (host: string, subset = '') => `outbound|9080|${subset}|${host}.default.svc.cluster.local`

/** How often each answer came: what the upstream calls itself, or the status. */
async function ask(host: Host, count: number, service: string, user: (n: number) => string) {
  const answers = new Map<string, number>()
  for (let n = 0; n < count; n++) {
    const { status, text } = await host.request('/', {
      authority: `${service}:9080`,
      headers: { 'end-user': user(n) },
    })
    const answer = status === 200 ? text : String(status)
    answers.set(answer, (answers.get(answer) ?? 0) + 1)
  }
  return answers
}

interface Row {
  request: string
  answers: string
  expected: string
  isRight: boolean
}

async function rows(host: Host): Promise<Row[]> {
  const exactly = async (request: string, expected: string, answers: Promise<Map<string, number>>): Promise<Row> => {
    const shown = [...(await answers)].map(([answer, count]) => `${count} × ${answer}`).join(', ')
    return { request, answers: shown, expected, isRight: shown === expected }
  }
  const split = await ask(host, MANY, 'reviews', (n) => `user-${n}`)
  const share = (split.get('v2') ?? 0) / MANY
  return [
    await exactly(
      '20 × reviews as jason',
      '20 × v2',
      ask(host, 20, 'reviews', () => 'jason'),
    ),
    {
      request: `${MANY} × reviews as others`,
      answers: [...split.keys()].sort().join(' and '),
      expected: 'v1 and v2, one in ten',
      // Beyond four times the deviation that chance makes: one run in fifteen thousand.
      isRight: split.size === 2 && Math.abs(share - 0.1) < 0.038,
    },
    await exactly(
      '3 × ratings as jason',
      '3 × 500',
      ask(host, 3, 'ratings', () => 'jason'),
    ),
    await exactly(
      '8 × ratings as anna',
      '5 × ratings, 3 × 429',
      ask(host, 8, 'ratings', () => 'anna'),
    ),
    await exactly(
      '2 × ratings as bob',
      '2 × ratings',
      ask(host, 2, 'ratings', () => 'bob'),
    ),
  ]
}

function printTable(list: readonly Row[]): void {
  const titles = { request: 'requests of productpage', answers: 'answers', expected: 'expected' }
  const columns = ['request', 'answers', 'expected'] as const
  const widths = columns.map((c) => Math.max(titles[c].length, ...list.map((row) => row[c].length)))
  const line = (cells: string[]) => cells.map((cell, i) => cell.padEnd(widths[i]!)).join('  ').trimEnd() // prettier-ignore
  say(paint(1, line(columns.map((c) => titles[c]))))
  for (const row of list) {
    const text = line(columns.map((c) => row[c]))
    say(row.isRight ? text : paint(31, text))
  }
}

async function main(): Promise<number> {
  const started = performance.now()
  await installEnvoy({ onProgress: (message: string) => say(`• ${message}`) })
  const host = await createEnvoyHost({
    filters: [
      plugin('ratelimit', JSON.parse(readFileSync(here('../reviews/limits.json'), 'utf8'))),
      plugin('fault', compile('fault')),
      plugin('routing', compile('routing')),
    ],
    clusters: {
      [clusterName('reviews', 'v1')]: service('v1'),
      [clusterName('reviews', 'v2')]: service('v2'),
      [clusterName('ratings')]: service('ratings'),
    },
    routes: [{ clusterHeader: 'x-meshscript-cluster' }],
  })
  try {
    const seconds = ((performance.now() - started) / 1000).toFixed(1)
    say(`• Envoy with the filters ratelimit, fault and routing is up (${seconds} s)\n`)
    const list = await rows(host)
    printTable(list)
    const wrong = list.filter((row) => !row.isRight).length
    say(wrong ? paint(31, `\n${wrong} answers are not as expected`) : '\nEvery answer is as expected.')
    return wrong ? 1 : 0
  } finally {
    await host.close()
  }
}

process.exitCode = await main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  return 1
})
