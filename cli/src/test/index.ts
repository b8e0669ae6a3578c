/** Runs a project's specs by vitest, once for each host. */

import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { UserError } from '../errors.ts'

export const hostNames = ['node', 'envoy', 'docker'] as const
export type HostName = (typeof hostNames)[number]

export interface TestOptions {
  cwd: string
  env: NodeJS.ProcessEnv
  signal?: AbortSignal
  hosts: readonly HostName[]
  /** Goes to vitest as it is: names of files, flags. */
  args: readonly string[]
  watch: boolean
  /** What vitest prints is kept back. */
  quiet: boolean
  /** How far it is with what comes before the tests. */
  onProgress: (text: string) => void
  onHost: (host: HostName) => void
}

export interface HostReport {
  host: HostName
  passed: number
  failed: number
  skipped: number
  seconds: number
  failures: { file: string; name: string; message: string }[]
}

/** Tests on each host; what fails on one does not keep the others from running. */
export async function testProject(options: TestOptions): Promise<HostReport[]> {
  const program = findVitest(options.cwd)
  const environments = await Promise.all(options.hosts.map((host) => environmentOf(host, options)))
  const reports: HostReport[] = []
  for (const [index, host] of options.hosts.entries()) {
    options.onHost(host)
    reports.push(await testOn(host, program, environments[index]!, options))
    if (options.signal?.aborted) break
  }
  return reports
}

/** The project's own vitest. */
function findVitest(cwd: string): string {
  try {
    const path = createRequire(join(cwd, 'package.json')).resolve('vitest/package.json')
    return join(dirname(path), 'vitest.mjs')
  } catch {
    throw new UserError(`vitest is not installed in ${cwd}: npm install --save-dev vitest`, 'TEST001')
  }
}

/** Gets Envoy first where it is needed: each test file would wait for it by itself. */
async function environmentOf(host: HostName, options: TestOptions): Promise<NodeJS.ProcessEnv> {
  const env = { ...options.env, HOST: host }
  if (host === 'node') return env
  const { chooseEnvoy } = await import('../run/envoy.ts')
  try {
    const binary = await chooseEnvoy({ docker: host === 'docker', env: options.env }, options.onProgress)
    return binary.kind === 'process' ? { ...env, ENVOY_PATH: binary.path } : env
  } catch (error) {
    if (!(error instanceof UserError)) throw error
    throw new UserError(`${error.message}; --host node needs no Envoy`, 'TEST002')
  }
}

async function testOn(
  host: HostName,
  program: string,
  env: NodeJS.ProcessEnv,
  { cwd, args, watch, quiet, signal }: TestOptions,
): Promise<HostReport> {
  const folder = mkdtempSync(join(tmpdir(), 'meshscript-report-'))
  const file = join(folder, 'report.json')
  const reporters = watch ? [] : ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`]
  try {
    const command = [program, watch ? 'watch' : 'run', ...reporters, ...args]
    const { code, output } = await run(command, { cwd, env, quiet, signal })
    if (watch || signal?.aborted) return { host, passed: 0, failed: 0, skipped: 0, seconds: 0, failures: [] }
    if (!existsSync(file)) throw new UserError(`vitest ended with ${code}${output && `:\n${output}`}`, 'TEST003')
    const report = reportOf(host, JSON.parse(readFileSync(file, 'utf8')) as VitestReport)
    // An error outside of tests.
    return code !== 0 && report.failed === 0 ? { ...report, failed: 1 } : report
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function run(
  args: readonly string[],
  { cwd, env, quiet, signal }: { cwd: string; env: NodeJS.ProcessEnv; quiet: boolean; signal?: AbortSignal },
): Promise<{ code: number; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, {
      cwd,
      env,
      stdio: quiet ? ['ignore', 'pipe', 'pipe'] : 'inherit',
      windowsHide: true,
    })
    let output = ''
    child.stdout?.resume()
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (output += text))
    // Of Ctrl-C on a terminal the child has heard itself.
    const stop = () => child.kill('SIGTERM')
    if (signal?.aborted) stop()
    signal?.addEventListener('abort', stop, { once: true })
    child.once('error', reject)
    child.once('close', (code) => {
      signal?.removeEventListener('abort', stop)
      resolve({ code: code ?? 1, output: output.trim() })
    })
  })
}

/** As much of vitest's JSON report as is needed. */
interface VitestReport {
  startTime: number
  numPassedTests: number
  numPendingTests: number
  numTodoTests: number
  testResults: {
    name: string
    status: string
    message?: string
    endTime: number
    assertionResults: { fullName: string; status: string; failureMessages?: string[] }[]
  }[]
}

function reportOf(host: HostName, report: VitestReport): HostReport {
  const { testResults, startTime } = report
  const failures = testResults.flatMap(({ name: file, status, message = '', assertionResults }) => {
    const failed = assertionResults
      .filter((test) => test.status === 'failed')
      .map((test) => ({ file, name: test.fullName, message: firstLine(test.failureMessages?.[0] ?? '') }))
    // A file that fails before its tests are known.
    return status === 'failed' && !failed.length ? [{ file, name: '', message: firstLine(message) }] : failed
  })
  const end = Math.max(startTime, ...testResults.map(({ endTime }) => endTime))
  return {
    host,
    passed: report.numPassedTests,
    failed: failures.length,
    skipped: report.numPendingTests + report.numTodoTests,
    seconds: Math.round((end - startTime) / 100) / 10,
    failures,
  }
}

const firstLine = (text: string) => text.split('\n', 1)[0]!
