/** Builds in a thread of its own: whatever else the process does goes on meanwhile, and the compiler stays warm. */

import { Worker } from 'node:worker_threads'
import { UserError } from '../errors.ts'
import type { BuildOptions, BuildResult } from './index.ts'

export interface Question {
  id: number
  options: BuildOptions
}

export interface Answer {
  id: number
  result?: BuildResult
  /** The fields of a `UserError`. */
  error?: Pick<UserError, 'message' | 'code' | 'diagnostics' | 'sources'>
  /** Any other error. */
  crash?: string
}

/** Most of what a build allocates is of no use afterwards. With room for it V8 need not look for the rest so often. */
const YOUNG_GENERATION = 64

/** In the published bundle, and in the checkout, where types have to be stripped. */
const BUNDLED = new URL('./build-worker.js', import.meta.url)
const SOURCE = new URL('./worker.ts', import.meta.url)
const fromSource = import.meta.url.endsWith('.ts')
const SOURCE_FLAGS = [
  '--conditions=meshscript-source',
  `--import=${new URL('../../../scripts/typescript.mjs', import.meta.url).href}`,
]

interface Waiting {
  resolve: (result: BuildResult) => void
  reject: (error: Error) => void
}

export class BackgroundCompiler {
  #worker: Worker | undefined
  #count = 0
  readonly #waiting = new Map<number, Waiting>()

  /** As `buildFilter`. */
  build(options: BuildOptions): Promise<BuildResult> {
    const worker = (this.#worker ??= this.#start())
    const id = ++this.#count
    // Work keeps the process alive, a compiler that waits does not.
    worker.ref()
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject })
      worker.postMessage({ id, options } satisfies Question)
    })
  }

  async close(): Promise<void> {
    await this.#worker?.terminate()
    this.#worker = undefined
  }

  #start(): Worker {
    const worker = new Worker(fromSource ? SOURCE : BUNDLED, {
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION },
      ...(fromSource && { execArgv: SOURCE_FLAGS }),
    })
    worker.on('message', (answer: Answer) => this.#answer(answer))
    worker.on('error', (error) => this.#failAll(error))
    worker.on('exit', () => this.#failAll(new Error('the compiler was stopped')))
    return worker
  }

  #answer({ id, result, error, crash }: Answer): void {
    const waiting = this.#waiting.get(id)
    this.#waiting.delete(id)
    if (!this.#waiting.size) this.#worker?.unref()
    if (result) waiting?.resolve(result)
    else if (error) waiting?.reject(new UserError(error.message, error.code, error.diagnostics, error.sources))
    else waiting?.reject(new Error(crash))
  }

  #failAll(error: Error): void {
    for (const { reject } of this.#waiting.values()) reject(error)
    this.#waiting.clear()
    this.#worker = undefined
  }
}
