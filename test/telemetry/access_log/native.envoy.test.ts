/** What Envoy's own access log says of a request, with Istio's formats, and what the telemetry filter says: byte by byte. */
import { cluster, type HostOptions } from '@meshscript/sdk/testing'
import { createEnvoyHost, typed } from '@meshscript/sdk/testing/envoy/index'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import filter from '../../../filters/telemetry/assembly/index.ts?filter'
import answer from './assembly/index.ts?filter'
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
  const linesOf = (file: string) => readFileSync(file, 'utf8').split('\n').slice(0, -1)
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

test('values that would end a line, a text, or the JSON', { timeout: 60_000 }, async () => {
  const { host, compare } = await start()
  const send = (path: string, headers: Record<string, string>) => host.request(path, { headers })
  await send('/', { 'user-agent': 'a "quoted" \\ and\ttabbed %REQ(X)% \u2028 </script> é', 'x-forwarded-for': '' })
  await send('/a', { 'x-envoy-original-path': '/b"} {"c":1', 'x-request-id': '"' })
  await send('/a', { 'x-envoy-original-path': '', 'user-agent': '\u{1f600}\u007e' })
  const head = 'GET /raw HTTP/1.1\r\nhost: a\r\nconnection: close\r\nuser-agent: '
  await host.request({ raw: Buffer.from(`${head}\xff\xfe caf\xe9 \x80\r\n\r\n`, 'latin1') })
  const { native, own } = await compare(4)
  expect(own.text).toEqual(native.text)
  expect(own.json).toEqual(native.json)
})

test('details that another filter gives', { timeout: 60_000 }, async () => {
  const { host, compare } = await start({
    wasm: undefined,
    filters: [{ wasm: filter, configuration }, { wasm: answer }],
  })
  const details = [
    'why',
    'with some\tblanks',
    'rbac_access_denied_matched_policy[ns[foo]-policy[bar]-rule[0]]',
    '"{',
    '',
  ]
  for (const each of details) await host.request('/', { headers: { 'x-details': each } })
  const { native, own } = await compare(details.length)
  expect(own.text).toEqual(native.text)
  expect(own.json).toEqual(native.json)
  expect(
    own.json.map((line) => (JSON.parse(line) as { response_code_details: string | null }).response_code_details),
  ).toEqual(['why', 'with_some_blanks', details[2], '"{', ''])
})

test('what Envoy refuses by itself: no HTTP, and control characters', { timeout: 60_000 }, async () => {
  const { host, compare } = await start()
  const head = 'GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\nuser-agent: a'
  const refused = ['no HTTP\r\n\r\n', `${head}\x1b[31m\r\n\r\n`, `${head}\x00\r\n\r\n`]
  for (const raw of refused) expect((await host.request({ raw })).status).toBe(400)
  const { native, own } = await compare(refused.length)
  expect(own.text).toEqual(native.text)
  expect(own.json).toEqual(native.json)
  for (const line of own.text) expect(line).toMatch(/"- - HTTP\/1\.1" 400 DPE http1\.\w+ - /)
})

test('TLS: the name that was asked for, and what TLS of an upstream finds wrong', { timeout: 60_000 }, async () => {
  const server = createServer((socket) => socket.end('no TLS\n'.repeat(9)).on('error', () => {}))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port: port_value } = server.address() as AddressInfo
  const socket_address = { address: '127.0.0.1', port_value }
  const context = typed('envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext')
  const { host, compare } = await start({
    tls: {},
    routes: [{ prefix: '/tls', cluster: 'tls' }, { prefix: '/' }],
    bootstrap: {
      static_resources: {
        clusters: [
          {
            name: 'tls',
            load_assignment: {
              cluster_name: 'tls',
              endpoints: [{ lb_endpoints: [{ endpoint: { address: { socket_address } } }] }],
            },
            transport_socket: { name: 'tls', typed_config: context },
          },
        ],
      },
    },
  })
  try {
    const peer = 'spiffe://cluster.local/ns/web/sa/front'
    await host.request('/', { peer, sni: 'cart.shop.svc' })
    await host.request('/', { peer, protocol: 'http2' })
    await host.request('/tls', { peer })
    const { native, own } = await compare(3)
    expect(own.text).toEqual(native.text)
    expect(own.json).toEqual(native.json)
    expect(own.text[0]).toContain(' cart.shop.svc -')
    expect(own.text[2]).toMatch(/ 503 UF \S+ - "TLS_error:\|\d+:SSL_routines:OPENSSL_internal:\w+:TLS_error_end" /)
  } finally {
    server.close()
  }
})
