// Follows docs/library.md with the packages as they would be published, and runs what it builds.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createHost } from '@meshscript/sdk/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { pack, publishedPackages } from '../../scripts/lib/packages.mjs'
import { blocksOf } from './markdown.ts'
import { Reader } from './reader.ts'
import { Registry } from './registry.ts'

const root = fileURLToPath(new URL('../../', import.meta.url)).replace(/\/$/, '')
const read = (file: string): string => readFileSync(join(root, file), 'utf8')
const blocks = blocksOf(read('docs/library.md'))

let home: string
let registry: Registry

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'meshscript-library-'))
  registry = await Registry.start(root, await pack(publishedPackages(), home))
}, 120_000)

afterAll(async () => {
  await registry?.close()
  rmSync(home, { recursive: true, force: true })
})

test('shows the files of the example', () => {
  for (const file of ['assembly/index.ts', 'policies.yaml']) {
    expect(blocks.find(({ info }) => info === file)?.text).toBe(read(`examples/tenants/${file}`))
  }
})

test('builds what it shows', { timeout: 240_000 }, async () => {
  const env = {
    PATH: process.env['PATH'] ?? '',
    LANG: 'C.UTF-8',
    NO_COLOR: '1',
    npm_config_registry: registry.url,
    npm_config_cache: join(home, '.npm'),
    npm_config_audit: 'false',
    npm_config_fund: 'false',
    npm_config_update_notifier: 'false',
  }
  const reader = new Reader({ checkout: root, home, env, ports: {} })
  await reader.run('npm init --yes && npm pkg set type=module')
  for (const block of blocks) {
    await reader.follow(block).catch((error: Error) => {
      throw new Error(`docs/library.md:${block.line}: ${error.message}`)
    })
  }

  // An editor finds the types in the package.
  const { printed } = await reader.run(`echo '${TSCONFIG}' > tsconfig.json
    node ${join(root, 'node_modules/typescript/bin/tsc')} -p tsconfig.json || true`)
  expect(printed).toBe('')

  const tenants = await createHost({
    wasm: join(home, 'build/tenants.wasm'),
    configuration: readFileSync(join(home, 'build/tenants.json'), 'utf8'),
    tls: { trustDomain: 'cluster.local' },
  })
  const peer = 'spiffe://cluster.local/ns/acme/sa/web'
  expect(await tenants.request('/tenants/acme/orders', { peer })).toBeAllowed()
  expect(await tenants.request('/tenants/globex/orders', { peer })).toBeDenied(403)
  expect(await tenants.request('/other', { peer })).toBeDenied(403)
  await tenants.close()

  const configuration = { classes: { gold: ['/checkout/'], silver: ['/search', '/offers/'] } }
  const classes = await createHost({ wasm: join(home, 'build/classes.wasm'), configuration })
  const headers = { 'x-class': 'gold' }
  for (const [path, expected] of [
    ['/checkout/1?x', 'gold'],
    ['/searching', 'silver'],
    ['/checkout', null],
  ] as const) {
    const { upstream } = await classes.request(path, { headers })
    expect(upstream?.headers.get('x-class') ?? null).toBe(expected)
  }
  await classes.close()
})

const TSCONFIG = '{ "extends": "@meshscript/sdk/tsconfig.assembly.json", "include": ["assembly/*.ts"] }'
