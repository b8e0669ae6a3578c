/** What happens when a push goes wrong. The table in docs/push.md is the list of these tests. */

import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { packImage, parseReference, pushImage, type PushOptions } from '../../cli/src/oci/index.ts'
import { answer, type Fault, MemoryRegistry } from './memory_registry.ts'
import { moduleOf } from './module.ts'

const REPOSITORY = 'acme/hello'
const CHUNK = 64 << 10
const SIZE = 300 << 10

let registry: MemoryRegistry
beforeEach(async () => {
  registry = await MemoryRegistry.start()
})
afterEach(() => registry.close())

const options: PushOptions = {
  env: { HOME: '/nowhere' },
  insecure: true,
  chunkSize: CHUNK,
  retry: { attempts: 3, delay: 1 },
}
const imageOf = (module: Uint8Array) => packImage(module, { layout: 'compat', annotations: {} })
const push = (module: Uint8Array, more: Partial<PushOptions> = {}) =>
  pushImage(imageOf(module), parseReference(`oci://${registry.host}/${REPOSITORY}`), ['v1'], { ...options, ...more })

/** Codes of failures, or `pushed`. */
async function outcome(pushing: Promise<unknown>): Promise<string> {
  return pushing.then(
    () => 'pushed',
    (error: { code?: string }) => error.code ?? 'no code',
  )
}

const uploads = /\/blobs\/uploads\//
const errors = (code: string, message: string) => ({ errors: [{ code, message }] })

/** Answers as the registry does, with other bytes. */
const corruptBlob: Fault = (request, response, { blobs }) => {
  const blob = blobs.get(request.path.split('/').at(-1))
  if (request.method !== 'GET' || !blob) return false
  const changed = Buffer.from(blob)
  changed[100]! ^= 1
  response.end(changed)
  return true
}

interface Row {
  fault: string
  faults: () => Fault[]
  outcome: string
  /** For the table. */
  then: string
  options?: Partial<PushOptions>
  check?: () => void
}

const attempts = (method: string, path: RegExp) => () => registry.requests(method, path).length

