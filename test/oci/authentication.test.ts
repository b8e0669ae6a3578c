/** Tokens: where they are asked for, with what, and to whom credentials go. */

import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { parseChallenges } from '../../cli/src/oci/authorization.ts'
import { packImage, parseReference, pushImage } from '../../cli/src/oci/index.ts'
import { CliFolder } from '../../cli/src/testing.ts'
import { MemoryRegistry } from './memory_registry.ts'
import { moduleOf } from './module.ts'

let folder: CliFolder
let registry: MemoryRegistry
let tokens: Server
/** `METHOD path?query authorization body` of what the token server was asked. */
let asked: string[]
let valid: string

beforeEach(async () => {
  folder = new CliFolder()
  asked = []
  valid = 'one'
  registry = await MemoryRegistry.start()
  tokens = createServer((request, response) => {
    let body = ''
    request.on('data', (part: Buffer) => (body += part.toString()))
    request.on('end', () => {
      const { method, url = '', headers } = request
      asked.push(
        [method, decodeURIComponent(url), headers.authorization ?? '-', decodeURIComponent(body)].join(' ').trim(),
      )
      const name = method === 'POST' ? 'access_token' : 'token'
      response.end(JSON.stringify({ [name]: valid, expires_in: 300 }))
    })
  })
  await new Promise<void>((resolve) => tokens.listen(0, '127.0.0.1', resolve))
  const realm = `http://127.0.0.1:${(tokens.address() as AddressInfo).port}/token`
  registry.faults = [
    ({ headers }, response) => {
      if (headers.authorization === `Bearer ${valid}`) return false
      response.writeHead(401, { 'www-authenticate': `Bearer realm="${realm}",service="reg",scope="x"` })
      response.end()
      return true
    },
  ]
})
afterEach(async () => {
  tokens.closeAllConnections()
  await Promise.all([registry.close(), new Promise((resolve) => tokens.close(resolve))])
  folder.remove()
})

function push(entry: object, more: object = {}) {
  folder.write('config.json', JSON.stringify({ auths: { [registry.host]: entry } }))
  const image = packImage(moduleOf(100), { layout: 'compat', annotations: {} })
  const reference = parseReference(`oci://${registry.host}/acme/hello`)
  return pushImage(image, reference, ['v1'], { env: { DOCKER_CONFIG: folder.path }, insecure: true, ...more })
}

const SCOPE = 'repository:acme/hello:pull,push'
const basic = `Basic ${Buffer.from('ann:secret').toString('base64')}`

test('a token for a password, one for each scope', async () => {
  await push({ username: 'ann', password: 'secret' })
  expect(asked).toEqual([
    `GET /token?service=reg&scope=${SCOPE} ${basic}`,
    `GET /token?service=reg&scope=repository:acme/hello:pull ${basic}`,
  ])
})

test('a token for nothing', async () => {
  await push({})
  expect(asked[0]).toBe(`GET /token?service=reg&scope=${SCOPE} -`)
})

test('a token for an identity token, by OAuth2', async () => {
  await push({ identitytoken: 'refresh' })
  expect(asked[0]).toBe(
    `POST /token - grant_type=refresh_token&refresh_token=refresh&client_id=meshscript&service=reg&scope=${SCOPE}`,
  )
})

test('a registry token is sent as it is', async () => {
  await push({ registrytoken: 'one' })
  expect(asked).toEqual([])
})

test('a token that is no longer taken is asked for again, in the middle of a push', async () => {
  await push({}, { attach: () => Promise.resolve((valid = 'two')) })
  expect(registry.tag('acme/hello', 'v1')).toBeDefined()
  expect(asked).toHaveLength(4)
})

test('a mount asks for both repositories', async () => {
  await push({}, { mountFrom: 'acme/base' })
  expect(asked[0]).toBe(`GET /token?service=reg&scope=${SCOPE}&scope=repository:acme/base:pull -`)
})

test.each([
  ['Basic realm="a, b"', [{ scheme: 'basic', parameters: { realm: 'a, b' } }]],
  [
    'Negotiate, Bearer realm="https://x/?a=b" , service=s,scope="r:a:pull,push"',
    [
      { scheme: 'negotiate', parameters: {} },
      { scheme: 'bearer', parameters: { realm: 'https://x/?a=b', service: 's', scope: 'r:a:pull,push' } },
    ],
  ],
  ['realm="x"', []],
  ['', []],
])('WWW-Authenticate: %s', (header, expected) => expect(parseChallenges(header)).toEqual(expected))
