/** When to try again, and how long to wait before. */

import { setTimeout as sleep } from 'node:timers/promises'
import { UserError } from '../errors.ts'
import { type HttpResponse } from './http.ts'

export interface RetryOptions {
  /** Failures in a row after which it is given up. */
  attempts: number
  /** Before the second attempt, in milliseconds; doubled for every further one. */
  delay: number
}

export const defaultRetry: RetryOptions = { attempts: 5, delay: 500 }

/** A registry that wants more patience than this is told to the user. */
const LONGEST_WAIT = 60_000

/** Nothing changes by asking again: not implemented, HTTP version, storage full. */
const FINAL = new Set([501, 505, 507])

export function isTransient(status: number): boolean {
  return status === 429 || (status >= 500 && !FINAL.has(status))
}

/** Connections that were cut. `reached`: the registry has answered before, so that a refused connection may be a restart. */
export function isLoss(error: unknown, reached: boolean): boolean {
  const { code } = error as NodeJS.ErrnoException
  if (['ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ECONNABORTED', 'EAI_AGAIN', 'ENETUNREACH'].includes(code ?? '')) return true
  if (code === 'ECONNREFUSED') return reached
  // The answer ended too early.
  return code === 'HPE_INVALID_EOF_STATE'
}

/** Counts failures in a row, and waits after each. */
export class Patience {
  #failures = 0
  constructor(
    readonly options: RetryOptions,
    readonly signal?: AbortSignal,
  ) {}

  /** Something went well: the next failure is the first again. */
  reset(): void {
    this.#failures = 0
  }

  /** Waits before the next attempt; false when there is none left. */
  async wait(response?: HttpResponse): Promise<boolean> {
    if (++this.#failures >= this.options.attempts) return false
    const asked = response && retryAfter(response)
    if (asked !== undefined && asked > LONGEST_WAIT) return false
    const backoff = this.options.delay * 2 ** (this.#failures - 1)
    // Not all at the same moment.
    await pause(asked ?? backoff * (0.75 + Math.random() / 2), this.signal)
    return true
  }
}

async function pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
  await sleep(milliseconds, undefined, { signal }).catch(() => {
    throw stopped()
  })
}

export function stopped(): UserError {
  return new UserError('stopped; what the registry has under its tags is as before', 'OCI009')
}

/** Of `Retry-After`, seconds or a date; in milliseconds. */
function retryAfter({ headers }: HttpResponse): number | undefined {
  const value = headers['retry-after']
  if (value === undefined) return undefined
  const milliseconds = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now()
  return Number.isNaN(milliseconds) ? undefined : Math.max(0, milliseconds)
}
