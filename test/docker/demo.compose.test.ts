/** The demo in containers: its verdicts are those of `npm start`, Prometheus sees Envoy, and the registry takes a push. */

import { expect, test, vi } from 'vitest'
import { Demo, LOADER, root, run } from './demo.ts'

const demo = new Demo(
  'examples/payments/docker.ts',
  ['envoy', 'node', 'prometheus', 'registry'],
  ['PORT', 'ADMIN_PORT', 'FRONTEND_PORT', 'PROMETHEUS_PORT', 'REGISTRY_PORT'],
)

/** Where the demo says that something is. */
function shown(pattern: RegExp): string {
  const found = pattern.exec(demo.output)?.[1]
  if (!found) throw new Error(`nothing like ${pattern} in\n${demo.output}`)
  return found
}

const table = (text: string): string => /^request .*?\n\n.*$/ms.exec(text)?.[0].split('\n\nWhy')[0] ?? ''

test('its table is that of npm start', async () => {
  const { stdout } = await run(process.execPath, [...LOADER, 'examples/payments/run.ts', '--once'], { cwd: root })
  expect(table(stdout)).toMatch(/allow.*deny.*Every verdict is as expected/s)
  expect(table(demo.output)).toBe(table(stdout))
})

test('the frontend adds its certificate', async () => {
  const charge = (headers: Record<string, string>) =>
    fetch(`${shown(/(http:\S+)\/charge\n/)}/charge`, { method: 'POST', headers })
  const allowed = await charge({ 'X-Auth': 'admin' })
  expect([allowed.status, await allowed.text()]).toEqual([200, 'payments: POST /charge done\n'])
  expect((await charge({ 'X-Auth': 'user' })).status).toBe(403)
})

test('Prometheus has what Envoy and the filter count', async () => {
  const server = shown(/(http:\S+)\/graph/)
  const ask = async (query: string) => {
    const response = await fetch(`${server}/api/v1/query?query=${encodeURIComponent(query)}`)
    const { data } = (await response.json()) as { data: { result: { value: [number, string] }[] } }
    return Number(data.result[0]?.value[1])
  }
  await vi.waitFor(
    async () => {
      expect(await ask('up{job="envoy"}')).toBe(1)
      expect(
        await ask('sum(envoy_http_downstream_rq_total{envoy_http_conn_manager_prefix="payments"})'),
      ).toBeGreaterThan(7)
      expect(await ask('sum({__name__=~".*authorization_requests_total",verdict="denied"})')).toBeGreaterThan(5)
    },
    { timeout: 20_000, interval: 200 },
  )
}, 30_000)

test('the registry takes a push', async () => {
  const [, file, reference] = /meshscript push (\S+) (\S+) --insecure/.exec(demo.output)!
  const args = ['cli/bin/meshscript.js', 'push', file!, reference!, '--insecure', '--json']
  const { stdout } = await run(process.execPath, args, { cwd: root })
  const [, host, name, tag] = /^oci:\/\/([^/]+)\/([^:]+):(.+)$/.exec(reference!)!
  const accept = 'application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json'
  const manifest = await fetch(`http://${host}/v2/${name}/manifests/${tag}`, { headers: { accept } })
  expect(manifest.status).toBe(200)
  expect(stdout).toContain(manifest.headers.get('docker-content-digest'))
}, 60_000)

test('Ctrl-C ends and removes all of it', async () => {
  expect(await demo.containers()).toHaveLength(5)
  expect(await demo.interrupt()).toBe(0)
  expect(await demo.containers()).toEqual([])
}, 60_000)
