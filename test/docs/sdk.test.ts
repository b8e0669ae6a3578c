// Builds every snippet of the pages about the SDK, with imports of what it uses.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { createHost } from '@meshscript/sdk/testing'
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
const pages = ['docs/sdk.md', 'docs/migrating-from-rust-and-go.md']
const snippets = pages.flatMap((page) =>
  blocksOf(source(page))
    .filter(({ language, info }) => language === 'ts' && info !== 'spec')
    .map((block) => ({ page, ...block })),
)

test.each(snippets)('$page:$line', async ({ text, page, line }) => {
  const used = names.filter((name) => new RegExp(`\\b${name}\\b`).test(text))
  const path = join(folder, `${basename(page, '.md')}-${line}.ts`)
  const isWhole = text.includes("from '@meshscript/sdk'")
  writeFileSync(path, isWhole ? text : `import { ${used.join(', ')} } from '@meshscript/sdk'\n${text}`)
  const { warnings, callbacks } = await buildFilter({ path, output: `${path}.wasm` })
  expect(warnings).toEqual([])
  expect(callbacks.length).toBeGreaterThan(0)
})

test('the filter of docs/migrating-from-rust-and-go.md does what it is said to do', async () => {
  const page = blocksOf(source('docs/migrating-from-rust-and-go.md'))
  const path = join(folder, 'migrated.ts')
  writeFileSync(path, page.find(({ info }) => info === 'assembly/index.ts')!.text)
  const { output: wasm } = await buildFilter({ path, output: join(folder, 'migrated.wasm') })
  const host = await createHost({ wasm, configuration: { tenants: ['acme'] } })
  const response = await host.request('/', { headers: { 'x-tenant': 'acme' } })
  expect(response).toBeAllowed()
  expect(response).toReachUpstream({ headers: { 'x-checked': 'true' } })
  expect(await host.request('/')).toBeDenied(403)
  await expect(host).toHaveMetric('tenants_refused', 1)
  await host.close()
})
