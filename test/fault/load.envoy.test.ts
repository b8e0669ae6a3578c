/** Many requests in real Envoy at the same time. What a busy machine makes late is not taken for a mistake; `npm run bench:delays` has the figures. */
import { connect, constants, type ClientHttp2Session } from 'node:http2'
import { afterEach, expect, test } from 'vitest'
import filter from '../../filters/fault/assembly/index.ts?filter'
import { createEnvoyHost, type EnvoyHost, LISTENER } from '../../sdk/testing/envoy/index.ts'
import { measureLoad } from './load.ts'

const plugin = { wasm: filter }

test('a thousand wait at the same time on one worker: none is lost or early, and others do not wait with them', async () => {
  const delay = 1000
  const { sent, answered, concurrent, late, alone, beside } = await measureLoad({
    plugin,
    concurrent: 1000,
    delay,
    rounds: 2,
    isBurst: true,
  })
  expect({ sent, answered, concurrent, logged: late.count }).toEqual({
    sent: 2000,
    answered: 2000,
    concurrent: 1000,
    logged: 2000,
  })
  expect(late.least).toBeGreaterThanOrEqual(0)
  // One after the other they would take a thousand times as long.
  expect(late.median).toBeLessThan(delay)
  expect(alone.count).toBeGreaterThan(0)
  // A worker that waits would make each of them take as long.
  expect(beside.median).toBeLessThan(delay / 2)
})

let host: EnvoyHost
const sessions: ClientHttp2Session[] = []
afterEach(async () => {
  for (const session of sessions.splice(0)) session.destroy()
  await host?.close()
})

async function start(fault: object, workers = 1) {
  host = await createEnvoyHost({
    ...plugin,
    configuration: { version: 1, virtualHosts: [{ domains: ['*'], routes: [{ name: 'r', fault }] }] },
    routes: [{ directResponse: { status: 200, body: 'ok' } }],
    workers,
  })
}

function client() {
  const session = connect(`http://127.0.0.1:${host.envoy.ports[LISTENER]}`)
  sessions.push(session)
  return (headers: Record<string, string> = {}) => {
    const stream = session.request({ ':path': '/', ':authority': 'localhost', ...headers })
    const status = new Promise<number>((resolve) => {
      let status = 0
      stream.on('response', (answer) => (status = answer[':status'] ?? 0))
      stream.on('error', () => {})
      stream.on('close', () => resolve(status))
    })
    stream.resume()
    stream.end()
    return { status, cancel: () => stream.close(constants.NGHTTP2_CANCEL) }
  }
}

const statusesOf = (count: number, ask: (i: number) => { status: Promise<number> }) =>
  Promise.all(Array.from({ length: count }, (_, i) => ask(i).status))

test.each([1, 30])('%d of a hundred, within what chance allows but for one run in a billion', async (percentage) => {
  const count = 4000
  await start({ abort: { percentage, httpStatus: 503 } }, 2)
  const clients = Array.from({ length: 8 }, client)
  const statuses = await statusesOf(count, (i) => clients[i % 8]!())
  const hit = statuses.filter((status) => status === 503).length
  const share = percentage / 100
  expect(statuses.filter((status) => status === 200)).toHaveLength(count - hit)
  expect(Math.abs(hit - count * share)).toBeLessThan(6 * Math.sqrt(count * share * (1 - share)))
  expect((await host.metrics())['fault_requests_total.fault=.=abort;.;.route=.=r;.;']).toBe(hit)
})

test('the same user always has it or never, whichever worker has the request', async () => {
  const users = 200
  await start({ abort: { percentage: 40, httpStatus: 503 }, by: { header: 'x-user' } }, 2)
  const clients = Array.from({ length: 4 }, client)
  const first = await statusesOf(users, (i) => clients[0]!({ 'x-user': `user-${i}` }))
  for (const ask of clients) expect(await statusesOf(users, (i) => ask({ 'x-user': `user-${i}` }))).toEqual(first)
  const hit = first.filter((status) => status === 503).length
  // Always the same users.
  expect(hit).toBeGreaterThan(60)
  expect(hit).toBeLessThan(100)
})

test('requests that are reset when they are due, or before', async () => {
  await start({
    delay: { percentage: 100, uniform: { min: '0s', max: '300ms' } },
    abort: { percentage: 50, httpStatus: 503 },
  })
  const ask = client()
  const requests = Array.from({ length: 900 }, () => ask())
  // Fewer than half of them: beyond, Envoy takes it for an attack and ends the connection.
  const isKept = (i: number) => i % 5 > 1
  const kept = requests.filter((_, i) => isKept(i))
  requests.forEach(({ cancel }, i) => isKept(i) || setTimeout(cancel, (i * 7) % 300))
  const statuses = await Promise.all(kept.map(({ status }) => status))
  expect(new Set(statuses)).toEqual(new Set([200, 503]))
  await Promise.all(requests.map(({ status }) => status))
  expect([200, 503]).toContain(await ask().status)
  expect(host.envoy.running).toBe(true)
})

test('those that wait go on when the configuration changes', async () => {
  await start({ delay: { percentage: 100, fixed: '4s' } })
  const ask = client()
  const waiting = Array.from({ length: 100 }, () => ask().status)
  const delayed = async () => (await host.metrics())['fault_requests_total.fault=.=delay;.;.route=.=r;.;']
  await expect.poll(delayed, { timeout: 5000 }).toBe(100)
  await host.reconfigure({ version: 1, virtualHosts: [], enabled: false })
  expect(await ask().status).toBe(200)
  expect(new Set(await Promise.all(waiting))).toEqual(new Set([200]))
})
