/** Runs checks side by side, each with its own limit of time: nothing hangs. */

import packageJson from '../../package.json' with { type: 'json' }
import { UserError } from '../errors.ts'
import { type Category, type Check, type CheckReport, type CheckResult, type Finding } from './types.ts'

export const CHECK_TIMEOUT = 5000

export interface RunOptions {
  /** Milliseconds for each check. */
  timeout?: number
  signal?: AbortSignal
  /** Called with how many checks are done. */
  onProgress?: (done: number, total: number) => void
}

/** Checks that found nothing to check are left out, and categories without checks. */
export async function runChecks(categories: readonly Category[], options: RunOptions = {}): Promise<CheckReport> {
  const total = categories.reduce((sum, { checks }) => sum + checks.length, 0)
  let done = 0
  const run = async (check: Check) => {
    const result = await runCheck(check, options)
    options.onProgress?.(++done, total)
    return result
  }
  const results = await Promise.all(
    categories.map(async ({ categoryName, checks }) => {
      const found = await Promise.all(checks.map(run))
      return { categoryName, checks: found.filter((result) => result !== undefined) }
    }),
  )
  const shown = results.filter(({ checks }) => checks.length)
  return { success: shown.every(({ checks }) => checks.every(({ result }) => result !== 'error')), categories: shown }
}

async function runCheck(
  check: Check,
  { timeout = CHECK_TIMEOUT, signal }: RunOptions,
): Promise<CheckResult | undefined> {
  const { code, description } = check
  const timer = new AbortController()
  const ended = AbortSignal.any([timer.signal, ...(signal ? [signal] : [])])
  const late = new Promise<Finding>((resolve) => {
    const end = () => {
      const error = timer.signal.aborted ? `no answer within ${timeout / 1000} s` : 'interrupted'
      resolve({ result: check.late ?? 'error', error })
    }
    if (ended.aborted) end()
    else ended.addEventListener('abort', end)
  })
  const pending = setTimeout(() => timer.abort(), timeout)
  try {
    const finding = await Promise.race([check.run(ended).catch(unexpected), late])
    if (!finding) return undefined
    if (finding.result === 'success')
      return { code, description: finding.description ?? description, result: 'success' }
    const { result, error, hint } = finding
    return { code, description, result, error, hint: [...(hint === undefined ? [] : [hint]), helpUrl(code)].join('; ') }
  } finally {
    clearTimeout(pending)
  }
}

function unexpected(error: unknown): Finding {
  const { code, message } = error as UserError
  return { result: 'error', error: error instanceof UserError && code ? `${message} (${code})` : message }
}

/** Where a check is explained. */
export function helpUrl(code: string): string {
  const repository = packageJson.repository.url.replace(/^git\+/, '').replace(/\.git$/, '')
  return `see ${repository}/blob/main/docs/check.md#${code.toLowerCase()}`
}
