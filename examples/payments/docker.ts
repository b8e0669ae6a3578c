// The same as run.ts, in containers: Envoy, the services, Prometheus and a registry of envoy/docker-compose.yml. `npm run demo:docker` runs this file.
//
//   --once      ends after the table
//   --prepare   only makes the files that the containers read

import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { request as httpsRequest } from 'node:https'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  accessLogConfig,
  authorityCertificate,
  buildBootstrap,
  issueCertificate,
  placeModule,
  routeConfig,
  staticFilter,
} from '@meshscript/sdk/testing/envoy/index'
import { Compose } from './compose.ts'
import {
  COMPOSE_FILE,
  demoFolder,
  demoVariables,
  interruption,
  once,
  runDemo,
  stayUp,
  untilReady,
} from './containers.ts'
import { compilePolicy, explainRefused, FILTER, report, type Row, say, toRow } from './demo.ts'
import { requests, type DemoRequest } from './requests.ts'

const folder = demoFolder('docker-demo')
/** Access log of Envoy, at the place where it sees it, and here. */
const LOG = { inside: '/log/access.log', outside: join(folder, 'log', 'access.log') }

/** Writes Envoy's configuration, the module and certificates. */
async function prepare(): Promise<void> {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(join(folder, 'log'), { recursive: true })
  // Keys of a demo, for the user who starts it alone.
  const write = (name: string, text: string): void => writeFileSync(join(folder, name), text, { mode: 0o600 })
  const authority = await authorityCertificate()
  write('ca.pem', authority)
  for (const name of ['frontend', 'backend']) {
    const { certificate, key } = await issueCertificate(`spiffe://cluster.local/ns/${name}/sa/default`)
    write(`${name}.pem`, certificate)
    write(`${name}-key.pem`, key)
  }
  await placeModule(folder, 'authorization', FILTER)
  // Who decided is told for allowed requests too, which costs a little.
  const plugin = { wasm: FILTER, configuration: { ...compilePolicy(), record: 'all' } }
  const bootstrap = buildBootstrap({
    admin: { address: '0.0.0.0', port: 9901 },
    listeners: [
      {
        name: 'payments',
        address: '0.0.0.0',
        port: 10_000,
        http: {
          filters: [staticFilter('http', 'authorization', plugin, '/demo/authorization.wasm')],
          routes: routeConfig([{ cluster: 'payments' }]),
        },
        tls: {
          server: await issueCertificate('spiffe://cluster.local/ns/payments/sa/default'),
          authority,
          trustDomains: ['cluster.local'],
        },
        accessLog: accessLogConfig(LOG.inside, ['authorization.policy']),
      },
    ],
    // Labels come in the names of the filter's metrics: here they are made labels for Prometheus.
    extra: {
      stats_config: {
        stats_tags: ['verdict', 'policy', 'dry_run'].map((name) => ({
          tag_name: name,
          regex: `(\\.${name}=\\.=(.*?);\\.;)`,
        })),
      },
    },
    clusters: { payments: { endpoints: [{ host: 'payments', port: 8080 }] } },
  })
  write('bootstrap.json', JSON.stringify(bootstrap, null, 1))
}

async function main(): Promise<number> {
  await prepare()
  if (process.argv.includes('--prepare')) {
    say(`What the containers read is in ${folder}.`)
    return 0
  }
  const compose = await Compose.find(COMPOSE_FILE, demoVariables(folder))
  const interrupted = interruption()
  try {
    const started = performance.now()
    await compose.up()
    const adminPort = await compose.port('envoy', 9901)
    await untilReady(adminPort)
    say(`• ${compose.name} has started the demo (${((performance.now() - started) / 1000).toFixed(1)} s)\n`)
    const port = await compose.port('envoy', 10_000)
    const rows = []
    for (const request of requests) rows.push(await decide(port, request))
    const right = report(rows)
    explainRefused()
    await tell(compose, port, adminPort)
    if (!once) await stayUp(interrupted)
    return right ? 0 : 1
  } catch (error) {
    say(await compose.logs())
    throw error
  } finally {
    await compose.down()
  }
}

async function decide(port: number, request: DemoRequest): Promise<Row> {
  const before = readLog().length
  const status = await send(port, request)
  // Envoy writes the entry when the stream has ended.
  for (let tries = 0; readLog().length === before && tries < 200; tries++) await sleep(10)
  const [entry] = readLog().slice(before)
  return toRow(request, status, entry?.filterState['authorization.policy'] ?? undefined)
}

function readLog(): { filterState: Record<string, string | null> }[] {
  const lines = readFileSync(LOG.outside, 'utf8').split('\n').slice(0, -1)
  return lines.map((line) => JSON.parse(line) as { filterState: Record<string, string | null> })
}

/** Answers the status. */
async function send(port: number, { method, path, headers, peer }: DemoRequest): Promise<number> {
  const ca = await authorityCertificate()
  const { certificate: cert, key } = await issueCertificate(`spiffe://cluster.local/${peer}`)
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, method, path, headers, ca, cert, key, agent: false as const }
    // A mesh's servers are known by their SPIFFE identity, not by a host name.
    const call = httpsRequest({ ...options, checkServerIdentity: () => undefined }, (response) => {
      response.resume().on('end', () => resolve(response.statusCode ?? 0))
    })
    call.on('error', reject)
    call.end()
  })
}

async function tell(compose: Compose, port: number, adminPort: number): Promise<void> {
  const [frontend, prometheus, registry] = await Promise.all([
    compose.port('frontend', 8080),
    compose.port('prometheus', 9090),
    compose.port('registry', 5000),
  ])
  say(`
Try it. The service frontend adds its certificate; those of two workloads are in ${folder}:

  curl -X POST -H 'X-Auth: admin' http://127.0.0.1:${frontend}/charge
  cd ${folder}
  curl -k --cert backend.pem --key backend-key.pem -X POST -H 'X-Auth: admin' https://127.0.0.1:${port}/charge

  http://127.0.0.1:${adminPort}/stats?filter=authorization    verdicts counted by the filter
  http://127.0.0.1:${prometheus}/graph?g0.expr=up             Prometheus
  npx meshscript push filters/dist/authorization.wasm oci://127.0.0.1:${registry}/authorization:v1 --insecure
${once ? '' : '\nCtrl-C ends it.'}`)
}

await runDemo(main)
