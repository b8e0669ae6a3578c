/** push and pull against Debian's docker-registry: with a password and TLS by a private authority, and without both. */

import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { connect, createServer, type AddressInfo, type Server } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { packImage, parseReference, pullModule, pushImage, Registry } from '../../cli/src/oci/index.ts'
import { CliFolder } from '../../cli/src/testing.ts'
import { type RunningRegistry, startRegistry } from '../supply/registry.ts'
import { certificates, HTPASSWD } from './certificates.ts'
import { moduleOf } from './module.ts'

const folder = new CliFolder()
const path = (name: string) => join(folder.path, name)
const module = moduleOf(200 << 10)

let plain: RunningRegistry
let secure: RunningRegistry
beforeAll(async () => {
  certificates(folder.path)
  folder.write('htpasswd', HTPASSWD)
  writeFileSync(path('hello.wasm'), module)
  ;[plain, secure] = await Promise.all([
    startRegistry(),
    startRegistry({
      http: { tls: { certificate: path('server.pem'), key: path('server.key') } },
      auth: { htpasswd: { realm: 'test', path: path('htpasswd') } },
    }),
  ])
})
afterAll(async () => {
  await Promise.all([plain.stop(), secure.stop()])
  folder.remove()
})

function login(config: object): { env: Record<string, string> } {
  folder.write('docker/config.json', JSON.stringify(config))
  return { env: { DOCKER_CONFIG: path('docker'), PATH: `${folder.path}:${process.env['PATH']}` } }
}
const auth = (text: string) => ({ auths: { [secure.host]: { auth: Buffer.from(text).toString('base64') } } })

describe.each(['compat', 'artifact'])('layout %s', (layout) => {
  test('what is pulled is what was pushed, without TLS on this machine', async () => {
    const name = `oci://${plain.host}/acme/${layout}:v1`
    const pushed = await folder.run(`push hello.wasm ${name} --tag v2 --layout ${layout}`)
    expect(pushed).toMatchObject({ code: 0 })
    expect(pushed.stdout).toMatch(new RegExp(`^oci://${plain.host}/acme/${layout}@sha256:[0-9a-f]{64}\n$`))
    for (const reference of [name, name.replace(/v1$/, 'v2'), pushed.stdout.trim()]) {
      expect(await folder.run(`pull ${reference} -o back.wasm`)).toMatchObject({ code: 0, stdout: 'back.wasm\n' })
      expect(readFileSync(path('back.wasm')).equals(module)).toBe(true)
    }
  })
})

test('what is there is not sent again; the digest is the same', async () => {
  const push = async () =>
    JSON.parse((await folder.run(`push hello.wasm oci://${plain.host}/acme/twice:v1 --json`)).stdout)
  const first = await push()
  const second = await push()
  const how = (report: { images: { blobs: { how: string }[] }[] }) => report.images[0]!.blobs.map((blob) => blob.how)
  expect([how(first), how(second)]).toEqual([
    ['uploaded', 'uploaded'],
    ['present', 'present'],
  ])
  expect(second.manifest).toEqual(first.manifest)
})

test('layers are mounted from another repository', async () => {
  await folder.run(`push hello.wasm oci://${plain.host}/acme/origin:v1`)
  const { stdout } = await folder.run(
    `push hello.wasm oci://${plain.host}/other/copy:v1 --mount-from acme/origin --json`,
  )
  expect(JSON.parse(stdout).images[0].blobs).toMatchObject([{ how: 'mounted' }, { how: 'mounted' }])
})

describe('with a password and TLS by a private authority', () => {
  const push = (options: { env: Record<string, string> }, ca = ' --ca ca.pem') =>
    folder.run(`push hello.wasm oci://${secure.host}/acme/hello:v1${ca}`, options)

  test('credentials of docker login', async () => {
    expect(await push(login(auth('ann:secret')))).toMatchObject({ code: 0 })
    const pulled = await folder.run(
      `pull oci://${secure.host}/acme/hello:v1 --ca ca.pem -o back.wasm`,
      login(auth('ann:secret')),
    )
    expect(pulled).toMatchObject({ code: 0 })
    expect(readFileSync(path('back.wasm')).equals(module)).toBe(true)
  })

  test('a credential helper', async () => {
    const answer = JSON.stringify({ Username: 'ann', Secret: 'secret' })
    folder.write(
      'docker-credential-test',
      `#!/bin/sh\nread server\n[ "$1 $server" = "get ${secure.host}" ] && echo '${answer}'\n`,
    )
    chmodSync(path('docker-credential-test'), 0o755)
    expect(await push(login({ credHelpers: { [secure.host]: 'test' } }))).toMatchObject({ code: 0 })
    expect(await push(login({ credsStore: 'test' }))).toMatchObject({ code: 0 })
  })

  test.each([
    ['a wrong password', () => push(login(auth('ann:wrong'))), 'OCI401: '],
    [
      'no credentials',
      () => push(login({})),
      `OCI401: HOST asks for credentials, and Docker's config.json has none for it; run "docker login HOST"`,
    ],
    ['a helper that is not there', () => push(login({ credsStore: 'nowhere' })), 'OCI004: '],
    ['an unknown authority', () => push(login({}), ''), 'OCI003: the certificate of HOST is not trusted: '],
    ['plain HTTP', () => push(login({}), ' --insecure'), 'OCI003: HOST answered no plain HTTP'],
  ])('%s', async (_, run, message) => {
    const { code, stdout, stderr } = await run()
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr.replaceAll(secure.host, 'HOST')).toContain(`meshscript: ${message}`)
  })
})

test('a blob of one byte', async () => {
  const repository = 'acme/byte'
  const registry = Registry.open(parseReference(`oci://${plain.host}/${repository}`), { insecure: true, env: {} })
  const bytes = Buffer.from('x')
  const { digest } = await registry.pushBlob(repository, bytes)
  expect(Buffer.from(await registry.blob(repository, digest))).toEqual(bytes)
  registry.close()
})

test('an upload that is cut goes on', async () => {
  let left = 100_000
  const proxy = await proxyTo(plain.host, (bytes) => (left -= bytes) > 0 || (left = Infinity) === 0)
  try {
    const reference = parseReference(`oci://127.0.0.1:${(proxy.address() as AddressInfo).port}/acme/cut`)
    const options = { env: {}, insecure: true, chunkSize: 32 << 10, retry: { attempts: 3, delay: 1 } }
    const image = packImage(module, { layout: 'compat', annotations: {} })
    await pushImage(image, reference, ['v1'], options)
    expect(left).toBe(Infinity)
    const pulled = await pullModule({ ...reference, tag: 'v1' }, options)
    expect(Buffer.from(pulled.module).equals(module)).toBe(true)
  } finally {
    await new Promise((resolve) => proxy.close(resolve))
  }
})

/** Passes on what clients send while `pass` allows it, then cuts the connection. */
async function proxyTo(host: string, pass: (bytes: number) => boolean): Promise<Server> {
  const port = Number(host.split(':')[1])
  const proxy = createServer((client) => {
    const server = connect(port, '127.0.0.1')
    const end = () => {
      client.destroy()
      server.destroy()
    }
    for (const socket of [client, server]) socket.on('error', end).on('close', end)
    client.on('data', (data) => (pass(data.length) ? server.write(data) : end()))
    server.pipe(client)
  })
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
  return proxy
}
