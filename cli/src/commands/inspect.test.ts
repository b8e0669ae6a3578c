import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { topLevelFields } from '../inspect/fields.ts'
import { inspectImage } from '../inspect/image.ts'
import { renderImage } from '../inspect/render.ts'
import { attachAll, readVerificationKey } from '../supply/index.ts'
import { digestOf } from '../oci/index.ts'
import { MemoryRegistry } from '../supply/testing.ts'
import { colorsFor } from '../terminal.ts'
import { CliFolder } from '../testing.ts'

const FILTER = `import { Action, HttpContext } from '@meshscript/sdk'
export class Hello extends HttpContext {
  onRequestHeaders(): Action {
    this.requestHeaders.add('x-hello', 'world')
    return Action.Continue
  }
}
`
const SCHEMA = {
  type: 'object',
  required: ['limit'],
  properties: {
    limit: { type: 'integer', description: 'Requests a second.\nMore of it.' },
    mode: { enum: ['a', 'b'], default: 'a' },
  },
}

const folder = new CliFolder({
  'package.json': '{"name":"hello"}',
  'assembly/index.ts': FILTER,
  'schema.json': JSON.stringify(SCHEMA),
  'plain.ts': FILTER,
  'text.wasm': 'no module',
})
const path = (name: string) => join(folder.path, name)
beforeAll(async () => {
  expect(await folder.run('build . -o hello.wasm')).toMatchObject({ code: 0 })
  expect(await folder.run('build plain.ts -o plain.wasm')).toMatchObject({ code: 0 })
})
afterAll(() => folder.remove())

const plain = colorsFor({ write: () => true }, { NO_COLOR: '1' })
const versions = /(?<=^(AssemblyScript|meshscript|@meshscript\/sdk) +)\d+\.\d+\.\d+[\w.-]*$/gm

