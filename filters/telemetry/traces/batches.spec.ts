/** When spans are sent, and what becomes of those that nobody takes. The same on both hosts. */
import { describe, expect, test } from 'vitest'
import { counted, host, received } from '../testing.ts'
import { attributesOf, bodies, EXPORTER, SOON, spansOf, start, workload } from './testing.ts'

describe('batches', () => {
  const items = (result: string) => `telemetry_items_total.signal=.=spans;.;.result=.=${result};.;`

  test('as many as are waited for go together', async () => {
    await start({ exporter: EXPORTER, batch: { maxItems: 3, interval: '1h' } })
    for (let i = 0; i < 7; i++) await host.request(`/${i}`)
    await received(2)
    expect(bodies().map((body) => spansOf(body).map((span) => attributesOf(span)['url.path']))).toEqual([
      ['/0', '/1', '/2'],
      ['/3', '/4', '/5'],
    ])
    await counted(items('sent'), 6)
  })

  test('a receiver that fails for a while gets them later, those that there is no room for are dropped and counted', async () => {
    let isWell = false
    const batch = { maxItems: 2, maxQueue: 4, interval: '20ms' }
    await start({ exporter: EXPORTER, batch }, {}, {}, () => (isWell ? 200 : 503))
    for (let i = 0; i < 10; i++) expect((await host.request(`/${i}`)).status).toBe(200)
    await received()
    await counted(items('dropped'), 6)
    isWell = true
    await counted(items('sent'), 4)
    const paths = bodies().map((body) => spansOf(body).map((span) => attributesOf(span)['url.path']))
    // By itself, where the second request took longer than the interval.
    expect([['/0'], ['/0', '/1']]).toContainEqual(paths[0])
    expect(paths.slice(-2)).toEqual([
      ['/0', '/1'],
      ['/2', '/3'],
    ])
    await host.request('/after')
    await counted(items('sent'), 5)
    await expect(host).toHaveMetric('telemetry_items_total', 11)
    expect(host).toContainLog('warn', 'spans: collector takes none: status 503; they are kept')
    expect(host).toContainLog('warn', 'spans: collector takes them again; 6 were dropped')
  })

  test('what the receiver refuses is not sent again', async () => {
    await start({ exporter: EXPORTER, batch: SOON }, {}, {}, () => 400)
    await host.request()
    await counted(items('rejected'), 1)
    await host.advance('200ms')
    expect(host.callouts).toHaveLength(1)
    expect(host).toContainLog('warn', 'spans: collector refuses 1: status 400')
  })

  test('retry-after is respected', async () => {
    await start({ exporter: EXPORTER, batch: SOON }, {}, {}, () => ({ status: 429, headers: { 'retry-after': '2' } }))
    await host.request()
    await received()
    await host.advance('600ms')
    expect(host.callouts).toHaveLength(1)
    await received(2)
  })

  test('a cluster that is not there', async () => {
    await start({ exporter: { type: 'otlp', cluster: 'nowhere' }, batch: SOON })
    expect((await host.request()).status).toBe(200)
    const log = () => host.logs.map(({ message }) => message)
    for (let i = 0; i < 100 && !log().some((line) => line.includes('nowhere')); i++) await host.advance('20ms')
    expect(host).toContainLog('warn', 'spans: nowhere takes none: there is no such cluster; they are kept')
  })

  test('what waits is sent when the configuration changes', async () => {
    const configuration = { version: 1, reporter: 'destination', workload }
    await start({ exporter: EXPORTER, batch: { interval: '1h' } })
    await host.request('/before')
    await host.reconfigure({ ...configuration, traces: { exporter: EXPORTER, batch: { interval: '20ms' } } })
    await received()
    expect(attributesOf(spansOf(bodies()[0]!)[0]!)['url.path']).toBe('/before')
    await host.request('/after')
    await received(2)
    expect(attributesOf(spansOf(bodies()[1]!)[0]!)['url.path']).toBe('/after')
  })
})
