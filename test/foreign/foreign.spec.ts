/**
 * Filters that were not made with Meshscript, unchanged, on every host: those of the Rust SDK and those without any, as
 * they lie beside the repository, and one by Go, which needs WASI and is built here where there is a Go.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { cluster, createHost, type Host, type HostOptions, type RequestInit } from '@meshscript/sdk/testing'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'

let host: Host | undefined
afterEach(() => host?.close())

async function start(options: HostOptions): Promise<Host> {
  return (host = await createHost(options))
}

const peers = fileURLToPath(new URL('../../../shared/peers/wasm/', import.meta.url))
if (existsSync(peers)) {
  const peer = (name: string) => join(peers, `${name}.wasm`)

  describe('Rust', () => {
    it.each(['rust_hdr', 'raw_hdr'])('%s: headers both ways', async (name) => {
      const { request } = bound(await start({ wasm: peer(name) }))
      const response = await request('/', { headers: { 'x-user': 'bob' } })
      expect(response).toHaveHeader('x-resp', '1')
      expect(response).toReachUpstream({ headers: { 'x-added': 'bob' } })
      expect(await request('/')).toReachUpstream()
    })

    it('rust_authz: by method, path and user', async () => {
      const rules = [
        { methods: ['GET'], path: { prefix: '/public' }, user: 'bob' },
        { methods: ['POST'], path: { exact: '/admin' }, user: 'eve' },
      ]
      const { request } = bound(await start({ wasm: peer('rust_authz'), configuration: { rules } }))
      const as = (user: string) => ({ headers: { 'x-user': user } })
      expect(await request('/public/x?y', as('bob'))).toBeAllowed()
      expect(await request('/public/x', as('eve'))).toBeDenied(403)
      expect(await request('/admin', { method: 'POST', body: 'x', ...as('eve') })).toReachUpstream({ body: 'x' })
      const denied = await request('/admin', as('eve'))
      expect(denied).toBeDenied(403)
      expect(denied.text).toBe('denied')
    })

    it('rust_authz: refuses a configuration that it cannot read', async () => {
      await expect(start({ wasm: peer('rust_authz'), configuration: '{' })).rejects.toThrow(
        'Unable to create Wasm plugin rust_authz; Failed to configure base Wasm plugin',
      )
    })

    it('rust_rl: shared data and time', async () => {
      const { request } = bound(await start({ wasm: peer('rust_rl') }))
      for (let i = 0; i < 5; i++) expect(await request('/')).toBeAllowed()
    })

    it('rust_tele: metrics', async () => {
      const { host, request } = bound(await start({ wasm: peer('rust_tele'), upstream: () => 201 }))
      await request('/')
      await request('/', { method: 'PUT' })
      await expect(host).toHaveMetric('tele.requests.method.GET.status.201', 1)
      await expect(host).toHaveMetric('tele.requests.method.PUT.status.201', 1)
    })

    it.each(['rust_noop', 'raw_ctxonly', 'raw_full', 'raw_reqonly'])('%s: nothing', async (name) => {
      const { request } = bound(await start({ wasm: peer(name) }))
      expect(await request('/', { method: 'POST', body: ['a', 'b'] })).toReachUpstream({ body: 'ab' })
    })

    it('share a chain', async () => {
      const filters = ['rust_hdr', 'rust_tele', 'raw_hdr'].map((name) => ({ wasm: peer(name) }))
      const { host, request } = bound(await start({ filters, clusters: { other: cluster.refused() } }))
      const response = await request('/', { headers: { 'x-user': 'bob' } })
      expect(response.headers.getAll('x-resp').length).toBeGreaterThan(0)
      expect(response.upstream!.headers.getAll('x-added')).toContain('bob')
      await expect(host).toHaveMetric('tele.requests.method.GET.status.200', 1)
    })
  })
}

if (spawnSync('go', ['version']).status === 0) {
  describe('Go, with WASI', () => {
    const directory = mkdtempSync(join(tmpdir(), 'foreign-go-'))
    const wasm = join(directory, 'filter.wasm')
    beforeAll(() => {
      // What the machine has has to do: no other toolchain, no modules.
      const env = { ...process.env, GOOS: 'wasip1', GOARCH: 'wasm', GOTOOLCHAIN: 'local', GOPROXY: 'off', GOFLAGS: '' }
      const cwd = fileURLToPath(new URL('./go', import.meta.url))
      execFileSync('go', ['build', '-buildmode=c-shared', '-trimpath', '-ldflags=-s', '-o', wasm, '.'], { cwd, env })
    }, 240_000)
    afterAll(() => rmSync(directory, { recursive: true, force: true }))

    it('reads the environment and its configuration, and logs in every way', async () => {
      const { host, request } = bound(await start({ wasm, configuration: 'world', environment: { GREETING: 'hello' } }))
      expect(await request('/x')).toReachUpstream({ headers: { 'x-go': 'hello world' } })
      expect(host).toContainLog('info', 'configured with world')
      expect(host).toContainLog('warn', 'headers for /x')
    })

    it('has time and random bytes', async () => {
      const { request } = bound(await start({ wasm }))
      const answers = [await request('/now'), await request('/now')].map(({ text }) => text.split(' '))
      expect(Math.abs(Number(answers[0]![0]) - Date.now() / 1000)).toBeLessThan(60)
      expect(answers[0]![1]).not.toBe(answers[1]![1])
    })

    it('survives many requests', async () => {
      const { request } = bound(await start({ wasm, configuration: 'x', environment: { GREETING: 'hi' } }))
      for (let i = 0; i < 200; i++) expect(await request(`/${i}`)).toReachUpstream({ headers: { 'x-go': 'hi x' } })
    })
  })
}

function bound(host: Host) {
  return { host, request: (path: string, init?: RequestInit) => host.request(path, init) }
}
