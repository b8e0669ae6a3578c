/** What goes with an image, in a real registry: pushed, found again by anybody's client, verified. */

import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { packImage, pushImage, Registry } from '../../cli/src/oci/index.ts'
import { attachAll } from '../../cli/src/supply/index.ts'
import { CliFolder } from '../../cli/src/testing.ts'
import { type RunningRegistry, startRegistry } from './registry.ts'

const FILTER = `import { Action, HttpContext } from '@meshscript/sdk'
export class Hello extends HttpContext {
  onRequestHeaders(): Action {
    return Action.Continue
  }
}
`
const folder = new CliFolder({
  'package.json': JSON.stringify({ name: 'hello', version: '1.0.0', license: 'MIT' }),
  'assembly/index.ts': FILTER,
  'schema.json': '{"type":"object","properties":{"limit":{"type":"integer"}}}',
})
const path = (name: string) => join(folder.path, name)
const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: 'pipe' })

let server: RunningRegistry
let digest: string
let name: string
const push = async (repository: string, signKey?: string) => {
  const module = readFileSync(path('build/hello.wasm'))
  const image = packImage(module, { layout: 'compat', annotations: { 'org.opencontainers.image.version': '1.0.0' } })
  const reference = { registry: server.host, repository }
  const options = { module, project: path('build/hello.wasm'), sbom: true, provenance: true, signKey, env: {} }
  return pushImage(image, reference, ['v1'], {
    insecure: true,
    env: {},
    attach: async (registry, subject) => void (await attachAll(registry, reference, subject, options)),
  })
}

beforeAll(async () => {
  server = await startRegistry()
  expect(await folder.run('build . -o build/hello.wasm')).toMatchObject({ code: 0 })
  for (const key of ['one', 'two']) {
    openssl('genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256', '-out', path(`${key}.key`))
    openssl('pkey', '-in', path(`${key}.key`), '-pubout', '-out', path(`${key}.pub`))
  }
  ;({ digest } = await push('acme/hello', path('one.key')))
  name = `oci://${server.host}/acme/hello:v1`
})
afterAll(async () => {
  await server?.stop()
  folder.remove()
})

/** As any client would ask, without ours. */
const get = async (what: string) => {
  const accept = 'application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json'
  const response = await fetch(`http://${server.host}/v2/acme/hello/${what}`, { headers: { accept } })
  expect(response.status).toBe(200)
  return Buffer.from(await response.arrayBuffer())
}
interface Manifest {
  manifests: { artifactType: string; digest: string }[]
  layers: { digest: string; mediaType: string; annotations: Record<string, string> }[]
  subject: { digest: string }
}
const manifest = async (reference: string) => JSON.parse((await get(`manifests/${reference}`)).toString()) as Manifest

test('bill of materials and provenance are listed at the tag of the image’s digest', async () => {
  const { manifests } = await manifest(digest.replace(':', '-'))
  expect(manifests.map(({ artifactType }) => artifactType)).toEqual([
    'application/spdx+json',
    'application/vnd.in-toto+json',
  ])
  const documents = await Promise.all(
    manifests.map(async (each) => {
      const { layers, subject } = await manifest(each.digest)
      expect(subject.digest).toBe(digest)
      return JSON.parse((await get(`blobs/${layers[0]!.digest}`)).toString()) as Record<string, unknown>
    }),
  )
  expect(documents[0]).toMatchObject({ spdxVersion: 'SPDX-2.3', name: 'hello 1.0.0' })
  expect(documents[1]).toMatchObject({
    predicateType: 'https://slsa.dev/provenance/v1',
    subject: [{ name: `${server.host}/acme/hello`, digest: { sha256: digest.slice('sha256:'.length) } }, {}],
  })
})

test('the signature at cosign’s tag is verified by openssl', async () => {
  const { layers } = await manifest(`${digest.replace(':', '-')}.sig`)
  expect(layers.map(({ mediaType }) => mediaType)).toEqual(['application/vnd.dev.cosign.simplesigning.v1+json'])
  const payload = await get(`blobs/${layers[0]!.digest}`)
  expect(JSON.parse(payload.toString())).toMatchObject({ critical: { image: { 'docker-manifest-digest': digest } } })
  writeFileSync(path('payload'), payload)
  writeFileSync(path('signature'), layers[0]!.annotations['dev.cosignproject.cosign/signature']!, 'base64')
  const verify = (key: string) =>
    openssl('dgst', '-sha256', '-verify', path(key), '-signature', path('signature'), path('payload')).toString()
  expect(verify('one.pub')).toBe('Verified OK\n')
  expect(() => verify('two.pub')).toThrow()
})

