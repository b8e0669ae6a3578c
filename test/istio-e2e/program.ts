/** A program in the background: its output is kept, and it ends with the test. */

import { type ChildProcess, spawn } from 'node:child_process'
import { createWriteStream } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { guard } from '../../sdk/testing/envoy/guard.ts'

export interface ProgramOptions {
  env?: Record<string, string>
  cwd?: string
}

export class Program {
  readonly #child: ChildProcess
  readonly #name: string
  readonly #ended: Promise<void>
  #running = true
  output = ''

  /** Its output goes to `NAME.log` in `folder`, too. Should this process die, the program ends and the folder is removed. */
  constructor(name: string, folder: string, file: string, args: readonly string[], options: ProgramOptions = {}) {
    this.#name = name
    this.#child = spawn(file, args, {
      ...options,
      env: { ...process.env, ...options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const { pid } = this.#child
    const guarded = pid === undefined ? undefined : guard(pid, folder, { file, args: [...args] })
    const log = createWriteStream(join(folder, `${name}.log`))
    for (const stream of [this.#child.stdout!, this.#child.stderr!])
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.output += text
        log.write(text)
      })
    this.#ended = new Promise((resolve) => {
      const end = (): void => {
        this.#running = false
        guarded?.release()
        log.end()
        resolve()
      }
      this.#child.once('error', (error) => {
        this.output += error.message
        end()
      })
      this.#child.once('close', end)
    })
  }

  /** Waits until the check holds; fails with what the program said last. */
  async until(what: string, check: () => Promise<boolean> | boolean, seconds = 60): Promise<void> {
    const end = Date.now() + seconds * 1000
    while (this.#running && Date.now() < end) {
      if (
        await Promise.resolve()
          .then(check)
          .catch(() => false)
      )
        return
      await sleep(100)
    }
    const last = this.output.split('\n').slice(-25).join('\n')
    throw new Error(`${this.#name}: not ${what} ${this.#running ? `after ${seconds} s` : 'before it ended'}\n${last}`)
  }

  /** Asks it to end, and makes it after five seconds. */
  async stop(): Promise<void> {
    if (this.#running) this.#child.kill('SIGTERM')
    const force = setTimeout(() => this.#child.kill('SIGKILL'), 5000)
    await this.#ended
    clearTimeout(force)
  }
}

/** Waits until the check holds, whatever it throws meanwhile. */
export async function eventually<T>(
  what: string,
  check: () => Promise<T | undefined | false>,
  seconds = 60,
): Promise<T> {
  const end = Date.now() + seconds * 1000
  let last: unknown
  while (Date.now() < end) {
    try {
      const value = await check()
      if (value !== undefined && value !== false) return value
      last = value
    } catch (error) {
      last = error
    }
    await sleep(100)
  }
  throw new Error(`not ${what} after ${seconds} s: ${last instanceof Error ? last.message : String(last)}`)
}
