/** Preflight in a thread of its own: a filter that never ends takes only that down. */

import { Worker } from 'node:worker_threads'
import { UserError } from '../errors.ts'
import type { PreflightOptions, PreflightResult } from './preflight.ts'

/** In milliseconds. */
const LIMIT = 10_000

/** In the published bundle, and in the checkout, where types have to be stripped. */
const BUNDLED = new URL('./preflight-worker.js', import.meta.url)
const SOURCE = new URL('./worker.ts', import.meta.url)
const fromSource = import.meta.url.endsWith('.ts')
const SOURCE_FLAGS = [
  '--conditions=meshscript-source',
  `--import=${new URL('../../../scripts/typescript.mjs', import.meta.url).href}`,
]

export type GuardedResult = PreflightResult | { ok: false; code: 'DEP024'; message: string; logs: string[] }

/** As `preflight`, but for no longer than `limit` milliseconds. */
export function guardedPreflight(
  options: PreflightOptions,
  limit = LIMIT,
  signal?: AbortSignal,
): Promise<GuardedResult> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(fromSource ? SOURCE : BUNDLED, {
      workerData: options,
      ...(fromSource && { execArgv: SOURCE_FLAGS }),
    })
    const end = (settle: () => void) => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', stop)
      void worker.terminate().then(settle)
    }
    const stop = () => end(() => reject(new UserError('stopped', 'DEP009')))
    const message = `the filter did not end in ${limit / 1000} s: it seems to loop for ever`
    const timer = setTimeout(() => end(() => resolve({ ok: false, code: 'DEP024', message, logs: [] })), limit)
    if (signal?.aborted) return stop()
    signal?.addEventListener('abort', stop, { once: true })
    worker.once('message', (result: PreflightResult) => end(() => resolve(result)))
    worker.once('error', (error) => end(() => reject(error)))
  })
}
