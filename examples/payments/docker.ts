// The same as run.ts, in containers: Envoy, the services, Prometheus and a registry of envoy/docker-compose.yml. `npm run demo:docker` runs this file.
//
//   --once      ends after the table
//   --prepare   only makes the files that the containers read

import { readFileSync } from 'node:fs'
import { request as httpsRequest } from 'node:https'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  accessLogConfig,
  authorityCertificate,
  type BootstrapOptions,
  issueCertificate,
} from '@meshscript/sdk/testing/envoy/index'
import { type Demo, demoFolder, listener, runDemo, type Running, service, writeFor } from './containers.ts'
import { compilePolicy, explainRefused, FILTER, report, type Row, toRow } from './demo.ts'
import { requests, type DemoRequest } from './requests.ts'

const folder = demoFolder('docker-demo')
/** Access log of Envoy, at the place where it sees it, and here. */
const LOG = { inside: '/log/access.log', outside: join(folder, 'log', 'access.log') }

const demo: Demo = { folder, module: FILTER, configure, show, suggest }

/** Envoy's configuration; and writes certificates. */
async function configure(): Promise<BootstrapOptions> {
  const authority = await authorityCertificate()
  writeFor(demo, 'ca.pem', authority)
  for (const name of ['frontend', 'backend']) {
    const { certificate, key } = await issueCertificate(`spiffe://cluster.local/ns/${name}/sa/default`)
    writeFor(demo, `${name}.pem`, certificate)
    writeFor(demo, `${name}-key.pem`, key)
  }
  // Who decided is told for allowed requests too, which costs a little.
  const configuration = { ...compilePolicy(), record: 'all' }
  return {
    listeners: [
      {
        ...listener(demo, { name: 'payments', port: 10_000, cluster: 'payments', configuration }),
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
    clusters: { payments: service('payments', 8080) },
  }
}

async function show({ port }: Running): Promise<boolean> {
  const rows = []
  for (const request of requests) rows.push(await decide(port, request))
  const right = report(rows)
  explainRefused()
  return right
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

async function suggest({ compose, port, adminPort }: Running): Promise<string> {
  const [frontend, prometheus, registry] = await Promise.all([
    compose.port('frontend', 8080),
    compose.port('prometheus', 9090),
    compose.port('registry', 5000),
  ])
  return `Try it. The service frontend adds its certificate; those of two workloads are in ${folder}:

  curl -X POST -H 'X-Auth: admin' http://127.0.0.1:${frontend}/charge
  cd ${folder}
  curl -k --cert backend.pem --key backend-key.pem -X POST -H 'X-Auth: admin' https://127.0.0.1:${port}/charge

  http://127.0.0.1:${adminPort}/stats?filter=authorization    verdicts counted by the filter
  http://127.0.0.1:${prometheus}/graph?g0.expr=up             Prometheus
  npx meshscript push filters/dist/authorization.wasm oci://127.0.0.1:${registry}/authorization:v1 --insecure`
}

await runDemo(demo)
