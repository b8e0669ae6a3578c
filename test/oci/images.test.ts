/** Names and forms of images: what is taken, and why the rest is not. */

import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import {
  describe as descriptorOf,
  digestOf,
  formatReference,
  MediaType,
  packImage,
  parseReference,
  readImage,
} from '../../cli/src/oci/index.ts'
import { readTar, writeTar } from '../../cli/src/oci/tar.ts'
import { moduleOf } from './module.ts'

const HEX = 'a'.repeat(64)

describe('names', () => {
  test.each([
    ['oci://ghcr.io/acme/hello:v1', 'oci://ghcr.io/acme/hello:v1'],
    ['ghcr.io/acme/hello', 'oci://ghcr.io/acme/hello'],
    ['localhost:5000/hello', 'oci://localhost:5000/hello'],
    [`oci://[::1]:5000/a/b:x@sha256:${HEX}`, `oci://[::1]:5000/a/b:x@sha256:${HEX}`],
    ['acme/hello:v1', 'oci://docker.io/acme/hello:v1'],
    ['oci://hello', 'oci://docker.io/library/hello'],
  ])('%s', (text, expected) => expect(formatReference(parseReference(text))).toBe(expected))

  test.each([
    ['https://ghcr.io/acme/hello', 'write oci:// instead of https://'],
    ['oci://ghcr.io', 'after the registry comes the repository'],
    ['oci://ghcr.io/Acme/hello', 'repositories are written in small letters'],
    ['oci://ghcr.io/a', 'Istio takes no repository whose name has only one character'],
    ['oci://ghcr.io/acme//hello', '"acme//hello" is no repository'],
    ['oci://ghcr.io/acme/hello:-x', 'a tag has 1 to 128'],
    ['oci://ghcr.io/acme/hello@sha256:12', 'after @ comes sha256:'],
    ['oci://', 'there is no repository'],
  ])('%s is none', (text, reason) => expect(() => parseReference(text)).toThrow(reason))
})

const module = moduleOf(100, Buffer.alloc(100, 7))

test('the same module has the same digest, everywhere', () => {
  const digest = (layout: 'compat' | 'artifact') =>
    packImage(module, { layout, annotations: { b: '2', a: '1' } }).manifest.digest
  expect([digest('compat'), digest('artifact')]).toMatchInlineSnapshot(`
    [
      "sha256:49e82c260a71d8a43716f573a0da8dece1eebe4c20372849309c5896b82a891f",
      "sha256:f22bf22f485dc8a01d65aace5cc73a258817e5c806ab01ae699febca8b3a9e09",
    ]
  `)
})

/** Reads an image of these layers. */
async function read(layers: { mediaType: string; bytes: Uint8Array }[], manifest: object = {}, index?: object) {
  const blobs = new Map(layers.map(({ bytes }) => [digestOf(bytes), bytes]))
  const described = layers.map(({ mediaType, bytes }) => descriptorOf(bytes, mediaType))
  const content = Buffer.from(JSON.stringify({ schemaVersion: 2, layers: described, ...manifest }))
  const digest = digestOf(content)
  const listed = Buffer.from(JSON.stringify(index ?? {}).replace('DIGEST', digest))
  const { form, module } = await readImage(
    {
      manifest: (reference) => {
        const bytes = index && reference.digest !== digest ? listed : content
        return Promise.resolve({
          digest: digestOf(bytes),
          mediaType: index ? MediaType.index : MediaType.manifest,
          bytes,
        })
      },
      blob: (_, digest) => Promise.resolve(blobs.get(digest)!),
    },
    parseReference('ghcr.io/acme/hello:v1'),
  )
  return [form, Buffer.from(module).toString()]
}

const tgz = (name = 'plugin.wasm', mediaType: string = MediaType.layer) => ({
  mediaType,
  bytes: gzipSync(
    writeTar([
      { name: 'other', bytes: Buffer.from('x'.repeat(600)) },
      { name, bytes: Buffer.from('module') },
    ]),
  ),
})
const wasm = { mediaType: MediaType.wasm as string, bytes: Buffer.from('module') }
const other = { mediaType: 'text/plain', bytes: Buffer.from('x') }
const docker = { mediaType: MediaType.dockerManifest }
const child = (platform?: object) => ({ manifests: [{ mediaType: MediaType.manifest, digest: 'DIGEST', platform }] })

test.each([
  ['compat', [tgz()], {}, undefined],
  ['compat', [other, tgz('a/b/plugin.wasm')], {}, undefined],
  ['compat', [wasm, other, tgz()], {}, undefined],
  ['docker', [other, tgz('plugin.wasm', MediaType.dockerLayer)], docker, undefined],
  ['artifact', [wasm, other], {}, undefined],
  ['artifact', [other, wasm], {}, undefined],
  ['compat', [tgz()], {}, child()],
  ['compat', [tgz()], {}, child({ os: 'linux', architecture: 'amd64' })],
])('Istio takes %s %#', async (form, layers, manifest, index) => {
  expect(await read(layers, manifest, index)).toEqual([form, 'module'])
})

test.each([
  ['an artifact has to have two layers, not 1', [wasm], {}, undefined],
  ['an artifact has to have two layers, not 3', [wasm, other, other], {}, undefined],
  ['it has application/wasm', [{ ...wasm, mediaType: 'application/wasm' }], {}, undefined],
  ['tar+gzip', [{ ...tgz(), mediaType: 'application/vnd.oci.image.layer.v1.tar' }], {}, undefined],
  ['the last layer of a Docker image', [tgz()], docker, undefined],
  ['the last layer has to be', [tgz('plugin.wasm', MediaType.dockerLayer)], {}, undefined],
  ['no plugin.wasm', [tgz('module.wasm')], {}, undefined],
  ['its layer is no tar+gzip', [{ ...wasm, mediaType: MediaType.layer }], {}, undefined],
  ['it has no layers', [], {}, undefined],
  ['it has wasi/wasm', [tgz()], {}, child({ os: 'wasi', architecture: 'wasm' })],
  ['it has linux/arm64', [tgz()], {}, child({ os: 'linux', architecture: 'arm64' })],
])('Istio would refuse: %s', async (reason, layers, manifest, index) => {
  await expect(read(layers, manifest, index)).rejects.toThrow(reason)
})

test('archives that are cut are refused', () => {
  const tar = writeTar([{ name: 'plugin.wasm', bytes: Buffer.alloc(1000) }])
  expect([...readTar(tar)].map(({ name, bytes }) => [name, bytes.length])).toEqual([['plugin.wasm', 1000]])
  expect(() => [...readTar(tar.subarray(0, 1024))]).toThrow('the archive ends within a file')
})
