// scripts/push-images.mjs against Debian's docker-registry: what the release workflow does with the ready filters.

import { execFile, execFileSync, type ExecFileException } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { parseReference, pullModule, Registry } from '../../cli/src/oci/index.ts'
import { publishedPackages } from '../../scripts/lib/packages.mjs'
import { type RunningRegistry, startRegistry } from '../supply/registry.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'meshscript-images-'))
let registry: RunningRegistry

beforeAll(async () => {
  const key = ['genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256', '-out', 'signing.pem']
  execFileSync('openssl', key, { cwd: folder, stdio: 'pipe' })
  registry = await startRegistry()
})
afterAll(async () => {
  await registry?.stop()
  rmSync(folder, { recursive: true, force: true })
})

test('pushes each ready filter under the version and as latest, signed', { timeout: 120_000 }, async () => {
  const key = join(folder, 'signing.pem')
  const { status, printed } = await pushImages(`oci://${registry.host}/acme/meshscript/`, '--sign-key', key)
  expect(status, printed).toBe(0)

  const modules = readdirSync(join(root, 'filters/dist')).filter((name) => name.endsWith('.wasm'))
  const { version } = publishedPackages().find(({ manifest }) => manifest.name === '@meshscript/filters')!.manifest
  for (const file of modules) {
    const repository = `oci://${registry.host}/acme/meshscript/${file.replace('.wasm', '')}`
    const reference = parseReference(`${repository}:${version}`)
    const { digest, module } = await pullModule(reference, { env: {} })
    expect(Buffer.from(module).equals(readFileSync(join(root, 'filters/dist', file)))).toBe(true)
    const client = Registry.open(reference, { env: {} })
    expect((await client.resolve(parseReference(`${repository}:latest`))).digest).toBe(digest)
    // Where cosign looks for the signature.
    const signature = parseReference(`${repository}:${digest.replace(':', '-')}.sig`)
    expect((await client.resolve(signature)).size).toBeGreaterThan(0)
  }
})

test('names its arguments where there is none', async () => {
  expect(await pushImages()).toEqual({ status: 2, printed: expect.stringContaining('usage:') })
})

/** Not synchronously: the registry waits for somebody to read its log. */
async function pushImages(...args: string[]): Promise<{ status: unknown; printed: string }> {
  return new Promise((resolve) => {
    const done = (error: ExecFileException | null, stdout: string, stderr: string): void =>
      resolve({ status: error ? error.code : 0, printed: stdout + stderr })
    execFile(process.execPath, ['scripts/push-images.mjs', ...args], { cwd: root }, done)
  })
}
