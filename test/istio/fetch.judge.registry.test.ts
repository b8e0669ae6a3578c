/** Istio's own fetcher gets the bytes that we pushed, in every form, and takes and refuses the same images as ours. */

import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  describe as descriptorOf,
  digestOf,
  MediaType,
  parseReference,
  pullModule,
  Registry,
} from '../../cli/src/oci/index.ts'
import { writeTar } from '../../cli/src/oci/tar.ts'
import { CliFolder } from '../../cli/src/testing.ts'
import { certificates, HTPASSWD } from '../oci/certificates.ts'
import { moduleOf } from '../oci/module.ts'
import { type RunningRegistry, startRegistry } from '../supply/registry.ts'
import { fetchImage } from './judge.ts'

const folder = new CliFolder()
const path = (name: string) => join(folder.path, name)
const module = moduleOf(100 << 10)
const sha256 = createHash('sha256').update(module).digest('hex')

let plain: RunningRegistry
let secure: RunningRegistry
beforeAll(async () => {
  certificates(folder.path)
  folder.write('htpasswd', HTPASSWD)
  writeFileSync(path('hello.wasm'), module)
  plain = await startRegistry()
  secure = await startRegistry({
    http: { tls: { certificate: path('server.pem'), key: path('server.key') } },
    auth: { htpasswd: { realm: 'https://registry.example/token', path: path('htpasswd') } },
  })
  // Builds the judge, if it isn't there.
  await fetchImage(`${plain.host}/acme/none:v1`)
}, 900_000)
afterAll(async () => {
  await Promise.all([plain?.stop(), secure?.stop()])
  folder.remove()
})

describe.each(['compat', 'artifact'])('layout %s', (layout) => {
  test('by each tag, and by digest', async () => {
    const name = `${plain.host}/acme/${layout}`
    const pushed = await folder.run(`push hello.wasm oci://${name}:v1 --tag v2 --layout ${layout} --json`)
    expect(pushed).toMatchObject({ code: 0 })
    const { digest } = JSON.parse(pushed.stdout).manifest
    for (const reference of [`${name}:v1`, `${name}:v2`, `${name}@${digest}`])
      expect(await fetchImage(reference)).toEqual({ digest, sha256, size: module.length })
  })

  test('with a password, from a registry with a certificate of a private authority', async () => {
    const name = `${secure.host}/acme/${layout}`
    const auth = Buffer.from('ann:secret').toString('base64')
    folder.write('docker/config.json', JSON.stringify({ auths: { [secure.host]: { auth } } }))
    const env = { DOCKER_CONFIG: path('docker'), PATH: process.env['PATH']! }
    const pushed = await folder.run(
      ['push', 'hello.wasm', `oci://${name}:v1`, '--layout', layout, '--ca', path('ca.pem'), '--json'],
      { env },
    )
    expect(pushed).toMatchObject({ code: 0 })
    const { digest } = JSON.parse(pushed.stdout).manifest
    const trust = { SSL_CERT_FILE: path('ca.pem'), DOCKER_CONFIG: path('docker') }
    expect(await fetchImage(`${name}:v1`, trust)).toEqual({ digest, sha256, size: module.length })
    expect((await fetchImage(`${name}:v1`, { ...trust, DOCKER_CONFIG: path('none') })).error).toContain('UNAUTHORIZED')
  })
})

describe('images that we did not make', () => {
  const tgz = (name = 'plugin.wasm', mediaType: string = MediaType.layer) => ({
    mediaType,
    bytes: gzipSync(
      writeTar([
        { name: 'other', bytes: Buffer.from('x'.repeat(600)) },
        { name, bytes: module },
      ]),
    ),
  })
  const wasm = { mediaType: MediaType.wasm as string, bytes: module }
  const other = { mediaType: 'application/octet-stream', bytes: Buffer.from('x') }
  const child = (platform?: object): { platform?: object | undefined } => ({ platform })
  const docker = MediaType.dockerManifest as string
  const oci = MediaType.manifest as string

  test.each([
    ['a tar', oci, [tgz()], undefined, true],
    ['a tar with the module in a folder', oci, [other, tgz('a/b/plugin.wasm')], undefined, true],
    ['three layers, the last a tar', oci, [wasm, other, tgz()], undefined, true],
    ['a Docker image', docker, [tgz('plugin.wasm', MediaType.dockerLayer)], undefined, true],
    ['two layers, the module first', oci, [wasm, other], undefined, true],
    ['two layers, the module last', oci, [other, wasm], undefined, true],
    ['an index without platform', oci, [tgz()], child(), true],
    ['an index with linux/amd64', oci, [tgz()], child({ os: 'linux', architecture: 'amd64' }), true],
    ['a module alone', oci, [wasm], undefined, false],
    ['three layers, none a tar', oci, [wasm, other, other], undefined, false],
    ['application/wasm', oci, [{ ...wasm, mediaType: 'application/wasm' }], undefined, false],
    [
      'a tar that is said to be uncompressed',
      oci,
      [{ ...tgz(), mediaType: 'application/vnd.oci.image.layer.v1.tar' }],
      undefined,
      false,
    ],
    ['a Docker manifest with an OCI layer', docker, [tgz()], undefined, false],
    ['an OCI manifest with a Docker layer', oci, [tgz('plugin.wasm', MediaType.dockerLayer)], undefined, false],
    ['a module of another name', oci, [tgz('module.wasm')], undefined, false],
    ['an index with wasi/wasm', oci, [tgz()], child({ os: 'wasi', architecture: 'wasm' }), false],
    ['an index with linux/arm64', oci, [tgz()], child({ os: 'linux', architecture: 'arm64' }), false],
  ])('%s: Istio and pullModule agree', async (title, mediaType, layers, index, taken) => {
    const repository = `forms/${title.replace(/[^a-z0-9]+/gi, '-').toLowerCase()}`
    const reference = parseReference(`oci://${plain.host}/${repository}:v1`)
    const registry = Registry.open(reference, { insecure: true, env: {} })
    const config = { mediaType: 'application/vnd.oci.image.config.v1+json', bytes: Buffer.from('{}') }
    const described = [config, ...layers].map(({ mediaType, bytes }) => descriptorOf(bytes, mediaType))
    for (const { bytes } of [config, ...layers]) await registry.pushBlob(repository, bytes)
    const manifest = Buffer.from(
      JSON.stringify({ schemaVersion: 2, mediaType, config: described[0], layers: described.slice(1) }),
    )
    const digest = await registry.pushManifest(repository, index ? digestOf(manifest) : 'v1', manifest, mediaType)
    if (index) {
      const list = { mediaType, digest, size: manifest.length, ...(index.platform && { platform: index.platform }) }
      const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: MediaType.index, manifests: [list] }))
      await registry.pushManifest(repository, 'v1', bytes, MediaType.index)
    }
    registry.close()
    const judged = await fetchImage(`${plain.host}/${repository}:v1`)
    const ours = await pullModule(reference, { insecure: true, env: {} }).then(
      (image) => ({ sha256: createHash('sha256').update(image.module).digest('hex'), digest: image.digest }),
      (error: Error) => ({ error: error.message }),
    )
    if (taken) {
      expect(judged).toMatchObject({ sha256, digest })
      expect(ours).toEqual({ sha256, digest })
    } else {
      expect(judged.error).toBeDefined()
      expect(ours).toHaveProperty('error')
    }
  })
})
