// A limit for all proxies, in containers: Envoy with the rate limit filter, the field's own rate limit service and Redis, of the profile
// `ratelimit` of envoy/docker-compose.yml. `npm run demo:ratelimit` runs this file.
//
//   --once      ends after the table
//   --prepare   only makes the files that the containers read

import type { BootstrapOptions } from '@meshscript/sdk/testing/envoy/index'
import { type Demo, demoFolder, listener, runDemo, type Running, service, untilAnswers } from './containers.ts'
import { here, paint, printTable, say } from './demo.ts'

const demo: Demo = {
  folder: demoFolder('docker-ratelimit'),
  module: here('../../filters/dist/ratelimit.wasm'),
  profile: 'ratelimit',
  services: ['envoy', 'ratelimit'],
  configure,
  untilStarted,
  show,
  suggest,
}

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

function configure(): BootstrapOptions {
  return {
    listeners: [listener(demo, { name: 'payments', port: 10_000, cluster: 'payments', configuration })],
    clusters: {
      payments: service('payments', 8080),
      // Should the service start anew, it has another address.
      ratelimit: { ...service('ratelimit', 8081, { dns_refresh_rate: '1s' }), protocol: 'http2' },
    },
  }
}

/** The rate limit service answers, too. */
async function untilStarted({ port }: Running): Promise<void> {
  // A tenant of its own, so that it takes nothing of the others' limits.
  let tries = 0
  await untilAnswers(async () => String((await ask(port, `start-${tries++}`)).status), /^200$/)
}

async function ask(port: number, tenant: string): Promise<Response> {
  const response = await fetch(`http://127.0.0.1:${port}/charge`, { headers: { 'x-tenant': tenant } })
  await response.arrayBuffer()
  return response
}

/** Sends the requests, shows what became of them, and answers whether that is as expected. */
async function show({ port }: Running): Promise<boolean> {
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

function suggest({ port, adminPort }: Running): string {
  return `Try it; the limit is in envoy/demo/ratelimit/limits.yaml:

  curl -i -H 'x-tenant: initech' http://127.0.0.1:${port}/charge

  http://127.0.0.1:${adminPort}/stats?filter=ratelimit    requests counted by the filter, and calls to the service`
}

await runDemo(demo)
