/** Where flow records go. The same on both hosts. */
import { cluster, createHost, type HttpHandler } from '@meshscript/sdk/testing'
import { describe, expect, test } from 'vitest'
import { counted, host, received } from '../testing.ts'
import { type Line, lines, start, telemetry } from './testing.ts'

describe('a receiver', () => {
  async function startReceiver(flows: object = {}, receive: HttpHandler = () => 200): Promise<void> {
    const exporter = { cluster: 'collector', headers: { 'x-key': 'k' } }
    await start({ log: false, exporter, ...flows }, {}, { clusters: { collector: cluster.http(receive) } })
  }

  const urls = (body: Buffer) =>
    body
      .toString()
      .split('\n')
      .map((line) => line && (JSON.parse(line) as Line).flow.l7.http.url)

  test('gets a line for each request, many at once', async () => {
    await startReceiver({ batch: { maxItems: 3, interval: '1m' } })
    for (let n = 0; n < 6; n++) await host.request(`/${n}`)
    await received(2)
    expect(host.callouts).toHaveLength(2)
    const [first, second] = host.callouts
    expect(first).toMatchObject({ method: 'POST', path: '/flows', authority: 'collector' })
    expect(first!.headers.get('content-type')).toBe('application/x-ndjson')
    expect(first!.headers.get('x-key')).toBe('k')
    expect(urls(first!.body)).toEqual([0, 1, 2].map((n) => `http://localhost/${n}`).concat(''))
    expect(urls(second!.body)).toEqual([3, 4, 5].map((n) => `http://localhost/${n}`).concat(''))
    expect(lines()).toEqual([])
    await counted('telemetry_items_total.signal=.=flows;.;.result=.=sent;.;', 6)
  })

  test('gets UTF-8, whatever clients send', async () => {
    await startReceiver({ headers: ['user-agent'], batch: { maxItems: 1 } })
    const head = 'GET /raw HTTP/1.1\r\nhost: a\r\nconnection: close\r\nuser-agent: '
    await host.request({ raw: Buffer.from(`${head}\xff\xfe caf\xe9 \x80\r\n\r\n`, 'latin1') })
    await received(1)
    const { flow } = JSON.parse(new TextDecoder('utf8', { fatal: true }).decode(host.callouts[0]!.body)) as Line
    expect(flow.l7.http.headers).toEqual([{ key: 'User-Agent', value: '\ufffd\ufffd caf\ufffd \ufffd' }])
  })

  test('gets what the log gets', async () => {
    await startReceiver({ log: true, batch: { interval: '20ms' } })
    await host.request('/both')
    await received(1)
    expect(JSON.parse(host.callouts[0]!.body.toString())).toEqual(lines()[0])
  })
})

test.each([
  [{}, /expected where records go/],
  [{ log: false }, /expected where records go/],
  [{ log: true, batch: {} }, /flows\.batch/],
  [{ log: true, headers: ['X-A'] }, /flows\.headers\[0\]/],
  [{ log: true, headers: [''] }, /flows\.headers\[0\]/],
  [{ log: true, headers: Array.from({ length: 33 }, (_, n) => `x-${n}`) }, /flows\.headers/],
  [{ exporter: {} }, /flows\.exporter/],
])('%j is refused, with its place', async (flows, place) => {
  const error = await createHost(telemetry(flows)).then(
    (started) => started.close(),
    (reason: Error & { logs?: { message: string }[] }) => reason,
  )
  expect(error).toBeInstanceOf(Error)
  const { message, logs = [] } = error as Error & { logs?: { message: string }[] }
  expect([message, ...logs.map((line) => line.message)].join('\n')).toMatch(place)
})
