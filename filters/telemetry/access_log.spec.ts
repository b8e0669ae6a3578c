/** Lines of access logs: which requests have one, what is in it, and where it goes. The same on both hosts. */
import { cluster, createHost, type Host, type HostOptions, type HttpHandler } from '@meshscript/sdk/testing'
import { afterEach, describe, expect, test, vi } from 'vitest'
import filter from './assembly/index.ts?filter'

const workload = { name: 'cart-v1', namespace: 'shop' }
const ID = '6b1f3d0e-0c5b-4a9b-9f0e-111111111111'
const headers = { 'x-request-id': ID, 'user-agent': 'curl/8.0', 'x-forwarded-for': '10.0.0.9' }

let host: Host | undefined
afterEach(() => host?.close())

async function start(accessLog: object[], options: HostOptions = {}): Promise<Host> {
  host = await createHost({
    wasm: filter,
    configuration: { version: 1, reporter: 'destination', workload, accessLog },
    // What a client says is kept.
    connectionManager: { use_remote_address: false, preserve_external_request_id: true },
    ...options,
  })
  return host
}

const lines = () => host!.logs.filter(({ level }) => level === 'info').map(({ message }) => message)
const warnings = () => host!.logs.filter(({ level }) => level === 'warn').map(({ message }) => message)
const parsed = () => lines().map((line) => JSON.parse(line) as Record<string, unknown>)

const TIME = '\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z'
const ADDRESS = '127\\.0\\.0\\.1:\\d+'

describe('formats', () => {
  test('text, as Istio has it', async () => {
    await start([{}], { routes: [{ prefix: '/', cluster: 'upstream', name: 'default' }] })
    const init = { authority: 'cart.shop:80', method: 'POST', body: 'twelve bytes', headers }
    const before = Date.now()
    await host!.request('/items?id=1', init)
    const [line] = lines()
    expect(line).toMatch(
      new RegExp(
        `^\\[${TIME}\\] "POST /items\\?id=1 HTTP/1\\.1" 200 - via_upstream - "-" 12 2 \\d+ \\d+ "10\\.0\\.0\\.9" "curl/8\\.0" ` +
          `"${ID}" "cart\\.shop:80" "${ADDRESS}" upstream ${ADDRESS} ${ADDRESS} 10\\.0\\.0\\.9:0 - default$`,
      ),
    )
    if (host!.name !== 'node') expect(Math.abs(Date.parse(line!.slice(1, 25)) - before)).toBeLessThan(10_000)
  })

  test('JSON, with its types, and null for what there is not', async () => {
    await start([{ format: 'json' }])
    await host!.request('/items', { authority: 'cart.shop:80', headers: { 'x-request-id': ID } })
    const [line] = parsed()
    expect(line).toEqual({
      start_time: expect.stringMatching(new RegExp(`^${TIME}$`)) as string,
      route_name: null,
      method: 'GET',
      path: '/items',
      protocol: 'HTTP/1.1',
      response_code: 200,
      response_flags: '-',
      response_code_details: 'via_upstream',
      connection_termination_details: null,
      bytes_received: 0,
      bytes_sent: 2,
      duration: expect.any(Number) as number,
      upstream_service_time: expect.stringMatching(/^\d+$/) as string,
      x_forwarded_for: null,
      user_agent: null,
      request_id: ID,
      authority: 'cart.shop:80',
      upstream_host: expect.stringMatching(ADDRESS) as string,
      upstream_cluster: 'upstream',
      upstream_local_address: expect.stringMatching(ADDRESS) as string,
      downstream_local_address: expect.stringMatching(ADDRESS) as string,
      downstream_remote_address: expect.stringMatching(ADDRESS) as string,
      requested_server_name: null,
      upstream_transport_failure_reason: null,
    })
    expect(Object.keys(line!)).toEqual(Object.keys(line!).sort())
  })

  test('of requests that no upstream answers', async () => {
    await start([{}, { format: 'json' }], {
      routes: [
        { prefix: '/direct', directResponse: { status: 404 } },
        { prefix: '/none', cluster: 'refused' },
      ],
      clusters: { refused: cluster.refused() },
    })
    for (const path of ['/direct', '/none', '/nowhere']) await host!.request(path, { headers })
    const texts = lines().filter((line) => line.startsWith('['))
    expect(texts[0]).toContain('" 404 - direct_response - "-" 0 0 ')
    expect(texts[0]).toMatch(/"-" - - \S+ \S+ - -$/)
    expect(texts[1]).toContain('" 503 UF ')
    expect(texts[2]).toContain('" 404 NR route_not_found - "-" 0 0 ')
    const jsons = lines().filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as { upstream_host: string | null }) // prettier-ignore
    expect(jsons.map(({ upstream_host }) => upstream_host === null)).toEqual([true, false, true])
  })

  test('of a request that the client has given up', async () => {
    await start([{}], { upstream: () => ({ hang: true }) })
    const stream = await host!.stream({ path: '/', method: 'POST' })
    await stream.write('part')
    await stream.abort()
    await vi.waitFor(() => expect(lines()).toHaveLength(1), 10_000)
    expect(lines()[0]).toMatch(/" 0 DC \S+ - "-" 4 0 /)
  })

  test('of the path that the client has sent', async () => {
    await start([{}])
    await host!.request('/after', { headers: { 'x-envoy-original-path': '/before' } })
    expect(lines()[0]).toContain('"GET /before HTTP/1.1"')
  })
})

