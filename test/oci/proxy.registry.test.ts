/** push, pull, check and deploy where the registry is behind a proxy: docker-registry, plain and with TLS by a private authority. */

import { execFile } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { CliFolder } from '../../cli/src/testing.ts'
import { type RunningRegistry, startRegistry } from '../supply/registry.ts'
import { certificates } from './certificates.ts'
import { moduleOf } from './module.ts'
import { ForwardProxy } from './proxy.ts'

const folder = new CliFolder()
const path = (name: string) => join(folder.path, name)
/** Sent in pieces. */
const module = moduleOf(9 << 20)
/** Nobody but the proxies knows this name. */
const HOST = 'registry.test:5000'

let plain: RunningRegistry
let secure: RunningRegistry
let proxy: ForwardProxy
let toPlain: ForwardProxy
beforeAll(async () => {
  certificates(folder.path)
  writeFileSync(path('hello.wasm'), module)
  ;[plain, secure] = await Promise.all([
    startRegistry(),
    startRegistry({ http: { tls: { certificate: path('server.pem'), key: path('server.key') } } }),
  ])
  proxy = await ForwardProxy.start({ hosts: { [HOST]: secure.host }, password: 'ann:p@ss' })
  toPlain = await ForwardProxy.start({ hosts: { [HOST]: plain.host } })
})
afterAll(async () => {
  await Promise.all([plain?.stop(), secure?.stop(), proxy?.stop(), toPlain?.stop()])
  folder.remove()
})

const login = () => ({ HTTPS_PROXY: `http://ann:p%40ss@${proxy.host}` })
const run = (line: string, env: Record<string, string>) => folder.run(line, { env: { PATH: process.env['PATH']!, ...env } }) // prettier-ignore

test('by TLS: a tunnel, through which the authority is still looked at', async () => {
  const pushed = await run(`push hello.wasm oci://${HOST}/acme/tls:v1 --ca ca.pem`, login())
  expect(pushed).toMatchObject({ code: 0 })
  expect(await run(`pull oci://${HOST}/acme/tls:v1 --ca ca.pem -o back.wasm`, login())).toMatchObject({ code: 0 })
  expect(readFileSync(path('back.wasm')).equals(module)).toBe(true)
  expect(new Set(proxy.asked)).toEqual(new Set([`CONNECT ${HOST}`]))
  const untrusted = await run(`push hello.wasm oci://${HOST}/acme/tls:v2`, login())
  expect(untrusted).toMatchObject({ code: 1 })
  expect(untrusted.stderr).toContain(`the certificate of ${HOST} is not trusted`)
})

test('the built command knows it, too', async () => {
  const script = fileURLToPath(new URL('../../cli/bin/meshscript.js', import.meta.url))
  const line = ['pull', `oci://${HOST}/acme/tls:v1`, '--ca', 'ca.pem', '-o', 'built.wasm']
  const env = { PATH: process.env['PATH'], HOME: folder.path, ...login() }
  await promisify(execFile)(process.execPath, [script, ...line], { cwd: folder.path, env })
  expect(readFileSync(path('built.wasm')).equals(module)).toBe(true)
})

test('without TLS: requests by their whole URL', async () => {
  const env = { http_proxy: toPlain.host }
  expect(await run(`push hello.wasm oci://${HOST}/acme/plain:v1 --insecure`, env)).toMatchObject({ code: 0 })
  expect(toPlain.asked.every((line) => line.includes(` http://${HOST}/v2/`))).toBe(true)
  expect(toPlain.asked.some((line) => line.startsWith('PATCH '))).toBe(true)
  expect(await run(`inspect oci://${HOST}/acme/plain:v1 --insecure`, env)).toMatchObject({ code: 0 })
})

test('check and deploy go there too, and check names the proxy', async () => {
  const { stdout } = await run(`deploy oci://${HOST}/acme/tls:v1 --ca ca.pem --no-preflight`, login())
  expect(stdout).toContain('kind: WasmPlugin')
  folder.write('meshscript.json', JSON.stringify({ registry: `oci://${HOST}/acme/tls` }))
  const checked = await run('check --environment --ca ca.pem', login())
  expect(checked.stdout).toContain(`through the proxy http://${proxy.host} (HTTPS_PROXY)`)
  expect(checked.stdout).not.toContain('p%40ss')
})

test('a module behind an address is fetched through it', async () => {
  const server = createServer((_, response) => response.end(readFileSync(path('hello.wasm'))))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const own = `127.0.0.1:${(server.address() as AddressInfo).port}`
  const files = await ForwardProxy.start({ hosts: { 'files.test': own } })
  try {
    const line = 'deploy http://files.test/hello.wasm --as envoy-filter --no-preflight'
    const { code, stdout } = await run(line, { HTTP_PROXY: `http://${files.host}` })
    expect([code, files.asked]).toEqual([0, ['GET http://files.test/hello.wasm']])
    expect(stdout).toContain('http://files.test/hello.wasm')
  } finally {
    await files.stop()
    server.close()
  }
})

test('a registry of this machine, and those that NO_PROXY names, are asked directly', async () => {
  const before = toPlain.asked.length
  const env = { HTTP_PROXY: `http://${toPlain.host}`, HTTPS_PROXY: `http://${toPlain.host}` }
  expect(await run(`push hello.wasm oci://${plain.host}/acme/local:v1`, env)).toMatchObject({ code: 0 })
  const direct = await run(`pull oci://${HOST}/acme/plain:v1 --insecure -o x.wasm`, {
    ...env,
    NO_PROXY: 'registry.test',
  })
  expect(direct).toMatchObject({ code: 1 })
  expect(direct.stderr).toContain(`${HOST} can't be reached`)
  expect(toPlain.asked).toHaveLength(before)
})

test.each([
  ['no password', () => `http://${proxy.host}`, 'wants a user and a password; write user and password into HTTPS_PROXY: http://USER:PASSWORD@HOST:PORT'], // prettier-ignore
  ['a wrong password', () => `http://ann:no@${proxy.host}`, 'does not take its user and password'],
  ['a host that it refuses', () => `http://${toPlain.host}`, 'refuses the connection: status 403', 'other.test:5000'],
  ['nobody there', () => 'http://127.0.0.1:1', "can't be reached: connect ECONNREFUSED 127.0.0.1:1"],
])('%s', async (_, variable, reason, host = HOST) => {
  const { code, stderr } = await run(`pull oci://${host}/acme/tls:v1 -o x.wasm`, { HTTPS_PROXY: variable() })
  expect(code).toBe(1)
  expect(stderr).toContain(`OCI011: the proxy ${new URL(variable()).origin} (HTTPS_PROXY) ${reason}`)
})

test('without TLS it may want a password, too', async () => {
  const env = { HTTP_PROXY: `http://${proxy.host}` }
  const { code, stderr } = await run(`pull oci://${HOST}/acme/tls:v1 --insecure -o x.wasm`, env)
  expect([code, stderr]).toEqual([1, expect.stringContaining(`(HTTP_PROXY) wants a user and a password`)])
})
