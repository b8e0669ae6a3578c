/** Filters of the Rust SDK, which real projects use, in real Envoy. */
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterEach, expect, test } from 'vitest'
import { createEnvoyHost, type EnvoyHost } from './index.ts'

const folder = fileURLToPath(new URL('../../../../shared/peers/wasm/', import.meta.url))

let host: EnvoyHost | undefined
afterEach(() => host?.close())

// A published copy of the project has no such folder, and then these are not part of the suite.
if (existsSync(folder)) {
  const start = async (module: string, workers = 1) =>
    (host = await createEnvoyHost({ wasm: `${folder}${module}.wasm`, workers }))

  test.for(['rust_hdr', 'raw_hdr'])('%s adds headers', async (module) => {
    const host = await start(module)
    const response = await host.request({ headers: { 'x-user': 'bob' } })
    expect(response.headers.get('x-resp')).toBe('1')
    expect(response.upstream!.headers.get('x-added')).toBe('bob')
  })

  test('rust_authz decides by its configuration, also by a new one', async () => {
    const rules = (path: string) => ({ rules: [{ methods: ['GET'], path: { exact: path }, user: 'alice' }] })
    host = await createEnvoyHost({ wasm: `${folder}rust_authz.wasm`, configuration: rules('/a') })
    const status = async (path: string) => (await host!.request(path, { headers: { 'x-user': 'alice' } })).status
    expect([await status('/a'), await status('/b')]).toEqual([200, 403])
    await host.reconfigure(rules('/b'))
    expect([await status('/a'), await status('/b')]).toEqual([403, 200])
  })

  test('rust_rl takes tokens from shared data on several workers', async () => {
    const host = await start('rust_rl', 2)
    const responses = await Promise.all(Array.from({ length: 8 }, () => host.request()))
    expect(responses.every(({ status }) => status === 200)).toBe(true)
  })

  test('rust_tele counts in its access log phase, before the next line of a spec', async () => {
    const host = await start('rust_tele', 2)
    for (let i = 1; i <= 20; i++) {
      await host.request()
      const metrics = await host.metrics()
      expect(metrics['tele.requests.method.GET.status.200']).toBe(i)
      expect(metrics['tele.duration_us.method.GET.status.200']).toMatchObject({ count: i })
    }
  })
}
