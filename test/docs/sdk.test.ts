// Builds every snippet of docs/sdk.md, with imports of what it uses.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { buildFilter } from '../../cli/src/build/index.ts'
import { blocksOf } from './markdown.ts'

const source = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')
const folder = mkdtempSync(join(tmpdir(), 'meshscript-snippets-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** What the SDK offers. */
const names = [...source('sdk/assembly/index.ts').matchAll(/export \{([^}]*)\}/g)].flatMap(([, list = '']) =>
  list.split(',').flatMap((name) => name.trim() || []),
)
const snippets = blocksOf(source('docs/sdk.md')).filter(({ language }) => language === 'ts')

test.each(snippets)('docs/sdk.md:$line', async ({ text, line }) => {
  const used = names.filter((name) => new RegExp(`\\b${name}\\b`).test(text))
  const path = join(folder, `${line}.ts`)
  writeFileSync(path, `import { ${used.join(', ')} } from '@meshscript/sdk'\n${text}`)
  const { warnings, callbacks } = await buildFilter({ path, output: join(folder, `${line}.wasm`) })
  expect(warnings).toEqual([])
  expect(callbacks.length).toBeGreaterThan(0)
})
