// scripts/release.mjs against a registry of this machine.

import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { publishedPackages } from '../../scripts/lib/packages.mjs'
import { NpmRegistry } from './npm-registry.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const packages = publishedPackages().map(({ manifest }) => manifest)
const MINUTE = 60_000
let registry: NpmRegistry

beforeAll(async () => {
  registry = await NpmRegistry.start(packages.map(({ name }) => name))
})
afterAll(() => registry?.close())

async function release(...args: string[]): Promise<{ code: number | null; output: string; lines: string[] }> {
  const child = spawn(process.execPath, ['scripts/release.mjs', ...args], {
    cwd: root,
    // Who does not answer is not asked again.
    env: { ...process.env, ...registry.env, npm_config_fetch_retries: '0' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (data: string) => (output += data))
  child.stderr.setEncoding('utf8').on('data', (data: string) => (output += data))
  const code = await new Promise<number | null>((resolve, reject) => child.once('error', reject).once('close', resolve))
  return {
    code,
    output,
    lines: output
      .replace(/\(\d+ KB\)/g, '(SIZE)')
      .split('\n')
      .filter((line) => line.includes('published')),
  }
}

/** What the registry says of a package. */
async function known(name: string): Promise<{ 'dist-tags': object; versions: Record<string, object> } | undefined> {
  const response = await fetch(registry.url + name.replace('/', '%2f'))
  return response.ok
    ? ((await response.json()) as { 'dist-tags': object; versions: Record<string, object> })
    : undefined
}

test('says what it would do, publishes, and does nothing when it is repeated', { timeout: 3 * MINUTE }, async () => {
  const ids = packages.map(({ name, version }) => `${name}@${version}`)
  // Tests of the tarballs are a file beside this one.
  const flags = ['--no-check', '--registry', registry.url]

  const dry = await release(...flags, '--dry-run')
  expect(dry, dry.output).toMatchObject({
    code: 0,
    lines: ids.map((id) => `• ${id} (SIZE) would be published as latest`),
  })
  expect(await known('meshscript')).toBeUndefined()

  const first = await release(...flags, '--tag', 'next')
  expect(first, first.output).toMatchObject({ code: 0, lines: ids.map((id) => `• ${id} (SIZE) is published as next`) })
  for (const { name, version } of packages) {
    const { 'dist-tags': tags, versions } = (await known(name))!
    expect(tags).toMatchObject({ next: version })
    expect(JSON.stringify(versions[version])).not.toMatch(/meshscript-source|devDependencies/)
  }

  const second = await release(...flags)
  expect(second, second.output).toMatchObject({ code: 0, lines: ids.map((id) => `• ${id} is published already`) })
})

test('ends with the reason where the registry does not answer', { timeout: MINUTE }, async () => {
  const gone = await NpmRegistry.start([])
  await gone.close()
  const { code, output } = await release('--no-check', '--registry', gone.url, '--dry-run')
  expect({ code, output }).toEqual({ code: 1, output: expect.stringContaining('did not say whether it has') })
})

test('names its options where one is wrong', async () => {
  expect(await release('--regsitry', 'x')).toMatchObject({
    code: 2,
    output: expect.stringMatching(/--regsitry[^]*usage:/),
  })
})