const rows: Row[] = [
  {
    fault: 'the connection is cut in the middle of an upload',
    faults: () => {
      registry.cutAfter = 10_000
      return []
    },
    outcome: 'pushed',
    then: 'asks how far it got, and sends the rest only',
    check: () => {
      const sent = registry.requests('PATCH', uploads)
      const size = Math.max(...[...registry.blobs.values()].map(({ length }) => length))
      const config = Math.min(...[...registry.blobs.values()].map(({ length }) => length))
      expect(sent[0]!.received).toBe(10_000)
      expect(sent[1]!.headers['content-range']).toMatch(/^10000-/)
      expect(sent.reduce((sum, { received }) => sum + received, 0)).toBe(size + config)
    },
  },
  {
    fault: 'the connection is cut, and the registry has forgotten the upload',
    faults: () => {
      registry.cutAfter = 10_000
      return [answer({ method: 'GET', path: uploads, times: 1 }, 404)]
    },
    outcome: 'pushed',
    then: 'begins the upload again',
    check: () => expect(registry.requests('PATCH', uploads)[1]!.headers['content-range']).toMatch(/^0-/),
  },
  {
    fault: 'the connection is cut at every attempt',
    faults: () => [
      (request) => {
        if (request.method !== 'PATCH') return false
        request.socket.destroy()
        return true
      },
    ],
    outcome: 'OCI002',
    then: 'gives up after 5 attempts without progress',
    check: () => expect(attempts('PATCH', uploads)()).toBe(3),
  },
  {
    fault: 'the connection is cut while the tag is set',
    faults: () => {
      let left = 1
      return [
        (request) => {
          if (request.method !== 'PUT' || !request.path.endsWith('/manifests/v1') || left-- <= 0) return false
          request.socket.destroy()
          return true
        },
      ]
    },
    outcome: 'pushed',
    then: 'sets it again',
  },
  {
    fault: 'the registry does not answer',
    faults: () => [(request) => request.method === 'PATCH'],
    options: { timeout: 50 },
    outcome: 'OCI002',
    then: 'gives up after 5 attempts of 60 s of silence',
  },
  {
    fault: '401, no credentials',
    faults: () => [answer({ path: /./ }, 401, { 'www-authenticate': 'Basic realm="x"' })],
    outcome: 'OCI401',
    then: 'says to run `docker login`; no second attempt',
    check: () => expect(registry.exchanges).toHaveLength(1),
  },
  {
    fault: '403',
    faults: () => [answer({ method: 'POST', path: uploads }, 403, {}, errors('DENIED', 'read only'))],
    outcome: 'OCI403',
    then: "shows the registry's reason; no second attempt",
    check: () => expect(attempts('POST', uploads)()).toBe(1),
  },
  {
    fault: '400, the digest does not fit what arrived',
    faults: () => [answer({ method: 'PUT', path: uploads }, 400, {}, errors('DIGEST_INVALID', 'wrong'))],
    outcome: 'OCI400',
    then: 'no second attempt; the upload is deleted',
    check: () => expect(registry.uploads.size).toBe(0),
  },
  {
    fault: '413, too large for the registry',
    faults: () => [answer({ method: 'PATCH', path: uploads }, 413)],
    outcome: 'OCI400',
    then: 'no second attempt; the upload is deleted',
    check: () => expect([attempts('PATCH', uploads)(), registry.uploads.size]).toEqual([1, 0]),
  },
  {
    fault: '429 with `Retry-After`',
    faults: () => [answer({ method: 'PATCH', path: uploads, times: 2 }, 429, { 'retry-after': '0' })],
    outcome: 'pushed',
    then: 'waits as long as it is asked to, up to a minute',
  },
  {
    fault: '429 that asks for an hour',
    faults: () => [answer({ path: /./ }, 429, { 'retry-after': '3600' })],
    outcome: 'OCI429',
    then: 'fails at once',
    check: () => expect(registry.exchanges).toHaveLength(1),
  },
  {
    fault: '500 once',
    faults: () => [
      answer({ method: 'PATCH', path: uploads, times: 1 }, 500),
      answer({ method: 'PUT', path: /manifests/, times: 1 }, 503),
    ],
    outcome: 'pushed',
    then: 'tries again, after 0.5 s',
  },
  {
    fault: '500 for ever',
    faults: () => [answer({ method: 'PATCH', path: uploads }, 500)],
    outcome: 'OCI500',
    then: 'gives up after 5 attempts; the upload is deleted',
    check: () => expect([attempts('PATCH', uploads)(), registry.uploads.size]).toEqual([3, 0]),
  },
  {
    fault: '500 for ever where the manifest is put',
    faults: () => [answer({ method: 'PUT', path: /manifests/ }, 500)],
    outcome: 'OCI500',
    then: 'gives up after 5 attempts',
  },
  {
    fault: 'disk full: 507',
    faults: () => [answer({ method: 'PATCH', path: uploads }, 507)],
    outcome: 'OCI507',
    then: 'no second attempt; the upload is deleted, which frees space',
    check: () => expect([attempts('PATCH', uploads)(), registry.uploads.size]).toEqual([1, 0]),
  },
  {
    fault: 'disk full: 500 that says so',
    faults: () => [
      answer({ method: 'PATCH', path: uploads }, 500, {}, errors('UNKNOWN', 'write: no space left on device')),
    ],
    outcome: 'OCI507',
    then: 'gives up after 5 attempts; the upload is deleted, which frees space',
  },
  {
    fault: 'a wrong digest is answered for the manifest',
    faults: () => [
      answer({ method: 'PUT', path: /manifests/ }, 201, { 'docker-content-digest': `sha256:${'0'.repeat(64)}` }),
    ],
    outcome: 'OCI006',
    then: 'fails before any tag is set',
  },
  {
    fault: 'a layer comes back changed',
    faults: () => [corruptBlob],
    outcome: 'OCI006',
    then: 'fails before any tag is set',
  },
  {
    fault: 'a layer is missing when it is pulled back',
    faults: () => [answer({ method: 'GET', path: /\/blobs\/sha256:/ }, 404)],
    outcome: 'OCI404',
    then: 'fails before any tag is set',
  },
  {
    fault: 'what goes with the image can not be attached',
    faults: () => [],
    options: { attach: () => Promise.reject(Object.assign(new Error('no'), { code: 'SUP000' })) },
    outcome: 'SUP000',
    then: 'fails before any tag is set',
  },
]

