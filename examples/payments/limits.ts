// A limit for all proxies, in containers: Envoy with the rate limit filter, the field's own rate limit service and Redis, of the profile
// `ratelimit` of envoy/docker-compose.yml. `npm run demo:ratelimit` runs this file.
//
//   --once      ends after the table
//   --prepare   only makes the files that the containers read

import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { buildBootstrap, placeModule, routeConfig, staticFilter } from '@meshscript/sdk/testing/envoy/index'
import { Compose } from './compose.ts'
import {
  COMPOSE_FILE,
  demoFolder,
  demoVariables,
  interruption,
  once,
  runDemo,
  stayUp,
  untilAnswers,
  untilReady,
} from './containers.ts'
import { here, paint, printTable, say } from './demo.ts'

const FILTER = here('../../filters/dist/ratelimit.wasm')
const folder = demoFolder('docker-ratelimit')

/** The limit is the service's: envoy/demo/ratelimit/limits.yaml. */
const configuration = {
  version: 1,
  headers: 'draft-03',
  // The first call finds no connection yet, and machines that start containers are busy.
  global: { cluster: 'ratelimit', domain: 'shop', timeout: '2s' },
  rules: [{ name: 'tenants', scope: 'global', descriptors: [{ header: 'x-tenant', as: 'tenant' }] }],
}

/** What the demo asks: each tenant has five in an hour. */
const requests = [
  ...Array.from({ length: 7 }, (_, i) => ({ tenant: 'acme', expected: i < 5 ? 200 : 429 })),
  { tenant: 'globex', expected: 200 },
]

/** Writes Envoy's configuration and the module. */
async function prepare(): Promise<void> {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(join(folder, 'log'), { recursive: true })
  await placeModule(folder, 'ratelimit', FILTER)
  const bootstrap = buildBootstrap({
    admin: { address: '0.0.0.0', port: 9901 },
    listeners: [
      {
        name: 'payments',
        address: '0.0.0.0',
        port: 10_000,
        http: {
          filters: [staticFilter('http', 'ratelimit', { wasm: FILTER, configuration }, '/demo/ratelimit.wasm')],
          routes: routeConfig([{ cluster: 'payments' }]),
        },
      },
    ],
    clusters: {
      payments: { endpoints: [{ host: 'payments', port: 8080 }] },
      // Should the service start anew, it has another address.
      ratelimit: {
        endpoints: [{ host: 'ratelimit', port: 8081 }],
        protocol: 'http2',
        extra: { dns_refresh_rate: '1s' },
      },
    },
  })
  writeFileSync(join(folder, 'bootstrap.json'), JSON.stringify(bootstrap, null, 1), { mode: 0o600 })
}

async function main(): Promise<number> {
  await prepare()
  if (process.argv.includes('--prepare')) {
    say(`What the containers read is in ${folder}.`)
    return 0
  }
  const compose = await Compose.find(COMPOSE_FILE, { ...demoVariables(folder), COMPOSE_PROFILES: 'ratelimit' })
  const interrupted = interruption()
  try {
    const started = performance.now()
    await compose.up('envoy', 'ratelimit')
    const adminPort = await compose.port('envoy', 9901)
    await untilReady(adminPort)
    const port = await compose.port('envoy', 10_000)
    // A tenant of its own, so that it takes nothing of the others' limits.
    let tries = 0
    await untilAnswers(async () => String((await ask(port, `start-${tries++}`)).status), /^200$/)
    say(`• ${compose.name} has started the demo (${((performance.now() - started) / 1000).toFixed(1)} s)\n`)
    const right = await show(port)
    tell(port, adminPort)
    if (!once) await stayUp(interrupted)
    return right ? 0 : 1
  } catch (error) {
    say(await compose.logs())
    throw error
  } finally {
    await compose.down()
  }
}

async function ask(port: number, tenant: string): Promise<Response> {
  const response = await fetch(`http://127.0.0.1:${port}/charge`, { headers: { 'x-tenant': tenant } })
  await response.arrayBuffer()
  return response
}

/** Sends the requests, shows what became of them, and answers whether that is as expected. */
async function show(port: number): Promise<boolean> {
  const titles = {
    request: 'request',
    tenant: 'x-tenant',
    status: 'status',
    limit: 'x-ratelimit-limit',
    expected: 'expected',
  }
  const rows: Record<keyof typeof titles, string>[] = []
  for (const { tenant, expected } of requests) {
    const { status, headers } = await ask(port, tenant)
    rows.push({
      request: 'GET /charge',
      tenant,
      status: String(status),
      limit: headers.get('x-ratelimit-limit') ?? '-',
      expected: String(expected),
    })
  }
  const isRight = (row: (typeof rows)[number]): boolean => row.status === row.expected
  printTable(titles, rows, (row, text) =>
    isRight(row) ? text.replace(/ (200|429) /, (status) => paint(status === ' 200 ' ? 32 : 33, status)) : undefined,
  )
  const wrong = rows.filter((row) => !isRight(row)).length
  say(wrong ? paint(31, `\n${wrong} answers are not as expected`) : '\nEvery answer is as expected.')
  return wrong === 0
}

function tell(port: number, adminPort: number): void {
  say(`
Try it; the limit is in envoy/demo/ratelimit/limits.yaml:

  curl -i -H 'x-tenant: initech' http://127.0.0.1:${port}/charge

  http://127.0.0.1:${adminPort}/stats?filter=ratelimit    requests counted by the filter, and calls to the service
${once ? '' : '\nCtrl-C ends it.'}`)
}

await runDemo(main)
