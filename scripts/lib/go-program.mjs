// Programs in Go that some tests need, built into the user's cache.

import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { locked } from './lock.mjs'
import { check } from './process.mjs'
import { root, timed } from './steps.mjs'

/** One program: of the Go module in `folder`, whose `files` (go.mod, go.sum, sources of its own) say which build it is. */
export class GoProgram {
  #name
  #folder
  #files
  #source
  #env

  /** @param {{ name: string, folder: string, files: string[], source: string, env?: Record<string, string> }} options */
  constructor({ name, folder, files, source, env = {} }) {
    this.#name = name
    this.#folder = join(root, folder)
    this.#files = files
    this.#source = source
    this.#env = env
  }

  /** The text of one of its files. */
  read(file) {
    return readFileSync(join(this.#folder, file), 'utf8')
  }

  /** Where it is, once it is built. */
  get path() {
    const hash = createHash('sha256')
    for (const file of this.#files) hash.update(readFileSync(join(this.#folder, file)))
    const cache =
      process.env.XDG_CACHE_HOME ||
      (process.platform === 'darwin' ? join(homedir(), 'Library', 'Caches') : join(homedir(), '.cache'))
    return join(cache, 'meshscript', this.#name, hash.digest('hex').slice(0, 16), this.#name)
  }

  /** Whether it is there. */
  get isBuilt() {
    return existsSync(this.path)
  }

  /** Builds it unless it is there; answers where. */
  async build() {
    const output = this.path
    if (existsSync(output)) return output
    mkdirSync(join(output, '..'), { recursive: true })
    await locked(`${output}.lock`, () => this.#buildAt(output))
    return output
  }

  async #buildAt(output) {
    if (existsSync(output)) return
    await timed(`${this.#name} (Go, once)`, async () => {
      const made = `${output}.${process.pid}`
      const args = ['build', '-ldflags=-s -w', '-o', made, this.#source]
      await check('go', args, { cwd: this.#folder, env: this.#env })
      renameSync(made, output)
      return `${Math.round(statSync(output).size / 1048576)} MB`
    })
  }
}