test('pushed again, by another key, nothing is there twice', async () => {
  await push('acme/hello', path('two.key'))
  await push('acme/hello', path('one.key'))
  expect((await manifest(digest.replace(':', '-'))).manifests).toHaveLength(2)
  expect((await manifest(`${digest.replace(':', '-')}.sig`)).layers).toHaveLength(2)
})

describe('meshscript inspect', () => {
  test('shows the image and all that goes with it', async () => {
    const { code, stdout, stderr } = await folder.run(`inspect ${name} --insecure --json --verify-key one.pub`)
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const { image, module } = JSON.parse(stdout)
    expect(image).toMatchObject({
      digest,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      form: 'compat',
      annotations: { 'org.opencontainers.image.version': '1.0.0' },
      referrers: [
        { kind: 'sbom', verified: true },
        { kind: 'provenance', verified: true },
      ],
    })
    expect(image.signatures).toContainEqual({ reference: `${server.host}/acme/hello`, verified: true })
    expect(module.size).toBe(readFileSync(path('build/hello.wasm')).length)
  })

  test('takes no other key, and no missing signature, for a good one', async () => {
    openssl('genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256', '-out', path('three.key'))
    await push('acme/unsigned')
    for (const image of [name, `oci://${server.host}/acme/unsigned:v1`]) {
      for (const flags of ['', '--json', '--schema']) {
        const args = `inspect ${image} --insecure --verify-key three.key ${flags}`
        const { code, stdout, stderr } = await folder.run(args)
        expect(code, args).toBe(1)
        if (flags !== '--json') expect(stderr).toBe('meshscript: INSP003: no signature of this image is by the key\n')
        if (flags === '--schema') expect(stdout).toBe('')
      }
    }
  })

  test('says that there is no such image', async () => {
    const { code, stdout, stderr } = await folder.run(`inspect oci://${server.host}/acme/nothing:v1 --insecure`)
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toMatch(/^meshscript: OCI404: /)
  })
})

describe('meshscript check', () => {
  const plugin = (sha256: string, pluginConfig = {}, image = 'acme/hello:v1') =>
    folder.write(
      'plugin.yaml',
      JSON.stringify({
        kind: 'WasmPlugin',
        metadata: { name: 'hello' },
        spec: { url: `oci://${server.host}/${image}`, sha256, pluginConfig },
      }),
    )
  const results = async () => {
    const { code, stdout } = await folder.run('check --plugin plugin.yaml --insecure --json')
    const { categories } = JSON.parse(stdout) as { categories: { checks: { code: string; result: string }[] }[] }
    return [code, ...categories.flatMap(({ checks }) => checks.map(({ code, result }) => `${code} ${result}`))]
  }

  test('compares a WasmPlugin with its image', async () => {
    plugin(digest.slice('sha256:'.length), { limit: 1 })
    expect(await results()).toEqual([0, 'CHK031 success', 'CHK032 success', 'CHK033 success'])
    plugin('0'.repeat(64), { limit: 'many' })
    expect(await results()).toEqual([1, 'CHK031 success', 'CHK032 error', 'CHK033 error'])
    plugin('0'.repeat(64), {}, 'acme/nothing:v1')
    expect(await results()).toEqual([1, 'CHK031 error'])
  })

  test('asks the registry of the project, which may be empty yet', async () => {
    const settings = (registry: string) => folder.write('meshscript.json', JSON.stringify({ registry }))
    const found = async () => {
      const { stdout } = await folder.run('check --environment --insecure --json')
      const { categories } = JSON.parse(stdout) as { categories: { checks: { code: string }[] }[] }
      return categories[0]!.checks.find(({ code }) => code === 'CHK009')
    }
    settings(`oci://${server.host}/acme/hello`)
    expect(await found()).toMatchObject({ result: 'success' })
    settings(`oci://${server.host}/acme/not-yet`)
    expect(await found()).toMatchObject({ result: 'success' })
    // Nobody listens at port 1.
    settings('oci://127.0.0.1:1/acme/hello')
    expect(await found()).toMatchObject({ result: 'error' })
    folder.write('meshscript.json', '{}')
  })
})

test('the client finds referrers by type', async () => {
  const registry = Registry.open({ registry: server.host, repository: 'acme/hello' }, { insecure: true, env: {} })
  const found = await registry.referrers('acme/hello', digest, 'application/spdx+json')
  registry.close()
  expect(found).toHaveLength(1)
})
