/** Checks, their categories and their results. */

import { type Io } from '../terminal.ts'

/** What a check has found. A warning is for what some commands need and others do not. */
export type Finding =
  | { result: 'success'; description?: string }
  | {
      result: 'warning' | 'error'
      /** What is wrong. */
      error: string
      /** What to do. */
      hint?: string
    }

export interface Check {
  /** Stable; docs/check.md has a section for each. */
  code: string
  /** What holds when it is well; a finding may say it more exactly. */
  description: string
  /** `signal` ends it. Undefined: there is nothing to check. */
  run(signal: AbortSignal): Promise<Finding | undefined>
  /** What it is when it takes too long. Default `error`. */
  late?: 'warning' | 'error'
}

export interface Category {
  categoryName: string
  checks: readonly Check[]
}

export interface CheckResult {
  code: string
  description: string
  result: 'success' | 'warning' | 'error'
  error?: string
  hint?: string
}

export interface CheckReport {
  /** Whether there is no error; warnings may be there. */
  success: boolean
  categories: { categoryName: string; checks: CheckResult[] }[]
}

export interface CheckContext {
  io: Io
  insecure?: boolean
  /** PEM file of certificates to trust. */
  ca?: string
}

export const success = (description?: string): Finding => ({ result: 'success', description })
export const warning = (error: string, hint?: string): Finding => ({ result: 'warning', error, hint })
export const failure = (error: string, hint?: string): Finding => ({ result: 'error', error, hint })
