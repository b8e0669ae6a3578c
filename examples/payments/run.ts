// The main job, in small: an Istio AuthorizationPolicy, enforced in real Envoy by the authorization filter.
//
// Envoy stands before a service `payments` as its sidecar: an mTLS listener that asks for SPIFFE certificates. `npm start` runs this file.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  authorityCertificate,
  createEnvoyHost,
  installEnvoy,
  issueCertificate,
  LISTENER,
} from '@meshscript/sdk/testing/envoy/index'
import { compilePolicy, explainRefused, FILTER, report, type Row, say, toRow } from './demo.ts'
import { requests, type DemoRequest } from './requests.ts'

const once = process.argv.includes('--once')

async function main(): Promise<number> {
  const started = performance.now()
  await installEnvoy({ onProgress: (message: string) => say(`• ${message}`) })
  const host = await createEnvoyHost({
    wasm: FILTER,
    // Who decided is told for allowed requests too, which costs a little.
    configuration: { ...compilePolicy(), record: 'all' },
    filterState: ['authorization.policy'],
    tls: { trustDomain: 'cluster.local' },
    upstream: (request) => `payments: ${request.method} ${request.path} done\n`,
  })
  try {
    say(`• Envoy with the authorization filter is up (${((performance.now() - started) / 1000).toFixed(1)} s)\n`)
    const rows = []
    for (const request of requests) rows.push(await decide(host, request))
    const right = report(rows)
    explainRefused()
    if (!once) await stayUp(host.envoy.ports[LISTENER]!, host.envoy.adminPort)
    return right ? 0 : 1
  } finally {
    await host.close()
  }
}

async function decide(host: Awaited<ReturnType<typeof createEnvoyHost>>, request: DemoRequest): Promise<Row> {
  const { method, path, headers } = request
  const response = await host.request({ method, path, headers, peer: `spiffe://cluster.local/${request.peer}` })
  return toRow(request, response.status, response.filterState['authorization.policy'])
}

/** Prints what to try, and waits for Ctrl-C. */
async function stayUp(port: number, adminPort: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'meshscript-payments-'))
  const write = (name: string, text: string): void => writeFileSync(join(folder, name), text, { mode: 0o600 })
  write('ca.pem', await authorityCertificate())
  for (const name of ['frontend', 'backend']) {
    const { certificate, key } = await issueCertificate(`spiffe://cluster.local/ns/${name}/sa/default`)
    write(`${name}.pem`, certificate)
    write(`${name}-key.pem`, key)
  }
  say(`
Envoy stays up. Try it (certificates of two workloads are in ${folder}):

  cd ${folder}
  curl -k --cert frontend.pem --key frontend-key.pem -X POST -H 'X-Auth: admin' https://127.0.0.1:${port}/charge
  curl -k --cert backend.pem --key backend-key.pem -X POST -H 'X-Auth: admin' https://127.0.0.1:${port}/charge

  http://127.0.0.1:${adminPort}/                                       Envoy's admin page
  http://127.0.0.1:${adminPort}/stats?filter=authorization             verdicts counted by the filter

Ctrl-C ends it.`)
  await new Promise<void>((resolve) => {
    process.once('SIGINT', resolve)
    process.once('SIGTERM', resolve)
  })
  rmSync(folder, { recursive: true, force: true })
}

process.exitCode = await main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  return 1
})
