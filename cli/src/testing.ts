/** Runs the command line in a folder of its own, as a user would, and keeps what it prints. For the tests of commands. */

import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { runCli } from './cli.ts'

export interface CliResult {
  code: number
  stdout: string
  stderr: string
}

export class CliFolder {
  readonly path = realpathSync(mkdtempSync(join(tmpdir(), 'meshscript-test-')))

  constructor(files: Record<string, string> = {}) {
    for (const [name, text] of Object.entries(files)) this.write(name, text)
  }

  write(name: string, text: string): void {
    mkdirSync(dirname(join(this.path, name)), { recursive: true })
    writeFileSync(join(this.path, name), text)
  }

  /** Copies a file or folder into this one. */
  copy(source: string, name: string): void {
    cpSync(source, join(this.path, name), { recursive: true })
  }

  /** `meshscript ARGS`, divided at spaces unless they are a list, run in this folder. `onOutput` gets every piece of what it prints as it comes. */
  async run(
    args: string | readonly string[],
    options: { signal?: AbortSignal; env?: Record<string, string> } = {},
    onOutput?: (text: string) => void,
  ): Promise<CliResult> {
    const result: CliResult = { code: -1, stdout: '', stderr: '' }
    const output = (name: 'stdout' | 'stderr') => ({
      write: (text: string) => {
        result[name] += text
        onOutput?.(text)
      },
    })
    const io = { stdout: output('stdout'), stderr: output('stderr'), cwd: this.path, env: {}, ...options }
    result.code = await runCli(typeof args === 'string' ? args.split(' ').filter(Boolean) : args, io)
    return result
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true })
  }
}
