/** The whole output of push and pull. */

import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { CliFolder } from '../../cli/src/testing.ts'
import { answer, MemoryRegistry } from './memory_registry.ts'
import { moduleOf } from './module.ts'

const module = moduleOf(100, Buffer.alloc(100, 7))
let folder: CliFolder
let registry: MemoryRegistry
beforeEach(async () => {
  registry = await MemoryRegistry.start()
  folder = new CliFolder({
    'package.json': JSON.stringify({
      name: 'hello',
      version: '1.2.0',
      license: 'MIT',
      repository: 'https://example.com/hello',
    }),
    'bad.wasm': 'no module',
  })
  writeFileSync(join(folder.path, 'hello.wasm'), module)
})
afterEach(async () => {
  await registry.close()
  folder.remove()
})

/** Without what depends on the registry's port, the folder or the documents that are attached. */
async function run(args: string) {
  const { code, stdout, stderr } = await folder.run(args.replaceAll('HOST', registry.host), {
    env: { HOME: folder.path, SOURCE_DATE_EPOCH: '1700000000' },
  })
  const clean = (text: string) =>
    text
      .replaceAll(registry.host, 'HOST')
      .replaceAll(folder.path, '.')
      .replaceAll(/(provenance|sbom|"reference": ")( *)sha256:[0-9a-f]{64}/g, '$1$2sha256:…')
  return `${clean(stdout)}--- ${code}\n${clean(stderr)}`
}

describe('push', () => {
  test('several tags', async () => {
    expect(await run('push hello.wasm oci://HOST/acme/hello:v1 --tag v2')).toMatchSnapshot()
    expect(registry.tag('acme/hello', 'v1')).toBe(registry.tag('acme/hello', 'v2'))
  })
  test('two repositories, without a tag', async () => {
    expect(
      await run('push hello.wasm oci://HOST/acme/one oci://HOST/acme/two --no-sbom --no-provenance'),
    ).toMatchSnapshot()
    expect(registry.tag('acme/one', '1.2.0')).toBe(registry.tag('acme/two', '1.2.0'))
  })
  test('--json', async () => expect(await run('push hello.wasm oci://HOST/acme/hello:v1 --json')).toMatchSnapshot())
  test('--layout artifact', async () =>
    expect(await run('push hello.wasm oci://HOST/acme/hello:v1 --layout artifact')).toMatchSnapshot())
  test('--dry-run asks nobody', async () => {
    expect(await run('push hello.wasm oci://HOST/acme/hello:v1 --dry-run --annotation team=a=b')).toMatchSnapshot()
    expect(registry.exchanges).toEqual([])
  })
  test('--dry-run --json', async () =>
    expect(await run('push hello.wasm oci://HOST/acme/hello:v1 --dry-run --json')).toMatchSnapshot())
  test('--output', async () => {
    expect(await run('push hello.wasm oci://ghcr.io/acme/hello:v1 --output image.tar')).toMatchSnapshot()
    expect(existsSync(join(folder.path, 'image.tar'))).toBe(true)
  })
  test("the project's own settings", async () => {
    folder.write('meshscript.json', JSON.stringify({ registry: `oci://${registry.host}/acme/mine`, insecure: true }))
    expect(await run('push hello.wasm --no-sbom --no-provenance')).toMatchSnapshot()
  })
  test('a module that Envoy would not run', async () => {
    expect(await run('push bad.wasm oci://HOST/acme/hello:v1')).toMatchSnapshot()
    expect(registry.exchanges).toEqual([])
  })
  test.each([
    'push',
    'push none.wasm oci://HOST/acme/hello:v1',
    'push hello.wasm http://HOST/acme/hello:v1',
    'push hello.wasm oci://HOST/acme/hello:v1 --tag -x',
    'push hello.wasm oci://HOST/acme/hello:v1 --annotation team',
    'push hello.wasm oci://HOST/acme/hello:v1 --layout tar',
    `push hello.wasm oci://HOST/acme/hello@sha256:${'0'.repeat(64)}`,
    'push hello.wasm oci://HOST/acme/hello:v1 --ca none.pem',
  ])('%s', async (args) => expect(await run(args)).toMatchSnapshot())
  test('a refusal of the registry, for people and as JSON', async () => {
    registry.faults = [
      answer({ method: 'POST', path: /uploads/ }, 403, {}, { errors: [{ code: 'DENIED', message: 'read only' }] }),
    ]
    expect(await run('push hello.wasm oci://HOST/acme/hello:v1')).toMatchSnapshot()
    expect(await run('push hello.wasm oci://HOST/acme/hello:v1 --json')).toMatchSnapshot()
  })
})

describe('pull', () => {
  beforeEach(() => run('push hello.wasm oci://HOST/acme/hello:v1'))
  test('to a file named as the repository', async () => {
    folder.write('hello.wasm', '')
    expect(await run('pull oci://HOST/acme/hello:v1')).toMatchSnapshot()
    expect(readFileSync(join(folder.path, 'hello.wasm')).equals(module)).toBe(true)
  })
  test('--json', async () => expect(await run('pull oci://HOST/acme/hello:v1 -o back.wasm --json')).toMatchSnapshot())
  test.each(['pull', 'pull oci://HOST/acme/hello:v2', 'pull oci://HOST/acme/hello:v1 -o no/folder.wasm'])(
    '%s',
    async (args) => expect((await run(args)).replaceAll(folder.path, '.')).toMatchSnapshot(),
  )
})
