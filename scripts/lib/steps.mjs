// Steps that print what they do, and are left out when nothing that they read has changed.

import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Top folder of the checkout. */
export const root = fileURLToPath(new URL('../../', import.meta.url)).replace(/[/\\]$/, '')

const IGNORED = new Set(['node_modules', 'dist', '.git', '.cache', 'coverage'])

/** All files under the paths (files or folders, relative to the checkout), sorted. A folder `build` holds results, except in cli/src. */
export function filesUnder(paths) {
  const files = []
  const visit = (path) => {
    const stats = statSync(path, { throwIfNoEntry: false })
    if (!stats) return
    if (!stats.isDirectory()) return files.push(path)
    for (const name of readdirSync(path)) {
      if (IGNORED.has(name) || (name === 'build' && !path.endsWith(join('cli', 'src')))) continue
      visit(join(path, name))
    }
  }
  for (const path of paths) visit(join(root, path))
  return files.sort()
}

/** Hash of the files' names and contents. */
export function hashOf(paths) {
  const hash = createHash('sha256')
  for (const file of filesUnder(paths))
    hash.update(relative(root, file)).update('\0').update(readFileSync(file)).update('\0')
  return hash.digest('hex')
}

/**
 * Runs `run` unless `inputs` are what they were when it last succeeded and all `outputs` exist.
 * @param {{ name: string, inputs: string[], outputs: string[], run: () => unknown }} step
 */
export async function step({ name, inputs, outputs, run }) {
  const stamp = join(root, '.cache', 'steps', name.replace(/[^\w.-]+/g, '_'))
  const hash = hashOf(inputs)
  const fresh = existsSync(stamp) && readFileSync(stamp, 'utf8') === hash
  if (fresh && outputs.every((output) => existsSync(join(root, output)))) return false
  await timed(name, run)
  mkdirSync(dirname(stamp), { recursive: true })
  writeFileSync(stamp, hash)
  return true
}

/** Prints the name before, and the time after. */
export async function timed(name, run) {
  const start = performance.now()
  process.stdout.write(`• ${name} … `)
  const result = await run()
  process.stdout.write(`${((performance.now() - start) / 1000).toFixed(1)} s${result ? `  ${result}` : ''}\n`)
}
