import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { UserError } from '../errors.ts'
import { CliFolder } from '../testing.ts'
import { type Images } from './images.ts'
import { pluginChecks } from './plugin.ts'
import { runChecks } from './runner.ts'

const FILTER = `import { Action, HttpContext } from '@meshscript/sdk'
export class Hello extends HttpContext {
  onRequestHeaders(): Action {
    return Action.Continue
  }
}
`
const HEX = 'a'.repeat(64)
const folder = new CliFolder({
  'package.json': '{"name":"hello"}',
  'assembly/index.ts': FILTER,
  'schema.json': '{"type":"object","properties":{"limit":{"type":"integer"}}}',
})
let module: Uint8Array
beforeAll(async () => {
  expect(await folder.run('build . -o hello.wasm')).toMatchObject({ code: 0 })
  module = readFileSync(join(folder.path, 'hello.wasm'))
})
afterAll(() => folder.remove())

const asked: string[] = []
const images: Images = {
  resolve(reference) {
    asked.push(reference)
    if (reference.includes('missing')) return Promise.reject(new UserError('there is no such image', 'OCI010'))
    return Promise.resolve({ digest: `sha256:${HEX}` })
  },
  pull(reference) {
    if (reference.includes('missing')) return Promise.reject(new UserError('there is no such image', 'OCI010'))
    if (reference.includes('other')) return Promise.reject(new UserError('no plugin.wasm inside', 'OCI020'))
    return Promise.resolve({ module })
  },
}

const plugin = (spec: object, kind = 'WasmPlugin') =>
  JSON.stringify({
    apiVersion: 'extensions.istio.io/v1alpha1',
    kind,
    metadata: { name: 'hello', namespace: 'web' },
    spec,
  })

/** What is found, by code: its result and what is said of it. */
async function check(...texts: string[]) {
  folder.write('plugin.yaml', texts.join('\n---\n'))
  const io = { stdout: { write: () => 0 }, stderr: { write: () => 0 }, cwd: folder.path, env: {} }
  const { categories } = await runChecks(pluginChecks('plugin.yaml', { io }, images))
  return categories.map(({ categoryName, checks }) => ({
    categoryName,
    ...Object.fromEntries(checks.map(({ code, result, error }) => [code, [result, error].filter(Boolean).join(': ')])),
  }))
}

describe('a WasmPlugin', () => {
  test('that is right', async () => {
    const spec = { url: 'oci://registry.example/acme/hello:v1', sha256: HEX, pluginConfig: { limit: 1 } }
    const well = { CHK031: 'success', CHK032: 'success', CHK033: 'success' }
    expect(await check(plugin(spec), plugin({ wasm: spec }, 'TrafficExtension'), '{"kind":"Service"}')).toEqual([
      { categoryName: 'WasmPlugin web/hello', ...well },
      { categoryName: 'TrafficExtension web/hello', ...well },
    ])
    const byDigest = { url: `registry.example/acme/hello@sha256:${HEX}` }
    expect(await check(plugin(byDigest))).toEqual([{ categoryName: 'WasmPlugin web/hello', ...well }])
    expect(asked.every((reference) => /^oci:\/\/registry\.example\//.test(reference))).toBe(true)
  })

  test.each([
    [
      'with another digest',
      { url: 'oci://r.example/a/b:v1', sha256: 'b'.repeat(64) },
      'CHK032',
      /^error: sha256 is b+, but the image is sha256:a+$/,
    ],
    ['not pinned', { url: 'oci://r.example/a/b:v1' }, 'CHK032', /^warning: .*a tag may move$/],
    [
      'whose image is missing',
      { url: 'oci://r.example/a/missing:v1', sha256: HEX },
      'CHK031',
      /^error: there is no such image \(OCI010\)$/,
    ],
    [
      'whose image holds something else',
      { url: 'oci://r.example/a/other:v1', sha256: HEX },
      'CHK033',
      /^error: no plugin\.wasm inside \(OCI020\)$/,
    ],
    [
      'with a wrong configuration',
      { url: 'oci://r.example/a/b:v1', sha256: HEX, pluginConfig: { limit: 'x' } },
      'CHK033',
      /^error: .*limit.*\(DEP021\)$/,
    ],
    ['from elsewhere', { url: 'https://r.example/a.wasm' }, 'CHK031', /^warning: .* is no image/],
  ])('%s', async (_, spec, code, expected) => {
    const [found] = await check(plugin(spec))
    expect((found as Record<string, string>)[code]).toMatch(expected)
  })

  test('one cause is reported once', async () => {
    const [found] = await check(plugin({ url: 'oci://r.example/a/missing:v1', sha256: HEX }))
    expect(Object.keys(found!)).toEqual(['categoryName', 'CHK031'])
  })
})

test.each([
  ['{"kind":"Service"}', 'has no WasmPlugin'],
  ['a: [', 'is not valid YAML'],
])('a file that is no use: %s', async (text, message) => {
  await expect(check(text)).rejects.toThrow(message)
})