describe('a module', () => {
  test('in words', async () => {
    const { code, stdout, stderr } = await folder.run('inspect hello.wasm')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const shown = stdout
      .replace(versions, 'VERSION')
      .replace(/\d+\.\d KB/g, 'SIZE')
      .replace(/[0-9a-f]{64}/, 'HEX')
    expect(shown).toBe(`hello.wasm
size             SIZE, SIZE gzipped
sha256           HEX
ABI              0.2.1
AssemblyScript   VERSION
meshscript       VERSION
@meshscript/sdk  VERSION

callbacks (2)
  proxy_on_context_create
  proxy_on_request_headers

imports (4)
${shown.match(/ {2}env\.proxy_\w+\n/g)!.join('')}
other exports (4)
  proxy_abi_version_0_2_1
  proxy_on_memory_allocate
  memory
  _initialize

configuration (--schema prints all)
  limit  integer, required
      Requests a second.
  mode  a | b, default "a"
`)
  })

  test('as JSON', async () => {
    const { stdout } = await folder.run('inspect hello.wasm --json')
    const bytes = readFileSync(path('hello.wasm'))
    expect(JSON.parse(stdout)).toEqual({
      version: 1,
      name: 'hello.wasm',
      module: {
        size: bytes.length,
        gzipSize: gzipSync(bytes, { level: 9 }).length,
        sha256: createHash('sha256').update(bytes).digest('hex'),
        abi: '0.2.1',
        sdk: expect.stringMatching(/^\d/),
        producers: expect.objectContaining({ language: { AssemblyScript: expect.any(String) } }),
        imports: expect.arrayContaining(['env.proxy_add_header_map_value']),
        exports: expect.arrayContaining(['memory']),
        callbacks: ['proxy_on_context_create', 'proxy_on_request_headers'],
        configuration: [
          { name: 'limit', type: 'integer', required: true, description: 'Requests a second.\nMore of it.' },
          { name: 'mode', type: 'a | b', required: false, default: 'a' },
        ],
        schema: SCHEMA,
        problems: [],
      },
    })
  })

  test('its schema alone', async () => {
    expect(await folder.run('inspect hello.wasm --schema')).toEqual({
      code: 0,
      stdout: `${JSON.stringify(SCHEMA, null, 2)}\n`,
      stderr: '',
    })
    expect(await folder.run('inspect plain.wasm --schema')).toEqual({
      code: 1,
      stdout: '',
      stderr:
        'meshscript: INSP005: plain.wasm has no schema inside; build it with a schema.json beside the folder assembly\n',
    })
  })

  test('that is not of Meshscript, and that Envoy would not run', async () => {
    folder.write('foreign.wasm', '\0asm\x01\0\0\0')
    const { code, stdout } = await folder.run('inspect foreign.wasm')
    expect(code).toBe(0)
    expect(stdout).toContain('ABI     none that Envoy knows\n')
    expect(stdout).toContain('configuration  no schema inside\n')
    expect(stdout).toMatch(/Envoy would not run this module\n {2}WASM003 {2}/)
  })

  test.each([
    ['nowhere.wasm', 1, /INSP001: nowhere\.wasm can't be read/],
    ['ghcr.io/acme/hello:v1', 1, /an image is written oci:\/\/ghcr\.io\/acme\/hello:v1\n$/],
    ['text.wasm', 1, /INSP002: text\.wasm is not a WebAssembly module/],
    ['hello.wasm --verify-key x', 2, /INSP004: --verify-key is for images/],
  ])('mistakes: %s', async (args, code, message) => {
    const result = await folder.run(`inspect ${args}`)
    expect(result).toMatchObject({ code, stdout: '' })
    expect(result.stderr).toMatch(message)
  })
})

test('fields of schemas, as far as they can be told', () => {
  const schema = {
    $ref: '#/definitions/a~1b',
    definitions: {
      'a/b': {
        properties: {
          $schema: { type: 'string' },
          names: { $ref: '#/definitions/names' },
          services: { type: 'object', additionalProperties: { $ref: '#/definitions/names' } },
          either: { type: ['string', 'null'] },
          one: { const: 1 },
          loop: { $ref: '#/definitions/loop' },
          yes: true,
          nowhere: { $ref: '#/definitions/none' },
        },
      },
      names: { type: 'array', items: { type: 'string' }, description: 'Names.' },
      loop: { $ref: '#/definitions/loop' },
    },
  }
  expect(topLevelFields(schema).map(({ name, type, description }) => [name, type, description])).toEqual([
    ['names', 'list of string', 'Names.'],
    ['services', 'map of list of string', undefined],
    ['either', 'string | null', undefined],
    ['one', '1', undefined],
    ['loop', 'any', undefined],
    ['yes', 'any', undefined],
    ['nowhere', 'any', undefined],
  ])
  expect(topLevelFields(true)).toEqual([])
})

test('an image with what is attached to it', async () => {
  const registry = new MemoryRegistry()
  const repository = { registry: 'registry.example', repository: 'acme/hello' }
  const subject = {
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    digest: digestOf(Buffer.from('{}')),
    size: 2,
  }
  for (const name of ['a', 'b']) {
    execFileSync('openssl', ['ecparam', '-genkey', '-name', 'prime256v1', '-noout', '-out', path(`${name}.key`)])
  }
  const options = { module: readFileSync(path('hello.wasm')), project: path('hello.wasm'), env: {} }
  await attachAll(registry, repository, subject, {
    ...options,
    sbom: true,
    provenance: true,
    signKey: path('a.key'),
  })
  const pulled = { ...subject, form: 'compat', annotations: { 'org.opencontainers.image.version': '1' } }
  const [sbom, statement] = await registry.referrers('', subject.digest)
  const report = await inspectImage(registry, repository, pulled, readVerificationKey(path('a.key')))
  expect(report).toEqual({
    digest: subject.digest,
    mediaType: subject.mediaType,
    form: 'compat',
    annotations: { 'org.opencontainers.image.version': '1' },
    referrers: [
      { kind: 'sbom', artifactType: 'application/spdx+json', digest: sbom!.digest, size: sbom!.size, verified: true },
      {
        kind: 'provenance',
        artifactType: 'application/vnd.in-toto+json',
        digest: statement!.digest,
        size: statement!.size,
        verified: true,
      },
    ],
    signatures: [{ reference: 'registry.example/acme/hello', verified: true }],
  })
  expect(renderImage(report, plain)).toBe(`digest      ${subject.digest}
form        OCI image with a layer of plugin.wasm
media type  application/vnd.oci.image.manifest.v1+json

annotations
  org.opencontainers.image.version  1

attached
  sbom        ${sbom!.digest}  √ verified by the key
  provenance  ${statement!.digest}  √ verified by the key
  signature   √ verified by the key  registry.example/acme/hello
`)
  const other = await inspectImage(registry, repository, pulled, readVerificationKey(path('b.key')))
  expect(other.referrers.map(({ verified }) => verified)).toEqual([false, false])
  expect(other.signatures).toEqual([{ reference: 'registry.example/acme/hello', verified: false }])
  expect(renderImage(other, plain)).toContain('× not by this key')
  const unverified = await inspectImage(registry, repository, pulled)
  expect(renderImage(unverified, plain)).toContain('not verified (--verify-key)')
  expect(renderImage(unverified, plain)).toContain(`sbom        ${sbom!.digest}\n`)
})