/** Where it is cut does not matter to what a tag names: nothing, or the image before. */
test.each(rows)('$fault: $outcome, and no half image', async ({ faults, outcome: expected, options, check }) => {
  registry.faults = faults()
  expect(await outcome(push(moduleOf(SIZE), options))).toBe(expected)
  check?.()
  const pushed = expected === 'pushed'
  expect(registry.tag(REPOSITORY, 'v1') !== undefined).toBe(pushed)

  registry.faults = []
  registry.cutAfter = undefined
  registry.exchanges.length = 0
  const old = (await push(moduleOf(SIZE))).digest
  registry.exchanges.length = 0
  registry.faults = faults()
  const next = moduleOf(SIZE)
  expect(await outcome(push(next, options))).toBe(expected)
  expect(registry.tag(REPOSITORY, 'v1')).toBe(pushed ? imageOf(next).manifest.digest : old)
})

test('Ctrl-C: OCI009, the upload is deleted, no tag', async () => {
  const controller = new AbortController()
  const pushing = push(moduleOf(SIZE), { signal: controller.signal, onProgress: () => controller.abort() })
  expect(await outcome(pushing)).toBe('OCI009')
  expect(registry.uploads.size).toBe(0)
  expect(registry.manifests.size).toBe(0)
})

test('a certificate of an unknown authority: OCI003, and with --ca it is pushed', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'meshscript-test-'))
  const [key, ca] = [join(folder, 'key.pem'), join(folder, 'ca.pem')]
  const subject = ['-subj', '/CN=registry', '-addext', 'subjectAltName=IP:127.0.0.1']
  execFileSync(
    'openssl',
    [
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-days',
      '2',
      '-keyout',
      key,
      '-out',
      ca,
      ...subject,
    ],
    { stdio: 'pipe' },
  )
  await registry.close()
  registry = await MemoryRegistry.start({ key: readFileSync(key, 'utf8'), cert: readFileSync(ca, 'utf8') })
  try {
    const module = moduleOf(1000)
    expect(await outcome(push(module, { insecure: false }))).toBe('OCI003')
    expect(registry.exchanges).toHaveLength(0)
    expect(await outcome(push(module, { insecure: false, ca }))).toBe('pushed')
    expect(await outcome(push(module, { insecure: false, env: { ...options.env, SSL_CERT_FILE: ca } }))).toBe('pushed')
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('nobody listens: OCI002, without a second attempt', async () => {
  const { host } = registry
  await registry.close()
  const reference = parseReference(`oci://${host}/${REPOSITORY}`)
  const start = performance.now()
  const retry = { attempts: 3, delay: 10_000 }
  expect(await outcome(pushImage(imageOf(moduleOf(10)), reference, ['v1'], { ...options, retry }))).toBe('OCI002')
  expect(performance.now() - start).toBeLessThan(retry.delay)
  registry = await MemoryRegistry.start()
})

test('docs/push.md has this table', () => {
  const page = readFileSync(new URL('../../docs/push.md', import.meta.url), 'utf8')
  const listed = [...page.matchAll(/^\| (.+?) +\| (.+?) +\| `?(pushed|[A-Z]+\d+)`? +\|$/gm)].map((match) =>
    match.slice(1, 4).join(' | '),
  )
  const expected = rows
    .filter(({ outcome }) => outcome !== 'SUP000')
    .map(({ fault, then, outcome }) => `${fault} | ${then} | ${outcome}`)
  expect(listed).toEqual(expected)
})
