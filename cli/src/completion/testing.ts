/** What a shell is to offer, for the tests of all shells. */

import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { CliFolder } from '../testing.ts'

/** Lines, and what is offered at their end in a folder with `filter.wasm` and `filters/a.ts`. */
export const lines: [line: string, offered: string[]][] = [
  ['meshscript bu', ['build']],
  ['meshscript --v', ['--version']],
  ['meshscript help dif', ['diff']],
  ['meshscript completion ', ['bash', 'fish', 'zsh']],
  ['meshscript push filter.wasm --la', ['--layout']],
  ['meshscript push filter.wasm --layout ', ['artifact', 'compat']],
  ['meshscript deploy --as e', ['envoy', 'envoy-extension-policy', 'envoy-filter']],
  ['meshscript deploy --as=envoy-f', ['envoy-filter']],
  ['meshscript deploy --as envoy --ty', ['--type']],
  ['meshscript deploy --name ', []],
  ['meshscript build fil', ['filter.wasm', 'filters']],
  ['meshscript build filters/', ['a.ts']],
  ['meshscript deploy --config filter.', ['filter.wasm']],
  ['meshscript explain --path ', []],
]

export async function completionFolder(shell: string): Promise<CliFolder> {
  const folder = new CliFolder({ 'filter.wasm': '', 'filters/a.ts': '' })
  const { code, stdout, stderr } = await folder.run(['completion', shell])
  if (code !== 0) throw new Error(stderr)
  folder.write('script', stdout)
  return folder
}

/** What the shell prints that runs `program` with these arguments: one offer a line. A path is its last part. */
export function offers(folder: CliFolder, shell: string, program: string, ...args: string[]): string[] {
  folder.write('program', program)
  // fish and zsh read and write files of the user, if there are any.
  const env = { PATH: process.env['PATH'], HOME: folder.path, TERM: 'dumb', LC_ALL: 'C.UTF-8' }
  const words = [...(shell === 'zsh' ? ['-f'] : []), join(folder.path, 'program'), ...args]
  const { status, stdout, stderr, error } = spawnSync(shell, words, { cwd: folder.path, env, encoding: 'utf8' })
  if (error || status !== 0 || stderr) throw error ?? new Error(`${shell}: exit code ${status}\n${stdout}${stderr}`)
  const name = (line: string) =>
    line
      .split('\t', 1)[0]!
      .replace(/\/$/, '')
      .replace(/^.*[/=]/, '')
  return stdout.split('\n').filter(Boolean).map(name).sort()
}
