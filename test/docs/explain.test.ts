// Follows docs/explain.md: its commands print what it shows.

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, test } from 'vitest'
import { blocksOf } from './markdown.ts'
import { Reader } from './reader.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const home = mkdtempSync(join(tmpdir(), 'meshscript-explain-'))
afterAll(() => rmSync(home, { recursive: true, force: true }))

/** `npx meshscript` is the command of this checkout. */
function commandFolder(): string {
  const folder = join(home, 'bin')
  mkdirSync(folder)
  const flags = `--conditions=meshscript-source --import '${join(root, 'scripts/typescript.mjs')}'`
  const script = `#!/bin/sh\nshift\nexec '${process.execPath}' ${flags} '${join(root, 'cli/src/main.ts')}' "$@"\n`
  writeFileSync(join(folder, 'npx'), script, { mode: 0o755 })
  return folder
}

test('docs/explain.md', { timeout: 120_000 }, async () => {
  const env = { PATH: [commandFolder(), process.env['PATH']].join(delimiter), NO_COLOR: '1', LANG: 'C.UTF-8' }
  const reader = new Reader({ checkout: root, home, env, ports: {} })
  const blocks = blocksOf(readFileSync(join(root, 'docs/explain.md'), 'utf8'))
  expect(blocks.length).toBeGreaterThan(5)
  for (const block of blocks) {
    await reader.follow(block).catch((error: Error) => {
      throw new Error(`docs/explain.md:${block.line}: ${error.message}`)
    })
  }
})
