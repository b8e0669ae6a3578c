/** `deploy` with the real client, a registry in memory, and the authorization filter. */
import { createRequire } from 'node:module'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { MemoryRegistry } from '../../../test/oci/memory_registry.ts'
import { CliFolder } from '../testing.ts'

const filter = createRequire(import.meta.url).resolve('@meshscript/filters/dist/authorization.wasm')
let registry: MemoryRegistry
let folder: CliFolder
beforeAll(async () => {
  registry = await MemoryRegistry.start()
  folder = new CliFolder({
    'good.json': '{"version":1,"policies":[]}',
    'wrong.json': '{"version":1,"polices":[]}',
    'refused.json': JSON.stringify({
      version: 1,
      policies: [{ name: 'a', action: 'ALLOW', rules: [{ from: [{ principals: [{ regex: '(' }] }] }] }],
    }),
  })
  folder.copy(filter, 'authorization.wasm')
  const pushed = await run(
    'push authorization.wasm oci://HOST/team/authorization:v1 --insecure --no-sbom --no-provenance',
  )
  expect(pushed.code).toBe(0)
})
afterAll(async () => {
  await registry.close()
  folder.remove()
})

const run = (args: string) =>
  folder.run(args.replaceAll('HOST', registry.host), { env: { HOME: folder.path, PATH: folder.path } })
const deploy = (tag: string, rest: string) => run(`deploy oci://HOST/team/authorization:${tag} --insecure ${rest}`)

test('the digest is asked for, and the filter is tried', async () => {
  const { code, stdout, stderr } = await deploy('v1', '--config good.json --json')
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  const { digest, preflight, resource } = JSON.parse(stdout)
  expect(preflight).toBe('passed')
  expect(digest).toMatch(/^sha256:[0-9a-f]{64}$/)
  expect(resource.spec.url).toBe(`oci://${registry.host}/team/authorization:v1@${digest}`)
  expect(resource.spec.sha256).toBe(digest.slice('sha256:'.length))
})

test('what the schema or the filter refuses is not written, nor applied', async () => {
  expect(await deploy('v1', '--config wrong.json --apply')).toMatchObject({
    code: 1,
    stdout: '',
    stderr: expect.stringMatching(/DEP021: .*polices/),
  })
  expect(await deploy('v1', '--config refused.json --apply')).toMatchObject({
    code: 1,
    stdout: '',
    stderr: expect.stringMatching(/^ {2}critical: .*missing \) at byte 1[^]*DEP023: /),
  })
})

test('an image that is not there, or another one', async () => {
  expect(await deploy('v9', '--config good.json')).toMatchObject({
    code: 1,
    stdout: '',
    stderr: expect.stringContaining('OCI'),
  })
  const other = `sha256:${'0'.repeat(64)}`
  expect(await deploy('v1', `--config good.json --digest ${other} --apply`)).toMatchObject({
    code: 1,
    stdout: '',
    stderr: expect.stringContaining('DEP010'),
  })
})
