// Follows README.md, docs/guide.md and docs/testing.md as a newcomer would, with the packages as they would be published.

import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { findEnvoy } from '@meshscript/sdk/testing/envoy'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { pack, publishedPackages } from '../../scripts/lib/packages.mjs'
import { freePorts } from '../free-ports.ts'
import { blocksOf, type Block } from './markdown.ts'
import { Reader } from './reader.ts'
import { Registry } from './registry.ts'

const root = fileURLToPath(new URL('../../', import.meta.url)).replace(/\/$/, '')
const page = (file: string): Block[] => blocksOf(readFileSync(join(root, file), 'utf8'))
/** The ports that the guide uses. */
const PORTS = ['10000', '9901', '8080']
const MINUTES = 60_000
const isForLater = ({ info }: Block): boolean => info === 'once published'

let home: string
let registry: Registry
let reader: Reader

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'meshscript-guide-'))
  registry = await Registry.start(root, await pack(publishedPackages(), home))
  reader = new Reader({ checkout: root, home, env: await environment(), ports: await portsOfGuide() })
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
  if (!folders.some((folder) => existsSync(join(folder, 'curl')))) folders.push(curlFolder())
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

/** Where there is no curl, which is all that the pages want beside Node.js and Envoy. */
function curlFolder(): string {
  const folder = join(home, 'bin')
  mkdirSync(folder)
  const script = `#!/bin/sh\nexec '${process.execPath}' '${join(root, 'test/docs/curl.mjs')}' "$@"\n`
  writeFileSync(join(folder, 'curl'), script, { mode: 0o755 })
  return folder
}

async function portsOfGuide(): Promise<Record<string, number>> {
  const ports = await freePorts(PORTS.length)
  return Object.fromEntries(PORTS.map((port, i) => [port, ports[i]!]))
}

async function follow(file: string, reader: Reader, isMeant = (block: Block) => !isForLater(block)): Promise<void> {
  for (const block of page(file).filter(isMeant)) {
    await reader.follow(block).catch((error: Error) => {
      throw new Error(`${file}:${block.line}: ${error.message}`)
    })
  }
}

test('README.md', { timeout: 6 * MINUTES }, async () => {
  const isFile = ({ language }: Block): boolean => language === 'ts'
  // Its filter is one of the examples.
  for (const { info, text } of page('README.md').filter(isFile)) {
    expect(text).toBe(readFileSync(join(root, info), 'utf8'))
  }
  await follow('README.md', reader, (block) => !isFile(block) && !isForLater(block))
})

test('docs/guide.md', { timeout: 6 * MINUTES }, () => follow('docs/guide.md', reader))

test('docs/testing.md, in the folder of the guide', { timeout: 4 * MINUTES }, () => follow('docs/testing.md', reader))

test('an editor finds no error in what the pages have written', { timeout: MINUTES }, async () => {
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  for (const project of ['assembly', '.']) {
    const { status, printed } = await reader.run(`node ${tsc} -p ${project}`)
    expect({ project, status, printed }).toEqual({ project, status: 0, printed: '' })
  }
})

test('the packages install by their names, too', { timeout: MINUTES }, async () => {
  const other = new Reader({ ...reader.options, home: mkdtempSync(join(home, 'published-')) })
  await follow('docs/guide.md', other, isForLater)
  const { printed } = await other.run('npx meshscript --version')
  expect(printed.trim()).toBe(registry.version('meshscript'))
})