describe('values that clients choose', () => {
  test('neither end a line nor break the JSON', async () => {
    await start([{}, { format: 'json' }])
    const agent = 'a"b\\c\td {"x":1} \u2028 é'
    await host!.request('/', { headers: { 'user-agent': agent } })
    const [text, json] = lines()
    expect(text).toContain(` "${agent}" `)
    expect(JSON.parse(json!)).toMatchObject({ user_agent: agent })
  })

  test('end after 8 KiB, with a whole character', async () => {
    await start([{}, { format: 'json' }])
    await host!.request('/', { headers: { 'user-agent': `${'a'.repeat(8191)}é and more`, 'x-forwarded-for': 'b'.repeat(9000) } }) // prettier-ignore
    const [text, json] = lines()
    expect(text).toContain(` "${'b'.repeat(8192)}" `)
    expect(JSON.parse(json!)).toMatchObject({ user_agent: 'a'.repeat(8191), x_forwarded_for: 'b'.repeat(8192) })
  })
})

describe('filters', () => {
  const statuses: HttpHandler = ({ path }) => Number(path.slice(1))

  test('take those for which the condition holds', async () => {
    await start([{ format: 'json', filter: 'response.code >= 400' }], { upstream: statuses })
    for (const status of [200, 404, 302, 500]) await host!.request(`/${status}`)
    expect(parsed().map(({ response_code }) => response_code)).toEqual([404, 500])
    expect(warnings()).toEqual([])
  })

  test('are each log’s own', async () => {
    const logs = [{ filter: 'request.method == "POST"' }, { format: 'json', filter: 'response.code >= 500' }]
    await start(logs, { upstream: statuses })
    await host!.request('/200', { method: 'POST' })
    await host!.request('/500')
    await host!.request('/503', { method: 'POST' })
    expect(lines().map((line) => line[0])).toEqual(['[', '{', '[', '{'])
  })

  test.each([
    ['has no value', 'request.headers["x-missing"] == "a"'],
    ['is no condition', 'request.method'],
  ])('a request for which one %s is not logged: said once, and counted', async (_, condition) => {
    await start([{ filter: condition }])
    for (let n = 0; n < 3; n++) await host!.request('/')
    expect(lines()).toEqual([])
    expect(warnings()).toEqual([expect.stringContaining('accessLog[0].filter')])
    const name = 'telemetry_items_total.signal=.=accessLog;.;.result=.=unevaluated;.;'
    expect(await host!.metrics()).toMatchObject({ [name]: 3 })
  })
})

test('lines that the proxy does not write cost nothing, which is said', async () => {
  await start([{}], { logLevel: 'warn' })
  await host!.request('/')
  expect(lines()).toEqual([])
  expect(warnings()[0]).toContain('--component-log-level wasm:info')
})

describe('a receiver', () => {
  /** Until the receiver has so many requests. */
  async function received(count: number): Promise<void> {
    for (let i = 0; i < 100 && host!.callouts.length < count; i++) await host!.advance('20ms')
    expect(host!.callouts.length).toBe(count)
  }

  test.each([
    ['text', 'text/plain', '['],
    ['json', 'application/x-ndjson', '{'],
  ])('gets lines of format %s, many at once', async (format, type, first) => {
    const exporter = { cluster: 'logs', authority: 'logs.ops', headers: { 'x-key': 'k' } }
    await start([{ format, exporter, batch: { maxItems: 3, interval: '1h' } }], {
      clusters: { logs: cluster.http(() => 200) },
    })
    for (let n = 0; n < 6; n++) await host!.request(`/${n}`)
    await received(2)
    expect(lines()).toEqual([])
    const [call] = host!.callouts
    expect(call).toMatchObject({ cluster: 'logs', method: 'POST', path: '/logs', authority: 'logs.ops' })
    expect(call!.headers.get('content-type')).toBe(type)
    expect(call!.headers.get('x-key')).toBe('k')
    const body = host!.callouts.map((each) => each.body.toString()).join('')
    expect(body.endsWith('\n')).toBe(true)
    const got = body.trimEnd().split('\n')
    expect(got).toHaveLength(6)
    for (const [n, line] of got.entries()) {
      expect(line[0]).toBe(first)
      expect(line).toContain(`/${n}`)
      if (format === 'json') expect(JSON.parse(line)).toMatchObject({ path: `/${n}` })
    }
    await vi.waitFor(async () => {
      const sent = 'telemetry_items_total.signal=.=accessLog;.;.result=.=sent;.;'
      expect(await host!.metrics()).toMatchObject({ [sent]: 6 })
    }, 10_000)
  })

  test('and the log have what they are for', async () => {
    const exporter = { cluster: 'logs', path: '/in' }
    const logs = [{ filter: 'request.path == "/a"' }, { format: 'json', exporter, batch: { interval: '20ms' } }]
    await start(logs, { clusters: { logs: cluster.http(() => 200) } })
    await host!.request('/a')
    await host!.request('/b')
    expect(lines()).toHaveLength(1)
    const bodies = () => host!.callouts.map(({ body }) => body.toString()).join('')
    for (let i = 0; i < 100 && bodies().split('\n').length < 3; i++) await host!.advance('20ms')
    expect(bodies().trimEnd().split('\n').map((line) => (JSON.parse(line) as { path: string }).path)).toEqual(['/a', '/b']) // prettier-ignore
    expect(host!.callouts[0]!.path).toBe('/in')
  })
})
