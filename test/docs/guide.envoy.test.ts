// Follows docs/guide.md as a newcomer would, with the packages as they would be published.

import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { findEnvoy } from '@meshscript/sdk/testing/envoy'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { blocksOf, type Block } from './markdown.ts'
import { Reader } from './reader.ts'
import { pack, Registry } from './registry.ts'

const root = fileURLToPath(new URL('../../', import.meta.url)).replace(/\/$/, '')
const guide = blocksOf(readFileSync(join(root, 'docs/guide.md'), 'utf8'))
/** The ports that the guide uses. */
const PORTS = ['10000', '9901', '8080']
const MINUTES = 60_000
const isForLater = ({ info }: Block): boolean => info === 'once published'

let home: string
let registry: Registry
let reader: Reader

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'meshscript-guide-'))
  registry = await Registry.start(root, pack(root, ['sdk', 'filters', 'cli'], home))
  reader = new Reader({ checkout: root, home, env: await environment(), ports: await freePorts() })
}, 2 * MINUTES)

afterAll(async () => {
  await reader?.close()
  await registry?.close()
  rmSync(home, { recursive: true, force: true })
})

/** Nothing of the one who runs the tests but where programs are. */
async function environment(): Promise<Record<string, string>> {
  const envoy = await findEnvoy()
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => !folder.includes('node_modules'))
  return {
    PATH: folders.join(delimiter),
    LANG: 'C.UTF-8',
    NO_COLOR: '1',
    ...(envoy?.kind === 'process' && { ENVOY_PATH: envoy.path }),
    npm_config_registry: registry.url,
    npm_config_cache: join(home, '.npm'),
    npm_config_audit: 'false',
    npm_config_fund: 'false',
    npm_config_update_notifier: 'false',
  }
}

async function freePorts(): Promise<Record<string, number>> {
  const servers = PORTS.map(() => createServer().listen(0, '127.0.0.1'))
  await Promise.all(servers.map((server) => new Promise((resolve) => server.once('listening', resolve))))
  const ports = servers.map((server) => (server.address() as AddressInfo).port)
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return Object.fromEntries(PORTS.map((port, i) => [port, ports[i]!]))
}

async function follow(blocks: readonly Block[], reader: Reader): Promise<void> {
  for (const block of blocks) {
    await reader.follow(block).catch((error: Error) => {
      throw new Error(`docs/guide.md:${block.line}: ${error.message}`)
    })
  }
}

test('the guide, from its first command to its last', { timeout: 8 * MINUTES }, async () => {
  await follow(
    guide.filter((block) => !isForLater(block)),
    reader,
  )
})

test('an editor finds no error in what the guide has written', { timeout: MINUTES }, async () => {
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  for (const project of ['assembly', '.']) {
    const { status, printed } = await reader.run(`node ${tsc} -p ${project}`)
    expect({ project, status, printed }).toEqual({ project, status: 0, printed: '' })
  }
})

test('the packages install by their names, too', { timeout: MINUTES }, async () => {
  const folder = mkdtempSync(join(home, 'published-'))
  const other = new Reader({ ...reader.options, home: folder })
  await follow(guide.filter(isForLater), other)
  const { printed } = await other.run('npx meshscript --version')
  expect(printed.trim()).toBe(registry.version('meshscript'))
})
