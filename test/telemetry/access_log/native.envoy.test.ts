/** What Envoy's own access log says of a request, with Istio's formats, and what the telemetry filter says: byte by byte. */
import { cluster, type HostOptions } from '@meshscript/sdk/testing'
import { createEnvoyHost } from '@meshscript/sdk/testing/envoy/index'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import filter from '../../../filters/telemetry/assembly/index.ts?filter'
import { istioLogs } from './istio.ts'

const configuration = {
  version: 1,
  reporter: 'destination',
  workload: { name: 'cart-v1', namespace: 'shop' },
  accessLog: [{ format: 'text' }, { format: 'json' }],
}

let folder: string
let close: (() => Promise<void>) | undefined
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'meshscript-access-log-'))
})
afterEach(async () => {
  await close?.()
  close = undefined
  rmSync(folder, { recursive: true, force: true })
})

async function start(options: HostOptions = {}) {
  const [text, json] = [join(folder, 'text'), join(folder, 'json')]
  const { connectionManager = {} } = options
  const host = await createEnvoyHost({
    wasm: filter,
    configuration,
    ...options,
    connectionManager: { ...connectionManager, access_log: istioLogs(text, json) },
  })
  close = () => host.close()
  const linesOf = (file: string) => readFileSync(file, 'latin1').split('\n').slice(0, -1)
  /** Waits until so many requests are in all logs. */
  const compare = async (count: number) => {
    await expect.poll(() => linesOf(json).length, { timeout: 15_000 }).toBe(count)
    await expect.poll(() => host.logs.length, { timeout: 5000 }).toBe(2 * count)
    const own = host.logs.map(({ message }) => message)
    const native = { text: linesOf(text), json: linesOf(json) }
    return {
      native,
      own: { text: own.filter((line) => line.startsWith('[')), json: own.filter((line) => line.startsWith('{')) },
    }
  }
  return { host, compare }
}

test('requests of all sorts', { timeout: 60_000 }, async () => {
  const { host, compare } = await start({
    routes: [
      { prefix: '/named', cluster: 'upstream', name: 'a-route' },
      { prefix: '/refused', cluster: 'refused' },
      { prefix: '/direct', directResponse: { status: 404, body: 'no' } },
      { prefix: '/cluster', clusterHeader: 'x-cluster' },
      { prefix: '/hang', cluster: 'hang' },
      { prefix: '/reset', cluster: 'reset' },
      { prefix: '/ok', cluster: 'upstream' },
    ],
    clusters: { refused: cluster.refused(), hang: cluster.hang(), reset: cluster.reset() },
    upstream: ({ path }) => ({
      status: path === '/ok/5' ? 503 : 200,
      body: 'hello',
      delay: path === '/ok/slow' ? 30 : 0,
    }),
  })
  const send = (path: string, more = {}) => host.request(path, { authority: 'cart.shop:80', ...more })
  await send('/ok')
  await send('/ok?a=b&c="d"')
  await send('/ok/5')
  await send('/ok/slow')
  await send('/named/x', { headers: { 'user-agent': 'curl/8.0', 'x-forwarded-for': '10.0.0.1, 10.0.0.2' } })
  await send('/ok', { method: 'POST', body: 'twelve bytes' })
  await send('/ok', { method: 'POST', body: ['chunk', 'chunks'] })
  await send('/ok', { protocol: 'http2' })
  await send('/refused')
  await send('/direct')
  await send('/nowhere')
  await send('/cluster', { headers: { 'x-cluster': 'nobody' } })
  await send('/reset')
  const stream = await host.stream({ path: '/hang', method: 'POST', headers: { 'content-length': '100' } })
  await stream.write('part')
  await stream.abort()
  const { native, own } = await compare(14)
  expect(own.text).toEqual(native.text)
  expect(own.json).toEqual(native.json)
})
