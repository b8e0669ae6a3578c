/** What the tests of the demos in containers share: start and end of one of them. */

import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, vi } from 'vitest'

export const run = promisify(execFile)
export const root = fileURLToPath(new URL('../..', import.meta.url))
/** Arguments of Node.js with which it runs the TypeScript of the checkout. */
export const LOADER = [
  '--conditions=meshscript-source',
  `--import=${pathToFileURL(join(root, 'scripts', 'typescript.mjs')).href}`,
]
/** Some programs are built where no other suite did. */
const START = 300_000

/** A demo that runs while the tests of a file do, in images of this machine's programs. */
export class Demo {
  /** What it has said so far. */
  output = ''
  #child: ChildProcess | undefined
  #ended: Promise<number | null> = Promise.resolve(null)

  /** `ports`: variables of the Compose file. */
  constructor(file: string, images: readonly string[], ports: readonly string[]) {
    let folder: string
    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), 'meshscript-demo-'))
      const env: NodeJS.ProcessEnv = { ...process.env, MESHSCRIPT_DEMO_FOLDER: join(folder, 'demo') }
      for (const image of images) {
        const { stdout } = await run(process.execPath, [join(root, 'scripts', 'docker-image.mjs'), image])
        env[`MESHSCRIPT_${image.toUpperCase()}_IMAGE`] = stdout.trim().split('\n').at(-1)
      }
      // Empty: free ones.
      for (const port of ports) env[`MESHSCRIPT_DEMO_${port}`] = ''
      await this.#start(file, env)
    }, START)
    afterAll(async () => {
      await this.interrupt()
      rmSync(folder, { recursive: true, force: true })
    }, 60_000)
  }

  async #start(file: string, env: NodeJS.ProcessEnv): Promise<void> {
    const child = spawn(process.execPath, [...LOADER, file], { cwd: root, env })
    this.#child = child
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (data: Buffer) => (this.output += data.toString()))
    let over = false
    this.#ended = new Promise((resolve) => child.once('close', resolve))
    void this.#ended.then(() => (over = true))
    await vi.waitUntil(() => over || this.output.includes('Ctrl-C ends it'), { timeout: START })
    if (over) throw new Error(this.output)
  }

  /** Ctrl-C. Answers the exit code. */
  interrupt(): Promise<number | null> {
    this.#child?.kill('SIGINT')
    return this.#ended
  }

  /** The ids of its containers. */
  async containers(): Promise<string[]> {
    const filter = ['--filter', `label=com.docker.compose.project=meshscript-demo-${this.#child!.pid}`]
    const { stdout } = await run('docker', ['ps', '--all', '--quiet', ...filter])
    return stdout.split('\n').filter(Boolean)
  }
}
