// The main job, in small: an Istio AuthorizationPolicy, enforced in real Envoy by the authorization filter.
//
// Envoy stands before a service `payments` as its sidecar: an mTLS listener that asks for SPIFFE certificates. `npm start` runs this file.

import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  authorityCertificate,
  createEnvoyHost,
  installEnvoy,
  issueCertificate,
  LISTENER,
} from '@meshscript/sdk/testing/envoy/index'
import { requests, type DemoRequest } from './requests.ts'

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))
/** As seen from the root of the checkout. */
const POLICY = 'examples/payments/policy.yaml'
const FILTER = here('../../filters/dist/authorization.wasm')
const MESHSCRIPT = here('../../cli/bin/meshscript.js')

const once = process.argv.includes('--once')
const color = process.stdout.isTTY && !process.env['NO_COLOR']
const paint = (code: number, text: string): string => (color ? `\x1b[${code}m${text}\x1b[0m` : text)
const say = (text: string): void => void process.stdout.write(`${text}\n`)

/** Runs the command on the policy, for the workload `payments`. */
function meshscript(command: string, args: readonly string[], stdout: 'pipe' | 'inherit'): string {
  const flags = ['--workload', 'payments/payments', '--labels', 'app=payments']
  const output = execFileSync(process.execPath, [MESHSCRIPT, command, POLICY, ...flags, ...args], {
    cwd: here('../..'),
    encoding: 'utf8',
    stdio: ['ignore', stdout, 'inherit'],
  })
  // Null where it went to the terminal.
  return output ?? ''
}

/** What `meshscript compile` makes of the policy for the workload `payments`. */
function compilePolicy(): Record<string, unknown> {
  return JSON.parse(meshscript('compile', ['--filter', 'authorization'], 'pipe')) as Record<string, unknown>
}

/** Shows why the first of the refused requests is refused, as `meshscript explain` tells it. */
function explainRefused(): void {
  const refused = requests.find(({ expected }) => expected === 'deny')!
  const { method, path, headers = {}, peer } = refused
  const args = ['--method', method, '--host', 'payments', '--path', path, '--peer', `spiffe://cluster.local/${peer}`]
  for (const [name, value] of Object.entries(headers)) args.push('--header', `${name}: ${value}`)
  const shown = args.map((arg) => (/[^\w:/.-]/.test(arg) ? `'${arg}'` : arg)).join(' ')
  say(`\nWhy is ${shownRequest(refused)} refused?\n`)
  say(paint(1, `  meshscript explain ${POLICY} --workload payments/payments --labels app=payments \\\n    ${shown}\n`))
  meshscript('explain', args, 'inherit')
}

const shownRequest = ({ method, path, headers = {} }: DemoRequest): string =>
  [`${method} ${path}`, ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`)].join(' ')

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
    printTable(rows)
    const wrong = rows.filter((row) => row.verdict !== row.expected || row.policy !== row.expectedPolicy)
    say(wrong.length ? paint(31, `\n${wrong.length} verdicts are not as expected`) : '\nEvery verdict is as expected.')
    explainRefused()
    if (!once) await stayUp(host.envoy.ports[LISTENER]!, host.envoy.adminPort)
    return wrong.length ? 1 : 0
  } finally {
    await host.close()
  }
}

interface Row {
  request: string
  peer: string
  verdict: string
  policy: string
  expected: string
  expectedPolicy: string
}

async function decide(host: Awaited<ReturnType<typeof createEnvoyHost>>, request: DemoRequest): Promise<Row> {
  const { method, path, headers } = request
  const response = await host.request({ method, path, headers, peer: `spiffe://cluster.local/${request.peer}` })
  return {
    request: shownRequest(request),
    peer: request.peer,
    verdict: response.status === 200 ? 'allow' : response.status === 403 ? 'deny' : `status ${response.status}`,
    policy: response.filterState['authorization.policy'] ?? '-',
    expected: request.expected,
    expectedPolicy: request.policy,
  }
}

function printTable(rows: Row[]): void {
  const columns = ['request', 'peer', 'verdict', 'policy', 'expected'] as const
  const titles = { request: 'request', peer: 'as', verdict: 'verdict', policy: 'deciding policy', expected: 'expected' }
  const widths = columns.map((c) => Math.max(titles[c].length, ...rows.map((row) => row[c].length)))
  const line = (cells: string[]): string =>
    cells
      .map((cell, i) => cell.padEnd(widths[i]!))
      .join('  ')
      .trimEnd()
  say(paint(1, line(columns.map((c) => titles[c]))))
  for (const row of rows) {
    const text = line(columns.map((c) => row[c]))
    const right = row.verdict === row.expected && row.policy === row.expectedPolicy
    say(
      right
        ? text.replace(/ (allow|deny) /, (verdict) => paint(verdict === ' allow ' ? 32 : 33, verdict))
        : paint(31, text),
    )
  }
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
