/** What the demo shows, however its Envoy runs: the policy as the filter's configuration, and the table of verdicts. */

import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { requests, type DemoRequest } from './requests.ts'

export const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))
/** As seen from the root of the checkout. */
const POLICY = 'examples/payments/policy.yaml'
export const FILTER = here('../../filters/dist/authorization.wasm')
const MESHSCRIPT = here('../../cli/bin/meshscript.js')

const color = process.stdout.isTTY && !process.env['NO_COLOR']
export const paint = (code: number, text: string): string => (color ? `\x1b[${code}m${text}\x1b[0m` : text)
export const say = (text: string): void => void process.stdout.write(`${text}\n`)

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
export function compilePolicy(): Record<string, unknown> {
  return JSON.parse(meshscript('compile', ['--filter', 'authorization'], 'pipe')) as Record<string, unknown>
}

/** Shows why the first of the refused requests is refused, as `meshscript explain` tells it. */
export function explainRefused(): void {
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

/** What became of a request. */
export interface Row {
  request: string
  peer: string
  verdict: string
  policy: string
  expected: string
  expectedPolicy: string
}

/** The row of a request that was answered with `status`, as the rule `policy` decided. */
export function toRow(request: DemoRequest, status: number, policy: string | undefined): Row {
  return {
    request: shownRequest(request),
    peer: request.peer,
    verdict: status === 200 ? 'allow' : status === 403 ? 'deny' : `status ${status}`,
    policy: policy ?? '-',
    expected: request.expected,
    expectedPolicy: request.policy,
  }
}

/** Shows what became of the requests, and answers whether all of it is as expected. */
export function report(rows: readonly Row[]): boolean {
  const titles = { request: 'request', peer: 'as', verdict: 'verdict', policy: 'deciding policy', expected: 'expected' }
  printTable(titles, rows, (row, line) =>
    isRight(row)
      ? line.replace(/ (allow|deny) /, (verdict) => paint(verdict === ' allow ' ? 32 : 33, verdict))
      : undefined,
  )
  const wrong = rows.filter((row) => !isRight(row))
  say(wrong.length ? paint(31, `\n${wrong.length} verdicts are not as expected`) : '\nEvery verdict is as expected.')
  return wrong.length === 0
}

const isRight = (row: Row): boolean => row.verdict === row.expected && row.policy === row.expectedPolicy

/** Prints a row for each. `highlight`: the line in colour, or nothing where the row is wrong. */
export function printTable<Column extends string, R extends Record<Column, string>>(
  titles: Record<Column, string>,
  rows: readonly R[],
  highlight: (row: R, line: string) => string | undefined,
): void {
  const columns = Object.keys(titles) as Column[]
  const widths = columns.map((c) => Math.max(titles[c].length, ...rows.map((row) => row[c].length)))
  const line = (cells: string[]): string =>
    cells
      .map((cell, i) => cell.padEnd(widths[i]!))
      .join('  ')
      .trimEnd()
  say(paint(1, line(columns.map((c) => titles[c]))))
  for (const row of rows) {
    const text = line(columns.map((c) => row[c]))
    say(highlight(row, text) ?? paint(31, text))
  }
}
