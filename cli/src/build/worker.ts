/** The thread of `BackgroundCompiler`: builds what it is asked for, and warms up while nobody asks. */

import { parentPort } from 'node:worker_threads'
import { UserError } from '../errors.ts'
import type { Answer, Question } from './background.ts'
import { preferQuickStart } from './engine.ts'

preferQuickStart()
const { buildFilter, rehearseBuild } = await import('./index.ts')

/** So many builds make V8 know the compiler's own JavaScript. */
const REHEARSALS = 6
let rehearsals = 0
let waiting = 0
let queue: Promise<unknown> = Promise.resolve()

parentPort!.on('message', (question: Question) => {
  waiting++
  queue = queue.then(() => answer(question))
})

async function answer({ id, options }: Question): Promise<void> {
  try {
    const result = await buildFilter(options)
    send({ id, result })
    if (rehearsals === 0) setImmediate(() => rehearse(options))
  } catch (error) {
    if (!(error instanceof UserError)) {
      send({ id, crash: error instanceof Error ? (error.stack ?? error.message) : String(error) })
    } else {
      const { message, code, diagnostics, sources } = error
      send({ id, error: { message, code, diagnostics, sources } })
    }
  } finally {
    waiting--
  }
}

/** Builds again, for nothing but the speed of the next build. Whoever asks comes first. */
function rehearse(options: Question['options']): void {
  if (rehearsals >= REHEARSALS || waiting > 0) return
  rehearsals++
  queue = queue.then(() => rehearseBuild(options)).catch(() => {})
  void queue.then(() => setImmediate(() => rehearse(options)))
}

function send(answer: Answer): void {
  parentPort!.postMessage(answer)
}
