// Type declarations of a bundle: those files only that its entry leads to.

import { cpSync, mkdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'

/** Copies `entry` (a `.d.ts` under `from`) and what it imports by relative paths to `to`. */
export function copyDeclarations(from, entry, to) {
  const seen = new Set()
  const visit = (file) => {
    if (seen.has(file)) return
    seen.add(file)
    const target = join(to, relative(from, file))
    mkdirSync(dirname(target), { recursive: true })
    cpSync(file, target)
    const imports = readFileSync(file, 'utf8').matchAll(/(?:from|import)\s*\(?\s*['"](\.[^'"]+)\.ts['"]/g)
    for (const [, path] of imports) visit(join(dirname(file), `${path}.d.ts`))
  }
  visit(join(from, entry))
}
