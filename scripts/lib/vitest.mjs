// One project of vitest.config.ts, counted from its JSON report.

import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { run } from './process.mjs'
import { root } from './steps.mjs'

/** Where the reports are. */
export const reports = join(root, '.cache', 'reports')

/**
 * Runs the project's tests, or those in `files` only. `report` is the name of its report, where the same project runs more than once.
 * @returns {Promise<{ passed: number, failed: number, skipped: number, failures: string[] }>}
 */
export async function vitest(project, { files = [], env = {}, report = project } = {}) {
  const path = join(reports, `${report}.json`)
  mkdirSync(reports, { recursive: true })
  const args = ['run', '--project', project, '--passWithNoTests', ...files]
  const { code } = await run(
    process.execPath,
    [
      join('node_modules', 'vitest', 'vitest.mjs'),
      ...args,
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${path}`,
    ],
    { inherit: true, env },
  )
  if (!existsSync(path)) return { passed: 0, failed: code === 0 ? 0 : 1, skipped: 0, failures: [] }
  const {
    numPassedTests: passed,
    numFailedTests,
    numPendingTests,
    numTodoTests,
    testResults,
  } = JSON.parse(readFileSync(path, 'utf8'))
  // A file that fails before its tests are known, and an error outside of tests, count as one each.
  const broken = testResults.filter(
    ({ status, assertionResults }) => status === 'failed' && !assertionResults.some((test) => test.status === 'failed'),
  )
  const tests = testResults.flatMap(({ assertionResults }) => assertionResults)
  const failures = [
    ...tests.filter(({ status }) => status === 'failed').map(({ fullName }) => fullName),
    ...broken.map(({ name }) => name),
  ]
  const failed = numFailedTests + broken.length
  return { passed, failed: code !== 0 && !failed ? 1 : failed, skipped: numPendingTests + numTodoTests, failures }
}
